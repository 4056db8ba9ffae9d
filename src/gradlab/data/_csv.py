"""CSV files with the columns `text` and `label` as a source of sentences."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from gradlab.data._labels import LABEL_COLUMNS, check_class_names, check_labels, names_from, numbers_of
from gradlab.data._limits import TABLE_BYTES, check_file, shown
from gradlab.data._parquet import files_of_parts
from gradlab.data._sentences import TEXT_COLUMNS, check_texts, parts_of_texts
from gradlab.data._sources import RawTexts
from gradlab.data.registry import Entry, Role
from gradlab.types import UserError

_NUMBER = re.compile(r"(-?[0-9]{1,18})(\.0+)?")
"""A whole number, also as programs write it whose columns have gaps: 1.0."""
_MISSING = {"nan", "none", "null", "na", "n/a", "<na>", "nat"}
"""What programs write where a value is missing."""


@dataclass(frozen=True)
class CsvFiles:
    """One or several CSV files per part, in UTF-8, with a header and commas."""

    root: Path
    files: dict[Role, list[Path]]

    def read(self, entry: Entry | None) -> RawTexts:
        """Read sentences and labels of all parts; class names come from the registry, else from the labels."""
        texts: dict[Role, tuple[str, ...]] = {}
        labels: dict[Role, list[str]] = {}
        for role, files in self.files.items():
            rows = [row for file in files for row in _rows(file)]
            texts[role] = check_texts([text for text, _ in rows], files[0])
            labels[role] = [label for _, label in rows]
            _refuse_missing(labels[role], files[0])
        first = next(iter(labels.values()))
        numeric = all(_NUMBER.fullmatch(label) for part in labels.values() for label in part)
        values = sorted({_whole(label) for label in first}) if numeric else sorted(set(first))
        names = entry.class_names if entry else names_from(values, self.root) if values else ()
        check_class_names(names, self.root)
        numbers = {}
        for role, part in labels.items():
            where = self.files[role][0]
            as_texts = [str(_whole(label)) for label in part] if numeric and not entry else part
            numbers[role] = numbers_of(as_texts, names, where)
            check_labels(numbers[role], names, where)
        return parts_of_texts(texts, numbers, names)


def scan(root: Path) -> CsvFiles | None:
    """Find the CSV files of each part in `root` or its `data/`; None without any."""
    if root.is_file():
        return CsvFiles(root, {"train": [root]})
    for folder in (root, root / "data"):
        if folder.is_dir() and (parts := files_of_parts(folder, "csv")):
            return CsvFiles(root, parts)
    return None


def _whole(label: str) -> int:
    return int(label.partition(".")[0])


def _refuse_missing(labels: list[str], file: Path) -> None:
    """Refuse labels that say that there is none; beside words they may be the name of a class."""
    numbers = [_NUMBER.fullmatch(label) is not None for label in labels]
    gaps = [row for row, label in enumerate(labels) if label.lower() in _MISSING]
    if gaps and sum(numbers) == len(labels) - len(gaps):
        raise UserError(
            f"Row {gaps[0]} of {shown(file)} has the label '{labels[gaps[0]]}', which is a missing one; remove the row or "
            "label it."
        )


def _rows(file: Path) -> list[tuple[str, str]]:
    """(text, label) of each row."""
    check_file(file, TABLE_BYTES // 4)
    rows = []
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            header = [name.strip().lower() for name in next(reader, [])]
            text, label = _column(header, TEXT_COLUMNS, file), _column(header, LABEL_COLUMNS, file)
            for row in reader:
                if not row:
                    continue
                if len(row) != len(header):
                    raise UserError(
                        f"Line {reader.line_num} of {shown(file)} has {len(row)} fields, expected {len(header)}; put "
                        "texts with commas into double quotes."
                    )
                if not row[label].strip():
                    raise UserError(
                        f"Line {reader.line_num} of {shown(file)} has no label; remove or label it."
                    )
                rows.append((row[text], row[label].strip()))
    except UnicodeDecodeError as error:
        raise UserError(f"{shown(file)} is not UTF-8 text; save it as UTF-8.") from error
    except (csv.Error, OSError) as error:
        raise UserError(f"{shown(file)} is no readable CSV file ({error}); get it again.") from error
    return rows


def _column(header: list[str], wanted: tuple[str, ...], file: Path) -> int:
    for name in wanted:
        if header.count(name) == 1:
            return header.index(name)
    if not any(header):
        raise UserError(f"{shown(file)} is empty; its first line names the columns, such as text,label.")
    listed = shown(", ".join(header[:20]))[:200]
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        raise UserError(
            f"{shown(file)} has a single column {header[0][:100]!r} in its first line; separate columns by commas, "
            "with double quotes around texts that hold one."
        )
    raise UserError(
        f"{shown(file)} has no column '{wanted[0]}' in its first line, only {listed}; rename one."
    )
