"""What data sets there are, whether they are whole, and how to get them (no torch)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gradlab.data import _hub
from gradlab.data._embedded import NOISES
from gradlab.data._facts import checksum, digest, text_digest
from gradlab.data._places import cache_root, not_on_the_hub, present
from gradlab.data.contents import Arrays, DataInfo, Texts
from gradlab.data.derivation import parse
from gradlab.data.reading import fresh, read
from gradlab.data.registry import DATASETS, ROLES, Entry, normalise
from gradlab.types import UserError, did_you_mean


@dataclass(frozen=True)
class Listing:
    """One line of the list: a named data set and where it is."""

    name: str
    summary: str
    classes: int
    shape: tuple[int, ...]
    where: str
    here: bool


@dataclass(frozen=True)
class CheckRow:
    """One fact that was checked; `ok` is None where it is worth knowing but no fault."""

    what: str
    expected: str
    found: str
    ok: bool | None


def list_datasets(
    data_dir: str | Path | None = None, *, cache_dir: str | Path | None = None
) -> list[Listing]:
    """List the registered data sets, where each was found, or the command that brings it."""
    cache = cache_root(cache_dir)
    return [_listing(name, entry, data_dir, cache) for name, entry in DATASETS.items()]


def _listing(name: str, entry: Entry, data_dir: str | Path | None, cache: Path | None) -> Listing:
    if entry.folder is None:
        where, here = "generated" if name in NOISES else "embedded", True
    else:
        place = present(name, entry, data_dir, cache)
        remedy = f"gradlab data get {name}" if entry.hub else f"needs a folder '{entry.folder}' in --data-dir"
        where, here = str(place or remedy), place is not None
    return Listing(name, entry.summary, len(entry.class_names), entry.shape, where, here)


def get(name: str, *, cache_dir: str | Path | None = None) -> Path:
    """Download a registered data set from the Hugging Face Hub into the cache; returns its folder.

    Nothing is downloaded where it lies in the cache already.

    Raises:
        UserError: unknown name, nothing to download, no `huggingface_hub`, no network.
    """
    cache, key = cache_root(cache_dir), normalise(parse(name)[0])
    entry = DATASETS.get(key)
    if entry is None:
        raise UserError(f"No data set is called '{name}'; {did_you_mean(key, list(DATASETS))}")
    if entry.folder is None:
        raise UserError(f"'{key}' needs no download; use it as it is.")
    if entry.hub is None:
        raise not_on_the_hub(key, entry)
    if cache and _hub.folder(cache, entry).is_dir():
        return _hub.folder(cache, entry)
    return _hub.download(key, entry, cache)


def check(
    name_or_path: str | Path,
    data_dir: str | Path | None = None,
    *,
    cache_dir: str | Path | None = None,
) -> list[CheckRow]:
    """Decode a data set again from its files and compare it with what is published and with the cache.

    Returns: rows for the counts, the image shape, the classes in each part, exact copies across parts, the notes, and
        the checksum of the cached arrays against that of the files.
    """
    cache = cache_root(cache_dir)
    whole = fresh(name_or_path, data_dir, cache)
    entry = DATASETS.get(whole.info.name)
    rows = [*_counts(whole.info, entry), *_classes(whole)]
    if whole.info.input_shape:
        shape = "×".join(map(str, whole.info.input_shape))
        rows.append(CheckRow("image shape", "×".join(map(str, entry.shape)) if entry else shape, shape, True))
    rows += [CheckRow("note", "", note, None) for note in whole.info.notes]
    cached = read(name_or_path, data_dir, cache_dir=cache_dir)
    found = checksum(_digests(cached), cached.info.class_names)
    same = found == whole.info.checksum == cached.info.checksum
    what = "checksum of the cached arrays" if whole.info.holds == "images" else "checksum of the sentences"
    return [*rows, CheckRow(what, whole.info.checksum, found, same)]


def _digests(data: Arrays | Texts) -> dict[str, str]:
    if isinstance(data, Texts):
        return {role: text_digest(part.texts, part.labels) for role, part in data.parts.items()}
    return {role: digest(part.images, part.labels) for role, part in data.parts.items()}


def _counts(facts: DataInfo, entry: Entry | None) -> list[CheckRow]:
    """Compare the number of rows; where nothing was published as validation, it is taken from train."""
    counts, things = dict(facts.counts), "images" if facts.holds == "images" else "sentences"
    if entry is None:
        return [CheckRow(f"{role} {things}", f"{n:,}", f"{n:,}", True) for role, n in counts.items()]
    if "validation" not in entry.counts:
        counts["train"] = counts.get("train", 0) + counts.pop("validation", 0)
    rows = []
    for role in ROLES:
        if expected := entry.counts.get(role):
            found = counts.get(role, 0)
            ok = found == expected if found else None
            rows.append(
                CheckRow(f"{role} {things}", f"{expected:,}", f"{found:,}" if found else "not here", ok)
            )
    return rows


def _classes(data: Arrays | Texts) -> list[CheckRow]:
    rows = []
    total, things = data.info.num_classes, "images" if data.info.holds == "images" else "sentences"
    for role, part in data.parts.items():
        counts = np.bincount(part.labels, minlength=total)
        found = f"{np.count_nonzero(counts)} ({counts.min():,} to {counts.max():,} {things} each)"
        rows.append(CheckRow(f"classes in {role}", str(total), found, bool(counts.min() > 0)))
    return rows
