"""What the records of a folder are, noted in one file, so that thousands need not be opened to be listed.

The note is never the truth: it can be deleted, a record that has changed since is read again, and nothing is verified by it.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gradlab import __version__
from gradlab._files import write_whole
from gradlab.lab.records.record import MANIFEST, Record
from gradlab.types import UserError

INDEX = "index.json"
Row = dict[str, Any]


def rows_of_records(runs: Path, read: Callable[[Record], Row | None], unread: Row) -> list[tuple[str, Row]]:
    """Return the name of every record of an --out folder and what `read` says of it, in the order of their names.

    Args:
        runs: the folder, which holds the index afterwards where it can be written.
        read: the record -> what is to be known of it, as JSON; None where it is damaged, which is not noted.
        unread: stands for a damaged one.

    Raises:
        UserError: the folder holds no records.
    """
    folder = runs / "records"
    if not folder.is_dir():
        raise UserError(f"{runs} holds no records; give the --out folder of a run.")
    known = _known(runs / INDEX)
    noted: dict[str, list[Any]] = {}
    found: list[tuple[str, Row]] = []
    place = os.fspath(folder)  # paths as text: ten thousand as objects cost as much as all else here
    for name in sorted(os.listdir(place)):
        stamp = _stamp(f"{place}/{name}")
        if stamp is None:
            continue
        old = known.get(name)
        row = old[1] if old is not None and old[0] == stamp else read(Record(folder / name))
        if row is not None:
            noted[name] = [stamp, row]
        found.append((name, unread if row is None else row))
    if noted != known:
        with contextlib.suppress(OSError):  # a folder that can only be read
            write_whole(runs / INDEX, json.dumps({"gradlab": __version__, "rows": noted}).encode())
    return found


def _known(path: Path) -> dict[str, list[Any]]:
    """Return what this version has noted; nothing where the file is gone, damaged or of another version."""
    try:
        found = json.loads(path.read_bytes())
        rows = found["rows"] if found["gradlab"] == __version__ else {}
        return {name: [stamp, dict(row)] for name, (stamp, row) in rows.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _stamp(place: str) -> list[int] | None:
    """Return what changes whenever a record is written anew; None where there is no record."""
    try:
        facts = [os.stat(f"{place}/{name}") for name in (MANIFEST, "spec.json")]
    except OSError:
        return [0] if os.path.isfile(f"{place}/{MANIFEST}") else None
    return [number for one in facts for number in (one.st_mtime_ns, one.st_size, one.st_ino)]
