"""Parquet tables with a column of encoded images or of sentences and one of labels, read with pyarrow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gradlab.data._columns import Columns, pa
from gradlab.data._facts import Labels
from gradlab.data._labels import LABEL_COLUMNS, check_class_names, check_labels, names_from, numbers_of, plain
from gradlab.data._limits import PICTURE_BYTES, gibibytes, shown
from gradlab.data._sentences import TEXT_COLUMNS, check_texts, parts_of_texts
from gradlab.data._sources import Encoded, Raw, RawTexts
from gradlab.data.registry import Entry, Role
from gradlab.types import UserError

IMAGE_COLUMNS = ("image", "img")


def read(files: dict[Role, list[Path]], root: Path, entry: Entry | None) -> Raw | RawTexts:
    """Read labels and encoded images, or sentences, of all parts; no other column is touched.

    Class names come from the registry, else from the file's own features, else from the labels.
    """
    opened = {role: [Columns(file) for file in paths] for role, paths in files.items()}
    first = next(iter(opened.values()))[0]
    content, holds_text = _content_column(first, entry, root)
    label = _label_column(first, entry, root)
    tables = {role: _joined(ones, [content, label], root) for role, ones in opened.items()}
    names = _class_names(first, next(iter(tables.values())), label, entry, root)
    where = {role: str(paths[0]) for role, paths in files.items()}
    if holds_text:
        texts = {role: _texts(table.column(content), where[role]) for role, table in tables.items()}
        labels = {
            r: _labels(t.column(label), label, names, where[r], unlabelled=True) for r, t in tables.items()
        }
        return parts_of_texts(texts, labels, names)
    return Raw({r: _encoded(t, content, label, names, where[r]) for r, t in tables.items()}, names)


def _joined(ones: Sequence[Columns], columns: list[str], root: Path) -> Any:
    for one in ones:
        if missing := [name for name in columns if name not in one.names]:
            raise UserError(f"{shown(root)} lacks the column '{missing[0]}' in one of its parts; add it.")
    try:
        return pa.concat_tables([one.read(columns) for one in ones])
    except pa.ArrowException as error:
        raise UserError(
            f"The files of {shown(root)} have columns of different types; write them alike."
        ) from error


def _content_column(first: Columns, entry: Entry | None, root: Path) -> tuple[str, bool]:
    """Name of the column of images or sentences, and whether it holds sentences."""
    pictures = [*IMAGE_COLUMNS, *(c for c in first.names if first.feature(c).get("_type") == "Image")]
    for column in pictures:
        if column in first.names and not (entry and entry.holds == "text"):
            return column, False
    for column in TEXT_COLUMNS:
        if column in first.names and not (entry and entry.holds == "images"):
            return column, True
    raise UserError(
        f"{shown(root)} has no column 'image' or 'img' with encoded images and no column 'text' with sentences, only "
        f"{_listed(first.names)}; rename it."
    )


def _label_column(first: Columns, entry: Entry | None, root: Path) -> str:
    typed = (c for c in first.names if first.feature(c).get("_type") == "ClassLabel")
    for column in (entry.label,) if entry and entry.label else (*LABEL_COLUMNS, *typed):
        if column in first.names:
            return column
    wanted = entry.label if entry and entry.label else "label"
    raise UserError(f"{shown(root)} has no column '{wanted}', only {_listed(first.names)}; rename one.")


def _listed(names: Sequence[str]) -> str:
    return shown(", ".join(names[:20])) + ("…" if len(names) > 20 else "")


def _class_names(first: Columns, table: Any, label: str, entry: Entry | None, root: Path) -> tuple[str, ...]:
    given = first.feature(label).get("names")
    names = tuple(map(str, given)) if isinstance(given, list) and given else None
    if entry:
        if names and plain(names) not in (plain(entry.class_names), plain(entry.ids)):
            raise UserError(
                f"{root} has the classes {', '.join(names[:5])}…, expected {', '.join(entry.class_names[:5])}…; "
                "load it by its path to use it as data of its own."
            )
        return entry.class_names
    if names is None:
        column = _plain_column(table.column(label), label, root)
        names = names_from(column.drop_null().unique().to_pylist() or [0], root)
    check_class_names(names, root)
    return names


def _plain_column(column: Any, name: str, where: object) -> Any:
    """A column of whole numbers or texts; refuses every other type."""
    kind = column.type
    readable = (pa.types.is_integer, pa.types.is_string, pa.types.is_large_string, pa.types.is_null)
    if not any(question(kind) for question in readable):
        raise UserError(
            f"The column '{name}' of {shown(where)} must hold whole numbers or texts, not {str(kind)[:60]}; convert it."
        )
    try:
        column.validate(full=True)
    except pa.ArrowException as error:
        raise UserError(
            f"The column '{name}' of {shown(where)} holds texts that are no UTF-8; write them again."
        ) from error
    return column


def _labels(
    column: Any, name: str, names: tuple[str, ...], where: str, *, unlabelled: bool = False
) -> Labels | None:
    """Class numbers; None where `unlabelled` parts are allowed and every number is -1, as the Hub writes them."""
    column = _plain_column(column, name, where)
    if column.null_count:
        raise UserError(
            f"{shown(where)} has {column.null_count} rows without a '{name}'; remove or label them."
        )
    if not pa.types.is_integer(column.type):
        return numbers_of(column.to_pylist(), names, where)
    try:
        labels: Labels = column.cast(pa.int64()).to_numpy().copy()
    except pa.ArrowException as error:
        raise UserError(
            f"The column '{name}' of {shown(where)} has numbers beyond 64 bits; renumber them."
        ) from error
    if unlabelled and len(labels) and (labels == -1).all():
        return None
    check_labels(labels, names, f"the column '{name}' of {where}")
    return labels


def _texts(column: Any, where: str) -> tuple[str, ...]:
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        raise UserError(
            f"The sentences of {shown(where)} must be texts, not {str(column.type)[:60]}; convert them."
        )
    try:
        return check_texts(column.to_pylist(), where)
    except UnicodeDecodeError as error:
        raise UserError(f"{shown(where)} holds sentences that are no UTF-8; write them again.") from error


def _encoded(table: Any, image: str, label: str, names: tuple[str, ...], where: str) -> Encoded:
    encoded = list(_image_bytes(table.column(image), image, where))
    labels = _labels(table.column(label), label, names, where)
    rows = [f"in row {i} of {where}" for i in range(len(encoded))]
    return Encoded(encoded.__getitem__, rows, np.empty(0, np.int64) if labels is None else labels)


def _image_bytes(column: Any, name: str, where: str) -> Iterator[bytes]:
    row = 0
    for chunk in column.chunks:
        if pa.types.is_struct(chunk.type) and chunk.type.get_field_index("bytes") >= 0:
            values = chunk.field("bytes")
        else:
            values = chunk
        if not (pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type)):
            raise UserError(
                f"The column '{name}' of {shown(where)} holds {str(chunk.type)[:60]}, expected encoded images; write PNG."
            )
        for value in values.to_pylist():
            if value is None:
                raise UserError(f"Row {row} of {where} has no image bytes; a path alone cannot be followed.")
            if len(value) > PICTURE_BYTES:
                raise UserError(
                    f"The image in row {row} of {where} has {gibibytes(len(value))}, and at most "
                    f"{gibibytes(PICTURE_BYTES)} are read; make it smaller."
                )
            row += 1
            yield value
