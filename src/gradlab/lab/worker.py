"""A worker process: reads one JSON task a line, trains it, answers with one JSON event a line."""

from __future__ import annotations

import errno
import json
import logging
import os
import queue
import signal
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from gradlab.types import UserError


def main() -> None:
    """Serve tasks from stdin until it closes; the parent's death closes it, and ends a task at once."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a library prints goes to the log, not into the protocol
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches the whole group; the parent ends its workers
    logging.basicConfig(level=logging.WARNING)
    tasks: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_listen, args=(tasks,), daemon=True).start()
    datasets: dict[tuple[str, str | None], Any] = {}
    while True:
        task = json.loads(tasks.get())
        try:
            _serve(task, datasets, answers)
            _answer(answers, {"event": "done", "block": task["block"]})
        except UserError as error:
            _answer(answers, {"event": "failed", "block": task["block"], "message": str(error)})
        except OSError as error:
            if error.errno == errno.EPIPE:
                return
            _answer(answers, {"event": "failed", "block": task["block"], "message": disk_message(error)})


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
    return f"{error.strerror or error}{place}; mend it, then ask again{kept}."


def _serve(task: dict[str, Any], datasets: dict[tuple[str, str | None], Any], answers: IO[str]) -> None:
    from gradlab.data import load
    from gradlab.lab.procedure import train_block
    from gradlab.lab.spec import read_spec
    from gradlab.training.fit import Epoch

    source = (task["data"], task["data_dir"])
    if source not in datasets:
        datasets.clear()
        datasets[source] = load(task["data"], task["data_dir"])

    def on_epoch(epoch: Epoch) -> None:
        _answer(answers, {"event": "epoch", "block": task["block"], **asdict(epoch)})

    train_block(
        [read_spec(spec) for spec in task["specs"]],
        datasets[source],
        records=Path(task["records"]),
        checkpoint=Path(task["checkpoint"]),
        commit=task["commit"],
        device=task["device"],
        on_epoch=on_epoch,
    )


def _answer(answers: IO[str], event: dict[str, Any]) -> None:
    answers.write(json.dumps(event) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
