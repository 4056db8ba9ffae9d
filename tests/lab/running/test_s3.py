"""Two workers that share no folder, over a server that speaks S3. Skipped where moto and s3fs are not installed."""

import contextlib
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from importlib.util import find_spec

import pytest

from gradlab.lab.records.objects import ObjectStore
from gradlab.lab.running import ray
from gradlab.types import UserError
from tests.kills import columns_of, leftovers, wait_until_gone
from tests.lab import toy
from tests.pages import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        find_spec("moto") is None or find_spec("s3fs") is None,
        reason="needs a server that speaks S3: pip install s3fs moto flask flask-cors",
    ),
]


@pytest.fixture
def bucket(monkeypatch, tmp_path):
    """Start a server that only this machine reaches; yields the URL of a bucket."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }  # fmt: skip
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    with (tmp_path / "server.log").open("wb") as log:
        words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        server = subprocess.Popen(words, stdout=log, stderr=log)
    try:
        until = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            assert server.poll() is None
            assert time.monotonic() < until
            time.sleep(0.1)
        import s3fs

        s3fs.S3FileSystem.clear_instance_cache()  # of other tests, which had another server
        s3fs.S3FileSystem().mkdir("lab")
        yield "s3://lab/study"
    finally:
        server.kill()
        server.wait()


class TwoWorkers:
    """A cluster of two processes, each with a folder of its own; one that ends is started again, as a node would be."""

    slots = 2

    def __init__(self, folder):
        self.said, self.idle, self.tasks, self.pids = queue.Queue(), queue.Queue(), queue.Queue(), []
        self.folder, self.ends = folder, False
        self.threads = [threading.Thread(target=self._serve, args=(number,)) for number in (0, 1)]
        for thread in self.threads:
            thread.start()

    def submit(self, unit, task):
        self.tasks.put((unit, json.dumps(task)))

    def hear(self, seconds):
        with contextlib.suppress(queue.Empty):
            return [self.said.get(timeout=seconds)]
        return []

    def _serve(self, number):
        place = str(self.folder / f"worker{number}")
        while not self.ends:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.lab.running.node", place],
                cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            self.pids.append(process.pid)
            try:
                while not self.ends and self._do_one(process):
                    pass
            finally:
                process.kill()
                process.communicate()

    def _do_one(self, process):
        """Do a task, if there is one; returns whether the process is still there."""
        try:
            unit, task = self.tasks.get(timeout=0.2)
        except queue.Empty:
            return process.poll() is None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(task + "\n")
            process.stdin.flush()
        for line in process.stdout:
            event = json.loads(line)
            self.said.put(event | {"pid": process.pid})
            if event["event"] in ("done", "failed"):
                return True
        self.said.put({"event": "lost", "unit": unit, "message": "its worker process died"})
        return False

    def close(self):
        self.ends = True
        for thread in self.threads:
            thread.join(timeout=60)
            assert not thread.is_alive()
        wait_until_gone(self.pids)


def test_two_workers_that_share_no_folder_finish_what_a_killed_one_left(bucket, tmp_path, monkeypatch):
    whole = tmp_path / "whole"
    expected = toy.run(toy.small_design(0.3), toy.here(whole, (0, 1)))
    told, killed = [], []

    def hear(event):
        told.append(event)
        if event["event"] == "progress" and not killed:  # in the middle of its unit
            killed.append(event["pid"])
            os.kill(event["pid"], signal.SIGKILL)

    with contextlib.closing(TwoWorkers(tmp_path)) as cluster:
        monkeypatch.setattr(ray, "ray_cluster", lambda *_: contextlib.nullcontext(cluster))
        asked = toy.request(tmp_path / "out", (0, 1), executor="ray", objects=ObjectStore(bucket))
        result = toy.run(toy.small_design(0.3), asked, on_event=hear)
    assert killed
    assert any(event.get("text", "").endswith("its worker process died; it is done again.") for event in told)
    assert columns_of(tmp_path / "out") == columns_of(whole)
    assert leftovers(tmp_path / "out") == []
    for name in ("claims", "tables", "figures"):
        assert result[name] == expected[name]
    mine = [{path.name for path in (tmp_path / f"worker{n}" / "records").glob("[!.]*")} for n in (0, 1)]
    assert all(mine)
    third = toy.request(tmp_path / "third", (0, 1), objects=ObjectStore(bucket))
    events = []
    toy.run(toy.small_design(0.3), third, on_event=events.append)
    assert [event for event in events if event["event"] == "done"] == []
    assert columns_of(tmp_path / "third") == columns_of(whole)


def test_a_bucket_that_is_not_there_and_a_server_that_has_gone_are_sentences(bucket, tmp_path, monkeypatch):
    with pytest.raises(UserError, match=r"^the store s3://nobody/study cannot be used \(.*bucket"):
        toy.run(toy.small_design(), toy.here(tmp_path, objects=ObjectStore("s3://nobody/study")))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(UserError, match=r"^the store s3://lab/study cannot be used \(Could not connect"):
        toy.run(toy.small_design(), toy.here(tmp_path, objects=ObjectStore(bucket)))
