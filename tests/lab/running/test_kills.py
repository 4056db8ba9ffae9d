"""Killed at any moment and asked again, the results are those of an uninterrupted run, and nothing is left over."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gradlab.lab import load
from tests.lab import toy
from tests.pages import ROOT

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to find children")
PAUSE = 0.02
VICTIMS = ("parent", "worker", "group")


def parent(out: Path, pause: float = PAUSE, workers: int = 2) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.lab.running.parent", str(out), str(pause), str(workers)]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def events_of(process: "subprocess.Popen[str]") -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    for line in process.stdout:
        with contextlib.suppress(json.JSONDecodeError):  # a line cut short by a kill
            yield json.loads(line)


def children_of(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def is_alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def wait_until_gone(pids: list[int], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while any(map(is_alive, pids)) and time.monotonic() < end:
        time.sleep(0.02)
    assert not [pid for pid in pids if is_alive(pid)]


def kill(process: "subprocess.Popen[str]", victim: str, workers: list[int]) -> None:
    """Kill outright what this test itself has started."""
    with contextlib.suppress(ProcessLookupError):
        if victim == "group":
            os.killpg(process.pid, signal.SIGKILL)
        elif victim == "worker":
            os.kill(workers[0], signal.SIGKILL)
        else:
            process.kill()


def interrupted(out: Path, victim: str, after: int, delay: float) -> str:
    """Run the design and kill the victim after so many events of work; returns how it ended."""
    with parent(out) as process:
        workers: list[int] = []
        ending = ""
        count = 0
        for event in events_of(process):
            ending = event.get("message", event["event"])
            workers = children_of(process.pid) or workers
            count += event["event"] in ("progress", "done")
            if count == after and workers:
                time.sleep(delay)
                kill(process, victim, workers)
                count += 1
        process.wait(timeout=60)
    wait_until_gone(workers)
    return ending


def columns_of(out: Path) -> dict[str, Any]:
    """All that records hold, but how they were made."""
    found = {}
    for folder in sorted((out / "records").iterdir()):
        record = load(folder)
        assert record.damaged() == []
        files = {name: text for name, text in record.manifest["files"].items() if name != "made.json"}
        found[folder.name] = [record.manifest["tables"], files, record.facts]
    return found


def leftovers(out: Path) -> list[str]:
    """Everything that is neither a record nor a lock nor the count of looks."""
    return sorted(
        str(path.relative_to(out))
        for path in out.rglob("*")
        if path.is_file()
        and path.suffix not in (".lock",)
        and path.parent.name not in ("looks",)
        and (path.parent.parent.name != "records" or path.parent.name.startswith("."))
    ) + [str(path.relative_to(out)) for path in out.rglob(".*")]


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("whole")
    result = toy.run(toy.small_design(PAUSE), toy.here(out, (0, 1)))
    (out / "result.json").write_text(json.dumps(result))
    return out


def same_after(whole: Path, out: Path) -> None:
    with parent(out) as process:
        events = list(events_of(process))
        assert process.stderr is not None
        assert events[-1]["event"] == "result", (events[-1:], process.stderr.read())
    result, expected = events[-1]["result"], json.loads((whole / "result.json").read_text())
    for name in ("claims", "tables", "figures", "look", "seeds"):
        assert result[name] == expected[name], name
    assert columns_of(out) == columns_of(whole)
    assert leftovers(out) == []


def test_killed_three_times_and_asked_again_the_results_are_the_same(whole, tmp_path):
    rng = random.Random(3)
    for victim in VICTIMS:
        ending = interrupted(tmp_path / "cut", victim, rng.randint(1, 8), rng.random() * PAUSE)
        if victim == "worker":
            assert ending.startswith("a worker process died"), ending
            assert "\n" not in ending
    same_after(whole, tmp_path / "cut")


@pytest.mark.slow
@pytest.mark.parametrize("number", range(10))
def test_thirty_kills_at_random_moments(whole, tmp_path, number):
    rng = random.Random(100 + number)
    for victim in rng.sample(VICTIMS, 3):
        interrupted(tmp_path / "cut", victim, rng.randint(1, 24), rng.random() * 3 * PAUSE)
    same_after(whole, tmp_path / "cut")
