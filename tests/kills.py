"""Processes that run a design and are killed outright at a random moment; what must stand after they are asked again."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from gradlab.lab import load
from tests.pages import ROOT

VICTIMS = ("parent", "worker", "group")
needs_proc = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to find children")


def parent(command: Sequence[str]) -> "subprocess.Popen[str]":
    """Start a process that writes one JSON event a line and the result as the last."""
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
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


def interrupted(command: Sequence[str], victim: str, after: int, delay: float) -> str:
    """Run the design and kill the victim `delay` seconds after so many events of work; returns how it ended."""
    with parent(command) as process:
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


def at_once(commands: Sequence[Sequence[str]], victims: Sequence[str], rng: random.Random) -> list[str]:
    """Run several processes together and kill as many as there are victims; returns how each ended."""
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(len(commands)) as pool:
        processes = [stack.enter_context(parent(command)) for command in commands]
        heard = [pool.submit(lambda process=process: list(events_of(process))) for process in processes]
        for process, victim in zip(processes, victims, strict=False):
            time.sleep(rng.random())
            workers = children_of(process.pid)
            kill(process, victim if workers else "parent", workers)
            if victim != "worker":
                wait_until_gone(workers)
        endings = [one.result()[-1:] for one in heard]
    return [event[0].get("message", event[0]["event"]) if event else "killed" for event in endings]


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


def same_after(whole: Path, out: Path, command: Sequence[str]) -> None:
    """Ask again and compare with the uninterrupted run, whose result lies in `whole`."""
    with parent(command) as process:
        events = list(events_of(process))
        assert process.stderr is not None
        assert events[-1]["event"] == "result", (events[-1:], process.stderr.read())
    result, expected = events[-1]["result"], json.loads((whole / "result.json").read_text())
    for name in ("claims", "tables", "figures", "look", "seeds"):
        assert result[name] == expected[name], name
    assert columns_of(out) == columns_of(whole)
    assert leftovers(out) == []
