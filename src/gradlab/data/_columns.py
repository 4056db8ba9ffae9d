"""Chosen columns of a Parquet file, with a limit on what they unpack to."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from gradlab.data._limits import TABLE_BYTES, UNPACKED_FLOOR, UNPACKED_RATIO, gibibytes, shown
from gradlab.types import UserError

pa: Any = import_module("pyarrow")  # untyped
pc: Any = import_module("pyarrow.compute")
pq: Any = import_module("pyarrow.parquet")
_BATCH_BYTES = 2**28
_MOST_ROWS = 4096


class Columns:
    """A Parquet file that is opened: its schema is known, none of its columns is read yet.

    Attributes:
        file: its path. schema: Arrow's. features: the Hub's own description of the columns, by name.
    """

    def __init__(self, file: Path) -> None:
        """Open `file` and read its metadata.

        Raises:
            UserError: it is no readable Parquet file.
        """
        self.file = file
        self._parquet = _readable(file, lambda: pq.ParquetFile(file))
        self.schema = _readable(file, lambda: self._parquet.schema_arrow)
        self.features = _features(self.schema, file)

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return list(self.schema.names)

    def feature(self, column: str) -> dict[str, Any]:
        """What the Hub says about a column; empty where it says nothing."""
        found = self.features.get(column, {})
        return found if isinstance(found, dict) else {}

    def read(self, columns: Sequence[str]) -> Any:
        """Return these columns as a table.

        Raises:
            UserError: damaged, or they unpack to more than the limit.
        """
        for column in columns:
            if self.names.count(column) > 1:
                raise UserError(f"{shown(self.file)} has several columns '{column}'; rename all but one.")
        most = min(TABLE_BYTES, UNPACKED_FLOOR + UNPACKED_RATIO * self.file.stat().st_size)
        return _readable(self.file, lambda: self._read(list(columns), most))

    def _read(self, columns: list[str], most: int) -> Any:
        largest = self._largest_chunk(columns, most)
        rows = max(1, min(_MOST_ROWS, _BATCH_BYTES // max(1, largest)))
        batches, total = [], 0
        for batch in self._parquet.iter_batches(batch_size=rows, columns=columns):
            total += sum(map(_bytes_of, batch.columns))
            if total > most:
                raise self._too_large(columns, most)
            batches.append(pa.table([_plain(column) for column in batch.columns], batch.schema.names))
        if not batches:
            kept = [_plain(pa.nulls(0, self.schema.field(name).type)) for name in columns]
            batches.append(pa.table(kept, columns))
        return pa.concat_tables(batches).select(columns)

    def _largest_chunk(self, columns: list[str], most: int) -> int:
        """Bytes of the largest column chunk whose values may repeat: no value of it is larger."""
        metadata = self._parquet.metadata
        total = largest = 0
        for group in range(metadata.num_row_groups):
            for number in range(metadata.num_columns):
                chunk = metadata.row_group(group).column(number)
                if chunk.path_in_schema.split(".")[0] in columns:
                    total += chunk.total_uncompressed_size
                    if not {"PLAIN", "RLE", "BIT_PACKED"}.issuperset(chunk.encodings):
                        largest = max(largest, chunk.total_uncompressed_size)
        if total > most:
            raise self._too_large(columns, most)
        return largest

    def _too_large(self, columns: list[str], most: int) -> UserError:
        return UserError(
            f"{shown(self.file)} ({gibibytes(self.file.stat().st_size)}) unpacks to more than {gibibytes(most)} in its "
            f"columns {', '.join(columns)}; make it smaller or divide it."
        )


def _bytes_of(column: Any) -> int:
    """Bytes that a column takes, categories replaced by their values."""
    if not pa.types.is_dictionary(column.type):
        return int(column.nbytes)
    values = column.dictionary
    if pa.types.is_primitive(values.type):
        return 8 * len(column)
    lengths = pc.binary_length(values).take(column.indices)
    return int(pc.sum(lengths).as_py() or 0) + 8 * len(column)


def _plain(column: Any) -> Any:
    """A column with categories replaced by their values."""
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _readable(file: Path, work: Callable[[], Any]) -> Any:
    try:
        return work()
    except UserError:
        raise
    except (pa.ArrowException, OSError, UnicodeError, RecursionError, MemoryError) as error:
        reason = (str(error) or type(error).__name__).split("\n")[0][:120].rstrip(".")
        raise UserError(f"{shown(file)} is no readable Parquet file ({reason}); get it again.") from error


def _features(schema: Any, file: Path) -> dict[str, Any]:
    text = (schema.metadata or {}).get(b"huggingface", b"{}")
    try:
        features = json.loads(text).get("info", {}).get("features", {})
    except RecursionError as error:
        raise UserError(
            f"The metadata of {shown(file)} are nested too deep; write the file again without them."
        ) from error
    except (ValueError, AttributeError):
        return {}
    return features if isinstance(features, dict) else {}
