"""A worker process: reads one JSON task a line, does it, answers with one JSON event a line."""

from __future__ import annotations

import errno
import json
import logging
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from gradlab.lab.records.objects import object_store
from gradlab.lab.running.desk import DataCache, Progress, Toolbox
from gradlab.lab.running.performing import Bench, measure, perform
from gradlab.lab.running.units import read_unit
from gradlab.types import UserError, is_out_of_memory

Event = dict[str, Any]


def serve(toolbox: Toolbox) -> None:
    """Serve tasks from stdin until it closes; the parent's death closes it, and ends a task at once."""
    answers = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints goes to the log, not into the protocol
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches the whole group; the parent ends its workers
    logging.basicConfig(level=logging.WARNING)
    tasks: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_listen, args=(tasks,), daemon=True).start()

    def load(name: str, folder: str | None, checksum: str | None) -> Any:
        _answer(answers, {"event": "status", "text": f"decoding {name}"})
        return toolbox.load(name, folder, checksum)

    cache = DataCache(load)
    while True:
        task = json.loads(tasks.get())
        try:
            _answer(answers, answer_to(task, toolbox, cache, lambda event: _answer(answers, event)))
        except OSError as error:
            if error.errno == errno.EPIPE:
                return
            raise


def answer_to(task: Event, toolbox: Toolbox, cache: DataCache, tell: Callable[[Event], None]) -> Event:
    """Do a task and return how it ended; what a person can mend is an event, a broken pipe or a fault an exception."""
    try:
        return _serve(task, toolbox, cache, tell)
    except UserError as error:
        return {"event": "failed", "message": str(error)}
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        return {"event": "failed", "message": MEMORY}
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise
        return {"event": "failed", "message": disk_message(error)}


MEMORY = "the memory does not suffice; take smaller batches or a smaller network, then ask again: finished runs are kept."


def _listen(tasks: queue.Queue[str]) -> None:
    """Pass tasks on; at the end of stdin nobody waits for an answer, so that the process ends whatever it does.

    Records and checkpoints are put in place whole, so nothing is lost by that.
    """
    for line in sys.stdin:
        tasks.put(line)
    os._exit(0)


def disk_message(error: OSError, *, kept: str = ": finished runs are kept") -> str:
    """Say what an operating-system error means, and what is `kept` where it happened."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full; free some space or choose another --out, then ask again{kept}."
    place = f": {error.filename}" if error.filename else ""
    return f"{error.strerror or error}{place}; fix it, then ask again{kept}."


def _serve(task: Event, toolbox: Toolbox, cache: DataCache, hear: Callable[[Event], None]) -> Event:
    """Do a unit, or only time it, and return what there is to answer."""
    bench = Bench(
        toolbox=toolbox,
        out=Path(task["out"]),
        cache=cache,
        records=tuple(map(Path, task["records"])),
        data_dir=task["data_dir"],
        places=task["places"],
        device=task["device"],
        commit=task["commit"],
        objects=object_store(task["store"]) if task.get("store") else None,
    )

    def tell(progress: Progress) -> None:
        hear(progress_event(progress))

    unit = read_unit(task["unit"], toolbox.kinds)
    if task.get("measure"):
        return {"event": "timed", "seconds": measure(unit, bench)}
    perform(unit, bench, tell)
    return {"event": "done"}


def progress_event(progress: Progress) -> Event:
    """Return progress as an event."""
    rows = [[seed, step, dict(values)] for seed, step, values in progress.rows]
    return {
        "event": "progress",
        "share": progress.share,
        "given": progress.given,
        "text": progress.text,
        "rows": rows,
    }


def _answer(answers: IO[str], event: Event) -> None:
    answers.write(json.dumps(event) + "\n")
    answers.flush()
