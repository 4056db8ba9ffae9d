"""Many records made of few: the files of one seed's records linked under the names of further seeds."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

from gradlab.lab.records.binding import spec_hash
from gradlab.lab.records.record import MANIFEST, Record, as_json, is_record

STUDY = ("run", "residual-mlp", "--depths", "2", "3", "4", "--epochs", "1", "--width", "8")
"""A study of eight arms, whose runs take no time."""
ARMS = 8


def copy_records(source: Path, target: Path, seeds: int) -> int:
    """Give every procedure of the records in `source` so many seeds in `target`; returns how many records that are.

    Their numbers repeat, their specs do not. Nothing waits for the disk.
    """
    found = [Record(path) for path in sorted(source.iterdir()) if is_record(path)]
    first = {json.dumps({**run.spec, "seed": None}, sort_keys=True): run for run in found}
    target.mkdir(parents=True)
    for record in first.values():
        for seed in range(seeds):
            _copy(record, target, seed)
    return len(first) * seeds


def _copy(record: Record, target: Path, seed: int) -> None:
    spec = {**record.spec, "seed": seed}
    text, folder = as_json(spec), target / spec_hash(spec)
    folder.mkdir()
    for name in record.manifest["files"]:
        if name != "spec.json":
            _link(record.folder / name, folder / name)
    (folder / "spec.json").write_bytes(text)
    files = {**record.manifest["files"], "spec.json": hashlib.sha256(text).hexdigest()}
    (folder / MANIFEST).write_bytes(as_json({**record.manifest, "files": files}))


def _link(old: Path, new: Path) -> None:
    try:
        os.link(old, new)
    except OSError:  # a file system without links, or too many of them
        shutil.copy(old, new)
