"""A reader of W&B's offline files, written from the format of LevelDB's log and apart from W&B's own code."""

import json
import struct
from pathlib import Path
from typing import Any

from wandb.proto.wandb_internal_pb2 import Record

BLOCK, HEADER = 32768, 7
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4


def read_records(path: Path) -> list[Record]:
    """Return all whole records of a .wandb file; one that is still being written may end in the midst of a record."""
    content = path.read_bytes()
    if not content:
        return []
    assert content[:4] == b":W&B"
    records, parts, at = [], b"", HEADER
    while at + HEADER <= len(content):
        left = BLOCK - at % BLOCK
        if left < HEADER:  # padding
            at += left
            continue
        _checksum, length, kind = struct.unpack_from("<IHB", content, at)
        chunk = content[at + HEADER : at + HEADER + length]
        if kind not in (FULL, FIRST, MIDDLE, LAST) or len(chunk) < length:
            break
        at += HEADER + length
        parts = chunk if kind in (FULL, FIRST) else parts + chunk
        if kind in (FULL, LAST):
            records.append(Record.FromString(parts))
    return records


def read_run(path: Path) -> dict[str, Any]:
    """Return name, group, project, job_type, host, config, exit code (None while it runs) and rows by step."""
    found: dict[str, Any] = {"rows": {}, "exit": None, "name": None}
    for record in read_records(path):
        kind = record.WhichOneof("record_type")
        if kind == "run":
            run = record.run
            found |= {"name": run.display_name, "group": run.run_group, "project": run.project}
            found |= {"job_type": run.job_type, "host": run.host}
            found["config"] = {item.key: json.loads(item.value_json) for item in run.config.update}
        elif kind == "history":
            row = {
                item.key or "/".join(item.nested_key): json.loads(item.value_json)
                for item in record.history.item
            }
            assert row["_step"] not in found["rows"]
            found["rows"][row["_step"]] = {
                name: value for name, value in row.items() if not name.startswith("_")
            }
        elif kind == "exit":
            found["exit"] = record.exit.exit_code
    return found


def read_runs(out: Path) -> list[dict[str, Any]]:
    """Return all runs below `out`/trackers/wandb, in order of their names."""
    paths = (out / "trackers" / "wandb").glob("offline-run-*/run-*.wandb")
    return sorted((read_run(path) for path in paths), key=lambda run: str(run["name"]))
