"""Data sets as NumPy arrays and their facts, without torch: what a spec is hashed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from gradlab.data import _cache
from gradlab.data._assemble import decoded, embedded
from gradlab.data._places import Found, cache_root, locate
from gradlab.data.contents import Arrays, DataInfo, Part
from gradlab.data.registry import ROLES, Role
from gradlab.types import UserError


def info(
    name_or_path: str | Path,
    data_dir: str | Path | None = None,
    *,
    size: tuple[int, int] | None = None,
    cache_dir: str | Path | None = None,
) -> DataInfo:
    """Return the facts about a data set, at once where it has been decoded before. Arguments as for `arrays`."""
    cache = cache_root(cache_dir)
    found = locate(name_or_path, data_dir, cache)
    if found.source:
        saved = _cache.facts(cache, _cache.content_key(found.source, _options(found, size), cache))
        if saved:
            return _info(found.name, saved)
    return _arrays(found, size, cache).info


def arrays(
    name_or_path: str | Path,
    data_dir: str | Path | None = None,
    *,
    size: tuple[int, int] | None = None,
    cache_dir: str | Path | None = None,
) -> Arrays:
    """Read a data set: decoded, divided into its parts, with its facts.

    Args:
        name_or_path: a registered name (`-` and `_` alike), the name of a folder in the data directory, or the path
            of a Parquet file or a folder.
        data_dir: folder of data sets; GRADLAB_DATA where not given.
        size: (H, W) that images of one's own are resized to; the most common size where not given.
        cache_dir: folder for decoded arrays; GRADLAB_CACHE or the platform's cache where not given.

    Raises:
        UserError: not found or not readable, in one sentence.
    """
    cache = cache_root(cache_dir)
    return _arrays(locate(name_or_path, data_dir, cache), size, cache)


def fresh(name_or_path: str | Path, data_dir: str | Path | None, cache: Path | None) -> Arrays:
    """Decode from the files, whatever the cache holds."""
    found = locate(name_or_path, data_dir, cache)
    return decoded(found, found.source, None) if found.source else embedded(found.name)


def _arrays(found: Found, size: tuple[int, int] | None, cache: Path | None) -> Arrays:
    if found.source is None:
        return embedded(found.name)
    key = _cache.content_key(found.source, _options(found, size), cache)
    if saved := _cache.read(cache, key):
        return _from_saved(found.name, *saved)
    made = decoded(found, found.source, size)
    flat = {
        f"{role}_{kind}": getattr(p, kind) for role, p in made.parts.items() for kind in ("images", "labels")
    }
    _cache.write(cache, key, asdict(made.info), flat)
    return made


def _options(found: Found, size: tuple[int, int] | None) -> dict[str, Any]:
    if size and found.entry:
        raise UserError(f"size is for images of one's own, '{found.name}' has a fixed one; leave it out.")
    if size and (len(size) != 2 or min(size) < 1):
        raise UserError(f"size must be (height, width) in pixels, each at least 1, got {size}.")
    return {"name": found.name if found.entry else None, "size": size}


def _info(name: str, saved: Mapping[str, Any]) -> DataInfo:
    fields = {key: value for key, value in saved.items() if key != "arrays"}
    lists = {key: tuple(value) for key, value in fields.items() if isinstance(value, list)}
    return replace(DataInfo(**{**fields, **lists}), name=name)


def _from_saved(name: str, saved: Mapping[str, Any], flat: Mapping[str, Any]) -> Arrays:
    facts = _info(name, saved)
    parts: dict[Role, Part] = {
        role: Part(flat[f"{role}_images"], flat[f"{role}_labels"]) for role in ROLES if role in facts.counts
    }
    return Arrays(facts, parts)
