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

_NUMBER = re.compile(r"-?[0-9]{1,18}")


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
        first = next(iter(labels.values()))
        numeric = all(_NUMBER.fullmatch(label) for part in labels.values() for label in part)
        values = sorted({int(label) for label in first}) if numeric else sorted(set(first))
        names = entry.class_names if entry else names_from(values, self.root) if values else ()
        check_class_names(names, self.root)
        numbers = {}
        for role, part in labels.items():
            where = self.files[role][0]
            as_texts = [str(int(label)) for label in part] if numeric and not entry else part
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
    listed = shown(", ".join(header[:20]))[:200]
    raise UserError(
        f"{shown(file)} has no column '{wanted[0]}' in its first line, only {listed}; rename one."
    )
