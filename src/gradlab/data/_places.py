"""Where data are looked for: the data directory, the local cache, the Hugging Face Hub, in this order."""

from __future__ import annotations

import errno
import os
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

from gradlab.data import _csv, _folders, _hub, _parquet
from gradlab.data._folders import ClassFolders
from gradlab.data._limits import check_file, shown
from gradlab.data._parquet import ParquetFiles
from gradlab.data._sources import Source
from gradlab.data.derivation import Derivation, parse
from gradlab.data.registry import DATASETS, Entry, Role, normalise
from gradlab.types import UserError, did_you_mean


@dataclass(frozen=True)
class Found:
    """A data set's name, its registry entry if it has one, its files (None: embedded or generated), what is made of it."""

    name: str
    entry: Entry | None
    source: Source | None
    derivation: Derivation = field(default_factory=Derivation)


def cache_root(cache_dir: str | Path | None = None) -> Path | None:
    """The cache folder: the argument, GRADLAB_CACHE, or the platform's; None where there is no home."""
    given = cache_dir or os.environ.get("GRADLAB_CACHE")
    if given:
        return Path(given).expanduser()
    try:
        home = Path.home()
    except RuntimeError:
        return None
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "gradlab"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", home)) / "gradlab"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "gradlab"


def data_root(data_dir: str | Path | None = None) -> Path | None:
    """The data directory: the argument or GRADLAB_DATA; None where neither is given."""
    given = data_dir or os.environ.get("GRADLAB_DATA")
    if not given:
        return None
    root = Path(given).expanduser()
    if not root.is_dir():
        origin = "data_dir" if data_dir else "GRADLAB_DATA"
        raise UserError(f"{origin} must name an existing folder, got {root}; create it or name another.")
    return root


def locate(name_or_path: str | Path, data_dir: str | Path | None, cache: Path | None) -> Found:
    """Find a data set by name or path; downloads a registered one that is nowhere here.

    What is called exactly so is taken as it is; only then are steps such as `@32` read off the name.

    Raises:
        UserError: nothing of this name or at this path.
    """
    text = str(name_or_path)
    if not text.strip():
        raise UserError("an empty name names no data; give a name that gradlab data list shows, or a path.")
    is_path = isinstance(name_or_path, Path)
    try:
        if not set(text) & set("[]#@:") or _exists(text, data_dir, cache):
            return _locate(text, data_dir, cache, is_path=is_path)
        base, derivation = parse(text)
        return replace(_locate(base, data_dir, cache, is_path=is_path), derivation=derivation)
    except PermissionError as error:
        raise UserError(
            f"{shown(error.filename)} may not be read; change its permissions or name another."
        ) from error
    except OSError as error:
        raise UserError(f"{shown(text)[:200]} cannot be read ({error.strerror}); name another.") from error


def _exists(text: str, data_dir: str | Path | None, cache: Path | None) -> bool:
    try:
        if _looks_like_path(text) or Path(text).exists():
            return Path(text).expanduser().exists()
    except OSError as error:  # a long list of classes is no name of a file
        if error.errno != errno.ENAMETOOLONG:
            raise
        return False
    return present(normalise(text), None, data_dir, cache) is not None


def _locate(text: str, data_dir: str | Path | None, cache: Path | None, *, is_path: bool) -> Found:
    if is_path or _looks_like_path(text):
        return _at(Path(text).expanduser())
    name = normalise(text)
    entry = DATASETS.get(name)
    if entry and entry.folder is None:
        return Found(name, entry, None)
    if place := present(name, entry, data_dir, cache):
        return Found(name, entry, _source(place, entry))
    if entry and entry.hub is None:
        raise not_on_the_hub(name, entry)
    if entry:
        return Found(name, entry, _source(_hub.download(name, entry, cache), entry))
    if Path(text).exists():
        return _at(Path(text))
    hint = did_you_mean(name, list(DATASETS)).rstrip("?")
    hint = hint if hint.startswith("did you mean") else "choose one that `gradlab data list` shows"
    raise UserError(
        f"No data set is called '{shown(text)}'; {hint}, or pass the path of a folder of class folders or of a Parquet file."
    )


def present(name: str, entry: Entry | None, data_dir: str | Path | None, cache: Path | None) -> Path | None:
    """The folder of a data set on this machine, if there is one."""
    if root := data_root(data_dir):
        wanted = {name, normalise(entry.folder or name)} if entry else {name}
        for folder in (*sorted(root.iterdir()), root):
            if normalise(folder.name) in wanted and folder.is_dir():
                return folder
    if cache and entry and entry.hub and _hub.folder(cache, entry).is_dir():
        return _hub.folder(cache, entry)
    return None


def _looks_like_path(text: str) -> bool:
    return "/" in text or os.sep in text or text.startswith((".", "~")) or text.endswith((".parquet", ".csv"))


def _at(path: Path) -> Found:
    if not path.exists():
        raise UserError(f"There is no folder or Parquet file {shown(path)}; check the path.")
    if not path.is_dir():
        check_file(path)
        if path.suffix not in (".parquet", ".csv"):
            raise UserError(
                f"{shown(path)} is no Parquet file; pass a .parquet file or a folder of class folders, or a .csv file of "
                "sentences."
            )
    resolved = path.resolve()
    name = resolved.name if path.is_dir() else resolved.stem
    if not name.isprintable():
        raise UserError(f"The name of {shown(path)!r} cannot be shown; rename it.")
    return Found(name, None, _source(path))


def not_on_the_hub(name: str, entry: Entry) -> UserError:
    """Say where data belong that cannot be downloaded."""
    return UserError(
        f"Data '{name}' is not on this machine, and the Hub does not have it in this form; put its Parquet files into a "
        f"folder '{entry.folder}' under --data-dir or GRADLAB_DATA."
    )


def _source(path: Path, entry: Entry | None = None) -> Source:
    if path.suffix == ".csv" and not path.is_dir():
        found: Source | None = _csv.scan(path)
    else:
        found = _parquet.scan(path) or _folders.scan(path) or _csv.scan(path)
    if found is None:
        raise UserError(
            f"{shown(path)} holds no images; expected one folder per class with image files, or Parquet files such as "
            "train.parquet, or CSV files of sentences such as train.csv."
        )
    for files in found.files.values():
        for file in files:
            check_file(file)
    return _with_test(found, entry.tested_on) if entry and entry.tested_on else found


def _with_test(source: Source, part: Role) -> Source:
    """Take the published part that stands for test as such."""
    files = dict(source.files)
    if "test" in files or part not in files or not isinstance(source, ParquetFiles | ClassFolders):
        return source
    files["test"] = files.pop(part)
    return replace(source, files=files)
