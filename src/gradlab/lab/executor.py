"""Local execution: blocks of runs on worker processes, one thread each, the costliest first."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from gradlab.lab.locks import try_lock
from gradlab.lab.spec import RunSpec, dump_spec
from gradlab.types import UserError

ENVIRONMENT = {
    "MALLOC_MMAP_MAX_": "0",  # keep large buffers instead of returning them to the system at every step
    "MALLOC_TRIM_THRESHOLD_": "1000000000",
    "OMP_NUM_THREADS": "1",
    "PYTHONUNBUFFERED": "1",
}
Event = dict[str, Any]


@dataclass(frozen=True)
class Block:
    """Runs of one arm that train together."""

    arm: str
    specs: tuple[RunSpec, ...]
    weight: float

    @property
    def name(self) -> str:
        """Unique name: that of its first run's record."""
        return self.specs[0].hash


def usable_cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def run_blocks(
    blocks: Sequence[Block],
    *,
    data: str,
    data_dir: str | None,
    out: Path,
    commit: str | None,
    on_event: Callable[[Event], None],
    workers: int | None = None,
    device: str | None = None,
) -> None:
    """Run blocks on worker processes until all have records.

    A block that another process is running is waited for, not run twice. A killed block goes on from its last
    checkpoint when it is asked for again.

    Args:
        device: which of several of the kind that the specs name, such as "cuda:1".

    Raises:
        UserError: a run failed or a worker died; finished runs are kept.
    """
    waiting = sorted(blocks, key=lambda block: -block.weight)
    count = min(len(waiting), workers or usable_cores())
    events: queue.Queue[Event] = queue.Queue()
    failure: str | None = None
    with contextlib.ExitStack() as stack:
        team = [stack.enter_context(_worker(number, out, events)) for number in range(count)]
        busy: dict[int, tuple[Block, IO[bytes]]] = {}
        while busy or (waiting and failure is None):
            for number in [number for number in range(count) if number not in busy and failure is None]:
                claimed = claim(waiting, out, on_event)
                if claimed is not None:
                    busy[number] = claimed
                    _send(team[number], _task(claimed[0], data, data_dir, out, commit, device))
            try:
                event = events.get(timeout=0.5)
            except queue.Empty:
                continue  # a block that another process holds may be free now
            number = event.pop("worker")
            if number not in busy:  # it died while it had nothing to do
                failure = failure or (event.get("message") if waiting else None)
                continue
            block, held = busy[number]
            if event["event"] == "epoch":
                on_event(event | {"arm": block.arm})
                continue
            del busy[number]
            held.close()
            if event["event"] == "done":
                on_event(event | {"arm": block.arm})
            else:
                failure = failure or event["message"]
    if failure is not None:
        raise UserError(failure)


def claim(
    waiting: list[Block], out: Path, on_event: Callable[[Event], None]
) -> tuple[Block, IO[bytes]] | None:
    """Take the first waiting block that no other process holds; drop those that others have finished."""
    for block in list(waiting):
        held = try_lock(out / "work" / f"{block.name}.lock")
        if held is None:
            continue
        waiting.remove(block)
        if all((out / "records" / spec.hash / "files.json").exists() for spec in block.specs):
            held.close()
            on_event({"event": "done", "block": block.name, "arm": block.arm})
            continue
        _clear(block, out)
        return block, held
    return None


def _clear(block: Block, out: Path) -> None:
    """Remove what a killed process left half-written; its block is held, so nobody writes there."""
    for spec in block.specs:
        for folder in (out / "records").glob(f".{spec.hash}.*.tmp"):
            shutil.rmtree(folder, ignore_errors=True)
    for file in (out / "work").glob(f"{block.name}.safetensors.*.tmp"):
        file.unlink(missing_ok=True)


def _task(
    block: Block, data: str, data_dir: str | None, out: Path, commit: str | None, device: str | None
) -> dict[str, Any]:
    return {
        "block": block.name,
        "specs": [dump_spec(spec) for spec in block.specs],
        "data": data,
        "data_dir": data_dir,
        "records": str(out / "records"),
        "checkpoint": str(out / "work" / f"{block.name}.safetensors"),
        "commit": commit,
        "device": device,
    }


def _send(process: subprocess.Popen[str], task: dict[str, Any]) -> None:
    assert process.stdin is not None  # it is a pipe
    with contextlib.suppress(BrokenPipeError):  # its death arrives as an event
        process.stdin.write(json.dumps(task) + "\n")
        process.stdin.flush()


@contextlib.contextmanager
def _worker(number: int, out: Path, events: queue.Queue[Event]) -> Iterator[subprocess.Popen[str]]:
    log_path = out / "work" / f"worker-{os.getpid()}-{number}.log"
    with log_path.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gradlab.lab.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=os.environ | ENVIRONMENT,
        )
        reader = threading.Thread(target=_read, args=(process, number, log_path, events), daemon=True)
        reader.start()
        try:
            yield process
        finally:  # here it has no task, or nobody waits for it any more
            process.kill()
            process.wait()
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()  # type: ignore[union-attr]
            reader.join(timeout=5)
            process.stdout.close()  # type: ignore[union-attr]
            if not log_path.read_text().strip():
                log_path.unlink()


def _read(process: subprocess.Popen[str], number: int, log_path: Path, events: queue.Queue[Event]) -> None:
    assert process.stdout is not None  # it is a pipe
    for line in process.stdout:
        events.put(json.loads(line) | {"worker": number})
    lines = log_path.read_text().strip().splitlines()
    last = f" ({lines[-1]})" if lines else ""
    message = (
        f"a worker process died{last}; ask again to go on from the last checkpoint, its log is {log_path}."
    )
    events.put({"event": "died", "message": message, "worker": number})
