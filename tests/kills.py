"""Processes that run a design and are killed outright at a random moment; what must stand after they are asked again."""

import contextlib
import importlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
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


class Forked:
    """A process of a `Nursery`, with as much of `subprocess.Popen` as is needed here."""

    def __init__(self, pid: int, output: Path, errors: Path) -> None:
        self.pid, self.stdout, self._errors = pid, output.open(encoding="utf-8"), errors
        self.stderr = errors.open(encoding="utf-8")

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def wait(self, timeout: float = 600.0) -> None:
        wait_until_gone([self.pid], timeout)

    def __enter__(self) -> "Forked":
        return self

    def __exit__(self, *_: object) -> None:
        self.stdout.close()
        self.stderr.close()
        self.wait()


class Nursery:
    """Starts a program again and again by forking one process that has imported it: `tests.kills MODULE`."""

    def __init__(self, module: str, folder: Path) -> None:
        command = [sys.executable, "-m", "tests.kills", module]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=-1, stdout=-1, text=True)
        self.folder, self.count, self._lock = folder, 0, threading.Lock()

    def start(self, command: Sequence[str]) -> Forked:
        """Start the program with these arguments; the first names the module and is left out."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with self._lock:
            self.count += 1
            output, errors = self.folder / f"{self.count}.fifo", self.folder / f"{self.count}.log"
            os.mkfifo(output)
            errors.touch()
            task = {"arguments": list(command[1:]), "output": str(output), "errors": str(errors)}
            self.process.stdin.write(json.dumps(task) + "\n")
            self.process.stdin.flush()
            return Forked(int(self.process.stdout.readline()), output, errors)

    def __enter__(self) -> "Nursery":
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def nurse(module: str) -> None:
    """Import a module with a `main` that takes strings; then fork for every line of stdin, and answer with the process."""
    from tests.forked_worker import fork_workers

    program = importlib.import_module(module)
    fork_workers()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    for line in sys.stdin:
        task = json.loads(line)
        pid = os.fork()
        if pid:
            print(pid, flush=True)
            continue
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(os.open(task["output"], os.O_WRONLY), 1)
        os.dup2(os.open(task["errors"], os.O_WRONLY), 2)
        code = 1
        try:
            code = program.main(*task["arguments"])
        finally:
            sys.stdout.flush()
            os._exit(code)


def events_of(process: Any) -> Iterator[dict[str, Any]]:
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
        return _goes_on(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split())
    return False


def _goes_on(facts: Sequence[str]) -> bool:
    """Of the state of its first thread, and the number of all: only with the last one are its files closed."""
    return facts[0] != "Z" or int(facts[17]) > 1


def wait_until_gone(pids: list[int], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while any(map(is_alive, pids)) and time.monotonic() < end:
        time.sleep(0.02)
    assert not [pid for pid in pids if is_alive(pid)]


def session_of(process: Any) -> list[int]:
    """The processes of its session: its workers, also one that has started but never been heard of."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            facts = path.read_text().rpartition(")")[2].split()
            if int(facts[3]) == process.pid and _goes_on(facts):
                found.append(int(path.parent.name))
    return found


def wait_until_all_are_gone(process: Any, seconds: float = 60.0) -> None:
    """Wait for a process and its workers; one that still imports its libraries sees only then that nobody needs it."""
    end = time.monotonic() + seconds
    while (still := session_of(process)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not still


def kill(process: Any, victim: str, workers: list[int]) -> None:
    """Kill outright what this test itself has started."""
    with contextlib.suppress(ProcessLookupError):
        if victim == "group":
            os.killpg(process.pid, signal.SIGKILL)
        elif victim == "worker":
            os.kill(workers[0], signal.SIGKILL)
        else:
            process.kill()


def interrupted(command: Sequence[str], victim: str, after: int, delay: float, start: Any = parent) -> str:
    """Run the design and kill the victim `delay` seconds after so many events of work; returns how it ended."""
    with start(command) as process:
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
    wait_until_all_are_gone(process)
    return ending


def at_once(
    commands: Sequence[Sequence[str]], victims: Sequence[str], rng: random.Random, start: Any = parent
) -> list[str]:
    """Run several processes together and kill as many as there are victims; returns how each ended."""
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(len(commands)) as pool:
        processes = [stack.enter_context(start(command)) for command in commands]
        heard = [pool.submit(lambda process=process: list(events_of(process))) for process in processes]
        for process, victim in zip(processes, victims, strict=False):
            time.sleep(rng.random())
            workers = children_of(process.pid)
            kill(process, victim if workers else "parent", workers)
            if victim != "worker":
                wait_until_gone(workers)
        endings = [one.result()[-1:] for one in heard]
    for process in processes:
        wait_until_all_are_gone(process)
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


def same_after(whole: Path, out: Path, command: Sequence[str], start: Any = parent) -> None:
    """Ask again and compare with the uninterrupted run, whose result lies in `whole`."""
    with start(command) as process:
        events = list(events_of(process))
        assert process.stderr is not None
        assert events[-1]["event"] == "result", (events[-1:], process.stderr.read())
    result, expected = events[-1]["result"], json.loads((whole / "result.json").read_text())
    for name in ("claims", "tables", "figures", "look", "seeds"):
        assert result[name] == expected[name], name
    assert columns_of(out) == columns_of(whole)
    assert leftovers(out) == []


if __name__ == "__main__":
    nurse(sys.argv[1])
