"""The TensorBoard tracker: one event file a run, written without torch or TensorFlow."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SessionLog  # type: ignore[attr-defined]
from tensorboard.compat.proto.summary_pb2 import Summary  # type: ignore[attr-defined]
from tensorboard.summary.writer.record_writer import RecordWriter


class TensorBoard:
    """Writes scalars as TensorBoard knows them, float32, below a folder: one folder a run.

    Every epoch is on the disk when `log` returns. A run that goes on after a kill gets a new file, whose first entry
    tells TensorBoard to drop the earlier file's values from that epoch on.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, Path] = {}

    def log(self, run: str, step: int, values: Mapping[str, float]) -> None:
        """Append the values of one epoch to the run's file."""
        if run not in self.files:
            self.files[run] = _begin(self.folder / run, step)
        scalars = [Summary.Value(tag=name, simple_value=value) for name, value in values.items()]
        _append(self.files[run], Event(wall_time=time.time(), step=step, summary=Summary(value=scalars)))

    def close(self) -> None:
        """Do nothing: no file is open between two epochs."""


def _begin(folder: Path, step: int) -> Path:
    """Start the next event file of a run; readers take a folder's files in order of their names."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"events.out.tfevents.{time.time_ns()}"
    now = time.time()
    _append(path, Event(wall_time=now, file_version="brain.Event:2"))
    _append(path, Event(wall_time=now, step=step, session_log=SessionLog(status=SessionLog.START)))
    return path


def _append(path: Path, event: Event) -> None:
    with path.open("ab") as file:
        RecordWriter(file).write(event.SerializeToString())  # type: ignore[no-untyped-call]
