"""Ray itself: the same bits, workers and heads that are killed, and nothing left behind. Skipped where Ray is not installed."""

import contextlib
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from gradlab.lab.running import ray
from gradlab.lab.running.ray import SETTINGS
from gradlab.preparing import prepare
from gradlab.types import UserError
from tests.kills import columns_of, events_of, leftovers, needs_proc, parent
from tests.lab import toy

OURS = re.compile(r"ray::|raylet|gcs_server|ray/_private|ray/dashboard|ray/autoscaler")


def needs_ray(test):
    """Mark a test that starts Ray."""
    reason = "needs Ray: pip install 'gradlab[ray]'"
    return pytest.mark.slow(needs_proc(pytest.mark.skipif(find_spec("ray") is None, reason=reason)(test)))


ASKED = {
    "preset": "quick", "data": "digits", "data_dir": None, "seeds": 6, "first_seed": 0, "device": "cpu",
    "precision": "fp32", "out": "nowhere", "parameters": {}, "command": None,
}  # fmt: skip


def test_without_ray_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr(ray, "find_spec", lambda _name: None)
    with pytest.raises(
        UserError, match=r"^--executor ray needs .* not installed: pip install 'gradlab\[ray\]'$"
    ):
        prepare("tour", **ASKED, executor="ray")


def test_an_executor_that_is_not_known_and_an_address_without_ray_are_refused(monkeypatch):
    with pytest.raises(UserError, match="unknown executor 'rai'; did you mean 'ray'"):
        prepare("tour", **ASKED, executor="rai")
    with pytest.raises(
        UserError, match=r"--address 10\.0\.0\.1:6379 is that of a Ray cluster; add --executor ray\."
    ):
        prepare("tour", **ASKED, address="10.0.0.1:6379")
    monkeypatch.setattr(ray, "find_spec", lambda _name: type("Spec", (), {"origin": "here"}))
    _, request, _ = prepare("tour", **ASKED, executor="ray", address="auto")
    assert (request.executor, request.address) == ("ray", "auto")
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.2:6379")
    assert prepare("tour", **ASKED, executor="ray")[1].address == "10.0.0.2:6379"
    assert prepare("tour", **ASKED)[1].address is None
    assert "ray" not in request.command + request.report  # what comes out is the same


def test_nobody_who_asks_for_the_executor_imports_ray():
    code = "import sys, gradlab.cli, gradlab.lab.running.ray, gradlab.lab.running.cluster; print('ray' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"


def below(pid: int) -> list[tuple[int, str]]:
    """Processes of Ray that a process, or one of its children, has started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            facts = (folder / "stat").read_text().rpartition(")")[2].split()
            if OURS.search(words) and facts[0] != "Z" and is_below(int(folder.name), pid):
                found.append((int(folder.name), words))
    return found


def is_below(one: int, pid: int) -> bool:
    while one > 1:
        if one == pid:
            return True
        one = int(Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()[1])
    return False


def gone(pids: list[int]) -> bool:
    """Whether all of these processes end."""
    end = time.monotonic() + 120  # after kill -9, two small helpers of Ray end after a minute
    while any(Path(f"/proc/{pid}").exists() and "Z" not in state(pid) for pid in pids):
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def state(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return "Z"


def command(out: Path, pause: float, *more: str) -> list[str]:
    return ["tests.lab.running.parent", str(out), str(pause), "2", "ray", *more]


@needs_ray
def test_ray_gives_the_same_bits_and_does_again_what_a_killed_worker_was_doing(tmp_path):
    whole = tmp_path / "whole"
    toy.run(toy.small_design(0.5), toy.here(whole, (0, 1)))
    with parent(command(tmp_path / "out", 0.5)) as process:
        events, killed = [], False
        for event in events_of(process):
            events.append(event)
            if event["event"] == "progress" and not killed:
                workers = [pid for pid, words in below(process.pid) if words.startswith("ray::_work")]
                os.kill(workers[0], signal.SIGKILL)
                killed = True
    assert killed
    assert events[-1]["event"] == "result", events[-1]
    told = [event["text"] for event in events if event["event"] == "told"]
    assert any(text.endswith("its worker process died; it is done again.") for text in told), told
    assert columns_of(tmp_path / "out") == columns_of(whole)
    assert leftovers(tmp_path / "out") == []


@needs_ray
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_it_is_ended_no_process_stays_and_asking_again_finishes(tmp_path, number):
    with parent(command(tmp_path, 2.0)) as process:
        for event in events_of(process):
            if event["event"] == "progress":
                mine = [pid for pid, _ in below(process.pid)]
                assert mine
                (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
                break
    assert gone([process.pid, *mine])
    toy.run(toy.small_design(2.0), toy.here(tmp_path, (0, 1)))
    assert [one for one in leftovers(tmp_path) if not one.endswith(".mark")] == []


@contextlib.contextmanager
def head(folder: Path):
    """Yield the address of a cluster of one node that only this machine reaches, and its processes."""
    program = [str(Path(sys.executable).parent / "ray"), "start", "--head", "--port=0", "--num-cpus=2"]
    more = [
        "--include-dashboard=false",
        f"--temp-dir={folder}",
        "--block",
        f"--object-store-memory={100 * 2**20}",
    ]
    words = [*program, *more, "--node-ip-address=127.0.0.1"]
    process = subprocess.Popen(words, env=os.environ | SETTINGS, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        found = next(filter(None, (re.search(r"--address='([^']+)'", line) for line in process.stdout)))
        yield found[1], process.pid
    finally:
        mine = [pid for pid, _ in below(process.pid)]
        process.terminate()
        process.wait(timeout=60)
        process.stdout.close()
        assert gone(mine)


@needs_ray
def test_when_the_head_is_killed_a_sentence_says_so_and_a_later_run_goes_on(tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
    short = Path("/tmp") / f"r{os.getpid()}"
    with head(short) as (address, pid), parent(command(tmp_path, 1.0, address)) as process:
        events = []
        for event in events_of(process):
            events.append(event)
            if (
                event["event"] == "progress"
                and len([one for one in events if one["event"] == "progress"]) == 1
            ):
                for one, words in below(pid):
                    if "gcs_server" in words or "raylet/raylet" in words:
                        os.kill(one, signal.SIGKILL)
        assert process.wait(timeout=60) == 1
    assert re.match(
        r"the Ray cluster at .* has gone; start it and ask again: finished runs are kept",
        events[-1]["message"],
    )
    toy.run(toy.small_design(1.0), toy.here(tmp_path, (0, 1)))
    assert leftovers(tmp_path) == []


@needs_ray
def test_a_cluster_that_wants_a_token_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
    with head(Path("/tmp") / f"t{os.getpid()}") as (address, _):
        monkeypatch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        with parent(command(tmp_path, 0.1, address)) as process:
            events = list(events_of(process))
    assert events[-1]["message"].startswith(
        f"the Ray cluster at {address} asks for its token; set RAY_AUTH_MODE=token"
    )


@needs_ray
def test_an_address_where_nobody_answers_is_one_sentence(tmp_path):
    with parent(command(tmp_path, 0.1, "127.0.0.1:9")) as process:
        events = list(events_of(process))
    assert re.match(
        r"no Ray cluster answers at 127\.0\.0\.1:9; start one with ray start --head", events[-1]["message"]
    )
    assert json.dumps(events[-1]).count("\\n") == 0
