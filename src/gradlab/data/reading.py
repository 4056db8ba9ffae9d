"""Data sets as NumPy arrays or sentences and their facts, without torch: what a spec is hashed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from gradlab.data import _cache, _resampling
from gradlab.data._assemble import decoded
from gradlab.data._derive import derive_images, derive_texts, refuse_pixels
from gradlab.data._embedded import embedded
from gradlab.data._places import Found, cache_root, locate
from gradlab.data.contents import Arrays, DataInfo, Part, Texts
from gradlab.data.derivation import Derivation
from gradlab.data.registry import ROLES, Role
from gradlab.types import UserError


def info(
    name_or_path: str | Path,
    data_dir: str | Path | None = None,
    *,
    size: tuple[int, int] | None = None,
    cache_dir: str | Path | None = None,
) -> DataInfo:
    """Return the facts about a data set, at once where it has been read before. Arguments as for `read`."""
    found, cache = _asked(name_or_path, data_dir, size, cache_dir)
    if found.source:
        saved = _cache.facts(cache, _cache.content_key(found.source, _options(found), cache))
        if saved:
            return _info(found, saved)
    return _read(found, cache).info


def read(
    name_or_path: str | Path,
    data_dir: str | Path | None = None,
    *,
    size: tuple[int, int] | None = None,
    cache_dir: str | Path | None = None,
) -> Arrays | Texts:
    """Read a data set: decoded, divided into its parts, with its facts.

    Args:
        name_or_path: a registered name (`-` and `_` alike), the name of a folder in the data directory, or the path of
            a Parquet or CSV file or a folder; behind it what is made of it, such as `[0-7]#100@32:grey`.
        data_dir: folder of data sets; GRADLAB_DATA where not given.
        size: (H, W) that images of one's own are resized to, as `@` says; the most common size where not given.
        cache_dir: folder for decoded arrays; GRADLAB_CACHE or the platform's cache where not given.

    Raises:
        UserError: not found or not readable, in one sentence.
    """
    return _read(*_asked(name_or_path, data_dir, size, cache_dir))


def arrays(
    name_or_path: str | Path,
    data_dir: str | Path | None = None,
    *,
    size: tuple[int, int] | None = None,
    cache_dir: str | Path | None = None,
) -> Arrays:
    """Read a data set of images. Arguments and errors as for `read`; a data set of sentences is refused."""
    found = read(name_or_path, data_dir, size=size, cache_dir=cache_dir)
    if isinstance(found, Texts):
        raise UserError(
            f"'{found.info.name}' holds sentences where images are needed; name a data set of images."
        )
    return found


def fresh(name_or_path: str | Path, data_dir: str | Path | None, cache: Path | None) -> Arrays | Texts:
    """Decode from the files, whatever the cache holds."""
    return _made(locate(name_or_path, data_dir, cache), None)


def _asked(
    name_or_path: str | Path,
    data_dir: str | Path | None,
    size: tuple[int, int] | None,
    cache_dir: str | Path | None,
) -> tuple[Found, Path | None]:
    cache = cache_root(cache_dir)
    found = locate(name_or_path, data_dir, cache)
    if size is None:
        return found, cache
    if found.entry:
        raise UserError(
            f"size is for images of one's own, '{found.name}' has a fixed one; leave it out, or write "
            f"{found.name}@{size[0]}."
        )
    if found.derivation.size:
        raise UserError(f"'{name_or_path}' says a size already; leave size out.")
    if len(size) != 2 or min(size) < 1:
        raise UserError(f"size must be (height, width) in pixels, each at least 1, got {size}.")
    return replace(found, derivation=replace(found.derivation, size=(size[0], size[1]))), cache


def _read(found: Found, cache: Path | None) -> Arrays | Texts:
    if found.source is None:
        return _made(found, cache)
    key = _cache.content_key(found.source, _options(found), cache)
    if saved := _cache.read(cache, key):
        facts = _info(found, saved[0])
        if facts.holds == "images":
            return _from_saved(facts, saved[1])
    made = _made(found, cache)
    images = made.parts if isinstance(made, Arrays) else {}
    flat = {f"{role}_{kind}": getattr(p, kind) for role, p in images.items() for kind in ("images", "labels")}
    if not (saved and made.info.holds == "text"):
        _cache.write(cache, key, asdict(made.info), flat)
    return made


def _made(found: Found, cache: Path | None) -> Arrays | Texts:
    """Decode or derive; what a derived data set is made from is kept in the cache as well, where there is one.

    Photographs of which a smaller size is asked are made small as they are decoded, and not kept in their own.
    """
    if found.source is None:
        return embedded(found.name, found.derivation)
    name = f"{found.name}{found.derivation}"
    size, rest = _split_size(found)
    if found.entry and found.entry.is_large and rest.size:
        small = decoded(found, found.source, None, then=rest.size)
        rest = rest.without_size()
        return (derive_images(small, rest) if rest and isinstance(small, Arrays) else small).renamed(name)
    if not rest:
        return decoded(found, found.source, size).renamed(name)
    plain = replace(found, derivation=Derivation(size=size))
    source = _read(plain, cache) if cache else _made(plain, None)
    if isinstance(source, Texts):
        refuse_pixels(found.name, found.derivation)
        return derive_texts(source, rest).renamed(name)
    return derive_images(source, rest).renamed(name)


def _split_size(found: Found) -> tuple[tuple[int, int] | None, Derivation]:
    """The size that images are decoded at, and what is left to do: one's own images are resampled once, not twice."""
    if found.entry:
        return None, found.derivation
    return found.derivation.size, found.derivation.without_size()


def _options(found: Found) -> dict[str, Any]:
    """What beside the files' content decides on the arrays."""
    size, rest = _split_size(found)
    options: dict[str, Any] = {"name": found.name if found.entry else None, "size": size}
    return options | ({"derivation": str(rest), "resampling": _resampling.VERSION} if rest else {})


def _info(found: Found, saved: Mapping[str, Any]) -> DataInfo:
    lists = {key: tuple(value) for key, value in saved.items() if isinstance(value, list)}
    return replace(DataInfo(**{**saved, **lists}), name=f"{found.name}{found.derivation}")


def _from_saved(facts: DataInfo, flat: Mapping[str, Any]) -> Arrays:
    parts: dict[Role, Part] = {
        role: Part(flat[f"{role}_images"], flat[f"{role}_labels"]) for role in ROLES if role in facts.counts
    }
    return Arrays(facts, parts)
