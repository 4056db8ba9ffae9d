import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gradlab.data import info
from gradlab.lab.executor import Block, claim, run_blocks, usable_cores
from gradlab.lab.running.locks import try_lock
from gradlab.lab.record import Record
from gradlab.lab.run import Request, arm_specs
from gradlab.types import UserError
from tests.lab.conftest import run_here
from tests.lab.fakes import small_design
from tests.pages import ROOT

SEEDS = ("0", "1")


def parent(out: Path, *, epochs: int = 2, workers: int = 1) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.lab.parent", str(out), str(epochs), str(workers), *SEEDS]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def events_of(process: "subprocess.Popen[str]") -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    for line in process.stdout:
        with contextlib.suppress(json.JSONDecodeError):  # a line cut short by a kill
            yield json.loads(line)


def workers_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def wait_until_gone(pids: list[int], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while any(map(is_alive, pids)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not [pid for pid in pids if is_alive(pid)]


def comparable(result: dict[str, Any]) -> str:
    return json.dumps([result["claims"], result["tables"], result["figures"]])


def specs_of(out: Path, seeds: tuple[int, ...] = (0, 1)) -> list[Block]:
    request = Request(preset="quick", data="digits", seeds=seeds, out=out, device="cpu")
    facts = info("digits")
    return [
        Block(arm.name, tuple(arm_specs(arm, request, facts, "cpu").values()), float(number))
        for number, arm in enumerate(small_design().arms)
    ]


def run(blocks: list[Block], out: Path, **more: Any) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    hear = more.pop("on_event", lambda _event: None)

    def on_event(event: dict[str, Any]) -> None:
        events.append(event)
        hear(event)

    for name in ("records", "work"):
        (out / name).mkdir(parents=True, exist_ok=True)
    run_blocks(
        blocks, **({"data": "digits", "data_dir": None, "commit": None} | more), out=out, on_event=on_event
    )
    return events


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to find a process's children")
def test_killed_at_random_and_asked_again_the_result_is_that_of_the_uninterrupted_run(tmp_path, digits):
    whole = run_here(tmp_path / "whole", digits, seeds=(0, 1), epochs=8)
    rng = random.Random(0)
    for kill in range(3):
        with parent(tmp_path / "cut", epochs=8) as process:
            workers: list[int] = []
            after = rng.randint(1, 12)  # epochs, of one or two of the four blocks
            epochs = (event for event in events_of(process) if event["event"] == "epoch")
            for number, event in enumerate(epochs, 1):
                assert kill or number > 1 or event["arm"] == "plain-2"  # the first of the costliest
                workers = workers_of(process.pid)
                if number == after:
                    process.send_signal(signal.SIGKILL)
                    break
            process.wait()
        assert process.returncode == -signal.SIGKILL, f"kill {kill} came too late"
        assert workers
        wait_until_gone(workers)
    again = run_of(parent(tmp_path / "cut", epochs=8))
    assert comparable(again) == comparable(whole)
    assert again["look"] == whole["look"] == 1
    for name in ("records", "work"):
        assert not list((tmp_path / "cut" / name).glob(".*")), "nothing half-written stays"
    assert not list((tmp_path / "cut" / "work").glob("*.safetensors*"))


def run_of(process: "subprocess.Popen[str]") -> dict[str, Any]:
    with process:
        events = list(events_of(process))
        assert process.stderr is not None
        assert events[-1]["event"] == "result", (events[-1:], process.stderr.read())
    return events[-1]["result"]


def test_workers_give_the_same_bits_as_this_process_and_two_parents_share_the_blocks(tmp_path, digits):
    here = run_here(tmp_path / "here", digits, seeds=(0, 1))
    with parent(tmp_path / "away") as one, parent(tmp_path / "away") as other:
        heard = [list(events_of(one)), list(events_of(other))]
    results = [events[-1]["result"] for events in heard]
    assert comparable(results[0]) == comparable(results[1]) == comparable(here)
    trained = [{event["block"] for event in events if event["event"] == "epoch"} for events in heard]
    assert trained[0].isdisjoint(trained[1])
    assert len(trained[0] | trained[1]) == 4
    for heard_by_one in heard:
        for block in {event["block"] for event in heard_by_one if event["event"] == "epoch"}:
            of_block = [event for event in heard_by_one if event.get("block") == block]
            assert [(event["event"], event.get("epoch")) for event in of_block] == [
                ("epoch", 1),
                ("epoch", 2),
                ("done", None),
            ]
    for run in here["runs"]:
        for name in ("predictions.parquet", "epochs.parquet", "gradients.parquet", "weights.safetensors"):
            first, second = (
                tmp_path / where / "records" / run["record"] / name for where in ("here", "away")
            )
            assert first.read_bytes() == second.read_bytes()
    assert not list((tmp_path / "away" / "work").glob("worker-*.log"))  # nothing to say


def test_a_worker_that_is_killed_is_one_sentence_and_asking_again_finishes(tmp_path):
    blocks = specs_of(tmp_path)[:1]

    def kill(event: dict[str, Any]) -> None:
        if event["event"] == "epoch":
            for worker in workers_of(os.getpid()):
                os.kill(worker, signal.SIGKILL)

    with pytest.raises(
        UserError, match=r"a worker process died; ask again to go on from the last checkpoint"
    ) as caught:
        run(blocks, tmp_path, on_event=kill, workers=1)
    assert "\n" not in str(caught.value)
    run(blocks, tmp_path, workers=1)
    for block in blocks:
        assert [Record(tmp_path / "records" / spec.hash).damaged() for spec in block.specs] == [[]] * 6


def test_a_worker_that_dies_with_nothing_to_do_does_not_leave_the_rest_waiting_for_ever(tmp_path):
    blocks = specs_of(tmp_path)[:2]
    (tmp_path / "work").mkdir(parents=True)
    held = try_lock(tmp_path / "work" / f"{blocks[0].name}.lock")
    assert held is not None

    def kill(event: dict[str, Any]) -> None:
        if event["event"] == "done":
            for worker in workers_of(os.getpid()):
                os.kill(worker, signal.SIGKILL)
            threading.Timer(2.0, held.close).start()

    with pytest.raises(UserError, match="a worker process died"):
        run(blocks, tmp_path, on_event=kill, workers=1)


def test_what_a_worker_refuses_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match=r"^No data set is called 'nowhere'"):
        run(specs_of(tmp_path)[:1], tmp_path, data="nowhere")
    assert list((tmp_path / "records").iterdir()) == []


def test_a_block_is_taken_if_a_record_lacks_and_nobody_holds_it(finished, tmp_path):
    shutil.copytree(finished / "records", tmp_path / "records")
    blocks = specs_of(tmp_path)
    gone, finished_ones = blocks[1], [blocks[0], *blocks[2:]]
    shutil.rmtree(tmp_path / "records" / gone.specs[3].hash)
    left = tmp_path / "records" / f".{gone.specs[0].hash}.0f.tmp"
    left.mkdir()  # of a writer that was killed
    events: list[dict[str, Any]] = []
    waiting = list(blocks)
    claimed = claim(waiting, tmp_path, events.append)
    assert claimed is not None
    assert claimed[0] == gone
    assert not left.exists()
    assert claim(list(blocks[1:2]), tmp_path, events.append) is None  # held
    while waiting:
        assert claim(waiting, tmp_path, events.append) is None
    claimed[1].close()
    assert [event["arm"] for event in events] == [block.arm for block in finished_ones]
    assert {event["event"] for event in events} == {"done"}


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("may not mount a small file system here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_disk_that_fills_up_is_one_sentence_and_loses_nothing(small_disk):
    blocks = specs_of(small_disk)
    with pytest.raises(
        UserError, match=r"^the disk is full; free some space or choose another --out, then ask again"
    ):
        run(blocks, small_disk, workers=1)
    records = [Record(file.parent) for file in (small_disk / "records").glob("*/files.json")]
    assert records
    assert all(record.damaged() == [] for record in records)
    assert not list((small_disk / "records").glob(".*"))


def test_cores_are_those_that_this_process_may_use():
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
