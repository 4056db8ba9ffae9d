"""The small form of a result: the columns that its evaluation read, each once, and nothing else of the runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from gradlab._arrow import pa, pq
from gradlab.lab.records.columns import Columns, column_digest, pack, unpack
from gradlab.lab.records.record import Run, as_json, read_json
from gradlab.types import UserError

RUNS, COLUMNS = "runs.json", "columns.parquet"
SMALL_FILES = (RUNS, COLUMNS)
LARGEST = 512 * 2**20
"""Most bytes that the columns of a small form may unpack to."""


class SmallRun:
    """A run in small form."""

    def __init__(self, listed: Mapping[str, Any], columns: Mapping[str, np.ndarray]) -> None:
        self.hash: str = listed["record"]
        self.manifest: dict[str, Any] = listed["manifest"]
        self.spec: dict[str, Any] = listed["spec"]
        self.facts: dict[str, Any] = listed["facts"]
        self.made: dict[str, Any] = listed["made"]
        self._columns = columns

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the manifest, as the record's."""
        return hashlib.sha256(as_json(self.manifest)).hexdigest()

    def table(self, name: str) -> Columns:
        """Return a table; of its columns those are there that the evaluation read."""
        return _SmallTable(name, self.manifest["tables"].get(name, {}).get("columns", {}), self._columns)

    def damaged(self) -> list[str]:
        """Name what does not fit the manifest."""
        files = self.manifest["files"]
        texts = {"spec.json": self.spec, "facts.json": self.facts, "made.json": self.made}
        return [
            name
            for name, text in texts.items()
            if files.get(name) != hashlib.sha256(as_json(text)).hexdigest()
        ]


class _SmallTable(Mapping[str, np.ndarray]):
    def __init__(self, name: str, digests: Mapping[str, str], columns: Mapping[str, np.ndarray]) -> None:
        self.name, self.digests, self.columns = name, digests, columns

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.digests:
            raise KeyError(name)
        if self.digests[name] not in self.columns:
            raise UserError(
                f"the small form does not hold column {name} of table {self.name}, which is asked for."
            )
        return self.columns[self.digests[name]]

    def __contains__(self, name: object) -> bool:
        return self.digests.get(str(name)) in self.columns

    def __iter__(self) -> Iterator[str]:
        return (name for name in self.digests if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Traced:
    """A run whose tables note which of their columns are read."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.hash, self.digest, self.manifest = run.hash, run.digest, run.manifest
        self.spec, self.facts, self.made = run.spec, run.facts, run.made
        self.read: set[tuple[str, str]] = set()

    def table(self, name: str) -> Columns:
        """Return a table that notes its readers."""
        return _TracedTable(self, name, self.run.table(name))


class _TracedTable(Mapping[str, np.ndarray]):
    def __init__(self, owner: Traced, name: str, table: Columns) -> None:
        self.owner, self.name, self.table = owner, name, table

    def __getitem__(self, column: str) -> np.ndarray:
        values = self.table[column]
        self.owner.read.add((self.name, column))
        return values

    def __contains__(self, name: object) -> bool:
        return name in self.table

    def __iter__(self) -> Iterator[str]:
        return iter(self.table)

    def __len__(self) -> int:
        return len(self.table)


def write_small(
    folder: Path, runs: Iterable[Traced], summaries: Mapping[str, Mapping[str, Any]] | None = None
) -> None:
    """Write what was read of these runs: every distinct column once, compressed together.

    Args:
        summaries: arm -> measure -> what its interval needs, of arms whose samples were not read.
    """
    listed, kept = [], {}
    for run in runs:
        manifest = run.manifest
        listed.append(
            {"record": run.hash, "manifest": manifest, "spec": run.spec, "facts": run.facts, "made": run.made}
        )
        for table, column in sorted(run.read):
            digest = manifest["tables"][table]["columns"][column]
            if digest not in kept:
                kept[digest] = pack(np.asarray(run.run.table(table)[column]))
    order = sorted(kept, key=lambda digest: (kept[digest][0], len(kept[digest][1])))
    columns = {
        "digest": pa.array(order, pa.string()),
        "kind": pa.array([kept[one][0] for one in order], pa.string()),
        "bytes": pa.array([kept[one][1] for one in order], pa.large_binary()),
    }
    pq.write_table(
        pa.table(columns),
        folder / COLUMNS,
        compression="zstd",
        compression_level=19,
        use_dictionary=False,
        data_page_size=2**28,
        write_statistics=False,
    )
    own = {"summaries": summaries} if summaries else {}
    text = json.dumps(
        {"format": 2, "runs": listed, **own}, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    (folder / RUNS).write_bytes(f"{text}\n".encode())


def read_summaries(folder: Path) -> dict[str, dict[str, Any]] | None:
    """Return the summaries of arms whose samples a small form does not hold; None where it holds all.

    Raises:
        UserError: the list of runs is damaged or missing.
    """
    return read_json(folder / RUNS).get("summaries")


def read_small(folder: Path) -> dict[str, SmallRun]:
    """Read what `write_small` wrote.

    Raises:
        UserError: a file is damaged or missing, or a column is not what its digest says.
    """
    path = folder / COLUMNS
    try:
        runs = read_json(folder / RUNS)["runs"]
        columns = _columns(path)
        return {run["record"]: SmallRun(run, columns) for run in runs}
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError, json.JSONDecodeError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"the small form in {folder} is damaged; restore it from where it came.") from error


def _columns(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise UserError(f"{path} is missing; restore the small form from where it came.")
    groups = pq.ParquetFile(path).metadata
    size = sum(groups.row_group(number).total_byte_size for number in range(groups.num_row_groups))
    if size > LARGEST:
        raise UserError(f"{path} would unpack to {size / 2**20:,.0f} MB, more than a small form holds.")
    table = pq.read_table(path, use_threads=False, memory_map=False).to_pydict()
    found = {}
    for name, kind, content in zip(table["digest"], table["kind"], table["bytes"], strict=True):
        values = unpack(kind, content)
        if column_digest(values) != name:
            raise UserError(f"a column in {path} is not what was written; restore it from where it came.")
        found[name] = values
    return found
