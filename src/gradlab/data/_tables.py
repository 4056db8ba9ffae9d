"""Tables with a column of encoded images and one of labels, read with pyarrow."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from gradlab.data._sources import Encoded, Raw, check_labels
from gradlab.data.registry import Entry, Role
from gradlab.types import UserError

IMAGE_COLUMNS = ("image", "img")
LABEL_COLUMNS = ("label", "labels", "fine_label", "class", "target")
pa: Any = import_module("pyarrow")  # untyped
pq: Any = import_module("pyarrow.parquet")


def read(files: dict[Role, list[Path]], root: Path, entry: Entry | None) -> Raw:
    """Read labels and encoded images of all parts.

    Class names come from the registry, else from the file's own features, else from the labels.
    """
    tables = {role: pa.concat_tables([_read(f) for f in paths]) for role, paths in files.items()}
    first = next(iter(tables.values()))
    image, label = _image_column(first, root), _label_column(first, entry, root)
    for table in tables.values():
        if missing := {image, label} - set(table.column_names):
            raise UserError(f"{root} lacks the column '{missing.pop()}' in one of its parts; add it.")
    names = _class_names(first, label, root)
    if entry and "names" in _feature(first, label):
        _same_names(names, entry.class_names, root)
    names = entry.class_names if entry else names
    parts = {role: _encoded(t, image, label, names, files[role]) for role, t in tables.items()}
    return Raw(parts, names)


def _read(file: Path) -> Any:
    try:
        return pq.read_table(file, partitioning=None)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).split("\n")[0][:120].rstrip(".")
        raise UserError(f"{file} is no readable Parquet file ({reason}); get it again.") from error


def _features(table: Any) -> dict[str, Any]:
    """The Hub's own description of the columns, which `datasets` writes into the schema."""
    text = (table.schema.metadata or {}).get(b"huggingface", b"{}")
    try:
        features = json.loads(text).get("info", {}).get("features", {})
    except (ValueError, AttributeError):
        return {}
    return features if isinstance(features, dict) else {}


def _feature(table: Any, column: str) -> dict[str, Any]:
    feature = _features(table).get(column, {})
    return feature if isinstance(feature, dict) else {}


def _image_column(table: Any, root: Path) -> str:
    typed = (c for c in table.column_names if _feature(table, c).get("_type") == "Image")
    for column in (*IMAGE_COLUMNS, *typed):
        if column in table.column_names:
            return str(column)
    raise UserError(
        f"{root} has no column 'image' or 'img' with encoded images, only {', '.join(table.column_names)}; rename it."
    )


def _label_column(table: Any, entry: Entry | None, root: Path) -> str:
    typed = (c for c in table.column_names if _feature(table, c).get("_type") == "ClassLabel")
    for column in (entry.label,) if entry and entry.label else (*LABEL_COLUMNS, *typed):
        if column in table.column_names:
            return str(column)
    wanted = entry.label if entry and entry.label else "label"
    raise UserError(f"{root} has no column '{wanted}', only {', '.join(table.column_names)}; rename one.")


def _class_names(table: Any, label: str, root: Path) -> tuple[str, ...]:
    names = _feature(table, label).get("names")
    if isinstance(names, list):
        return tuple(map(str, names))
    values = table.column(label).drop_null().unique().to_pylist()
    if all(isinstance(value, str) for value in values):
        return tuple(sorted(values))
    if not all(isinstance(value, int) for value in values):
        raise UserError(f"The column '{label}' of {root} must hold whole numbers or texts; convert it.")
    if sorted(values) != list(range(len(values))):
        raise UserError(
            f"Labels must be whole numbers from 0 to K - 1, one per class, but {root} has {len(values)} different "
            f"ones from {min(values)} to {max(values)}; renumber them."
        )
    return tuple(map(str, sorted(values)))


def _same_names(found: tuple[str, ...], expected: tuple[str, ...], root: Path) -> None:
    """Refuse files whose labels mean something else than the registered ones; spelling may differ."""

    def plain(names: tuple[str, ...]) -> list[str]:
        return [re.sub(r"[^a-z0-9]", "", name.lower()) for name in names]

    if plain(found) != plain(expected):
        raise UserError(
            f"{root} has the classes {', '.join(found[:5])}…, expected {', '.join(expected[:5])}…; "
            "load it by its path to use it as data of its own."
        )


def _encoded(table: Any, image: str, label: str, names: tuple[str, ...], files: list[Path]) -> Encoded:
    where = str(files[0])
    encoded = list(_image_bytes(table.column(image), image, where))
    column = table.column(label)
    if column.null_count:
        raise UserError(f"{where} has {column.null_count} rows without a '{label}'; remove or label them.")
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        index = {name: i for i, name in enumerate(names)}
        labels = np.array([index.get(value, -1) for value in column.to_pylist()], dtype=np.int64)
    else:
        labels = column.cast(pa.int64()).to_numpy().copy()
    check_labels(labels, names, f"the column '{label}' of {where}")
    return Encoded(encoded.__getitem__, [f"in row {i} of {where}" for i in range(len(encoded))], labels)


def _image_bytes(column: Any, name: str, where: str) -> Iterator[bytes]:
    row = 0
    for chunk in column.chunks:
        if pa.types.is_struct(chunk.type) and chunk.type.get_field_index("bytes") >= 0:
            values = chunk.field("bytes")
        elif pa.types.is_binary(chunk.type) or pa.types.is_large_binary(chunk.type):
            values = chunk
        else:
            raise UserError(
                f"The column '{name}' of {where} holds {chunk.type}, expected encoded images; write PNG."
            )
        for value in values.to_pylist():
            if value is None:
                raise UserError(f"Row {row} of {where} has no image bytes; a path alone cannot be followed.")
            row += 1
            yield value
