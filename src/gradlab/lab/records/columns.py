"""Tables as columns: Parquet files, digests over values, and the bytes of the small form."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gradlab._arrow import pa, pq
from gradlab.types import UserError

Columns = Mapping[str, np.ndarray]
"""Name -> values, all of one length."""
DTYPES = ("uint8", "int16", "int32", "int64", "float16", "float32", "float64", "bool")


def column_digest(values: np.ndarray) -> str:
    """Return 16 hex digits over a column's values: whole numbers whatever their width, floats in theirs, texts."""
    kind, content = _canonical(values)
    return hashlib.sha256(f"{kind} {len(values)} ".encode() + content).hexdigest()[:16]


def _canonical(values: np.ndarray) -> tuple[str, bytes]:
    if values.dtype.kind in "iub":
        return "int", np.ascontiguousarray(values, dtype="<i8").tobytes()
    if values.dtype.kind == "f":
        width = f"<f{values.dtype.itemsize}"
        plain = np.where(np.isnan(values), np.array(np.nan, dtype=width), values)  # one NaN for all
        return width, np.ascontiguousarray(plain, dtype=width).tobytes()
    return "text", json.dumps([str(one) for one in values], ensure_ascii=False).encode()


def pack(values: np.ndarray) -> tuple[str, bytes]:
    """Return dtype and bytes of a column, whole numbers in the narrowest width that holds them."""
    if values.dtype.kind in "iub":
        low, high = (int(values.min()), int(values.max())) if len(values) else (0, 0)
        width = next(name for name in DTYPES if _holds(name, low, high))
        return width, np.ascontiguousarray(values, dtype=np.dtype(width).newbyteorder("<")).tobytes()
    kind, content = _canonical(values)
    return (kind, content) if kind == "text" else (f"float{8 * values.dtype.itemsize}", content)


def _holds(name: str, low: int, high: int) -> bool:
    if not name.startswith(("int", "uint")):
        return False
    limits = np.iinfo(name)
    return int(limits.min) <= low and high <= int(limits.max)


def unpack(kind: str, content: bytes) -> np.ndarray:
    """Return what `pack` was given.

    Raises:
        ValueError: not made by `pack`.
    """
    if kind == "text":
        return np.array(json.loads(content), dtype=str)
    if kind not in DTYPES:
        raise ValueError(f"no column is of type {kind:.20}")
    return np.frombuffer(content, dtype=np.dtype(kind).newbyteorder("<"))


def write_table(path: Path, columns: Columns) -> None:
    """Write a table to a Parquet file; the same values give the same bytes."""
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"columns of {path.stem} differ in length: {lengths}")
    pq.write_table(pa.table(dict(columns)), path, compression="zstd")


class StoredTable(Mapping[str, np.ndarray]):
    """A table in a Parquet file whose columns are read, and compared with the manifest, when they are asked for."""

    def __init__(self, path: Path, digests: Mapping[str, str]) -> None:
        self.path, self.digests = path, digests
        self._read: dict[str, np.ndarray] = {}

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._read:
            self.read((name,))
        return self._read[name]

    def read(self, names: Sequence[str]) -> None:
        """Read columns together, which takes a third of the time of one after the other."""
        for name in names:
            if name not in self.digests:
                raise KeyError(name)
        fresh = read_columns(self.path, [name for name in names if name not in self._read])
        for name, values in fresh.items():
            if column_digest(values) != self.digests[name]:
                raise UserError(f"column {name} of {self.path} is not what was written; {mend(self.path)}")
        self._read.update(fresh)

    def __contains__(self, name: object) -> bool:
        return name in self.digests

    def __iter__(self) -> Iterator[str]:
        return iter(self.digests)

    def __len__(self) -> int:
        return len(self.digests)


def read_together(table: Columns, names: Sequence[str]) -> list[np.ndarray]:
    """Return columns of a table; those of a file are read in one go."""
    if isinstance(table, StoredTable):
        table.read(names)
    return [table[name] for name in names]


def read_columns(path: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Read columns of a Parquet file.

    Raises:
        UserError: the file is damaged or not there.
    """
    try:
        if not path.is_file():
            raise OSError("no regular file")  # to open a pipe would wait for ever
        with pq.ParquetFile(path) as file:  # quicker than read_table for files of some kilobytes
            table = file.read(columns=list(names), use_threads=False)
        found = {name: _values(table.column(name)) for name in names}
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        state = "is damaged" if path.exists() else "is missing"
        raise UserError(f"{path} {state}; {mend(path)}") from error
    return {name: np.asarray(one, dtype=str) if one.dtype == object else one for name, one in found.items()}


def _values(column: Any) -> Any:
    """Return a column's values; plain numbers by way of their bytes, since pyarrow's own way imports pandas first."""
    is_plain = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
    if is_plain and not column.null_count and column.num_chunks == 1:
        return np.from_dlpack(column.chunk(0))
    return column.to_numpy(zero_copy_only=False)


def mend(path: Path) -> str:
    """Say what to do about a damaged file of a record."""
    return f"delete the folder {path.parent} and run the study again."
