"""From the files of a source to a data set: decoded, brought to one shape, divided, with its facts."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping

import numpy as np

from gradlab.data import _describe
from gradlab.data._decode import Decoded, decode, look
from gradlab.data._divide import Names, divide
from gradlab.data._facts import Images
from gradlab.data._labels import check_two_classes
from gradlab.data._limits import shown
from gradlab.data._places import Found
from gradlab.data._resampling import METHOD, resampling_note
from gradlab.data._sources import Raw, RawTexts, Source
from gradlab.data.contents import Arrays, Part, Texts
from gradlab.data.registry import Entry, Role
from gradlab.types import UserError


def decoded(
    found: Found, source: Source, size: tuple[int, int] | None, then: tuple[int, int] | None = None
) -> Arrays | Texts:
    """Read, decode and divide a data set that lies in files.

    Args:
        found: its name and registry entry.
        source: its files.
        size: (H, W) of the images; the registered or the most common one where None.
        then: (H, W) that they are resampled to after that.
    """
    raw = source.read(found.entry)
    if isinstance(raw, RawTexts):
        return _sentences(found, source, raw, size)
    raw = Raw({role: part for role, part in raw.parts.items() if len(part.names)}, raw.class_names)
    if not raw.parts:
        raise UserError(f"{shown(source.root)} holds no image; expected at least one row or file.")
    check_two_classes([part.labels for part in raw.parts.values()], raw.class_names, source.root)
    (width, height), grey = _target(found.entry, raw, size)
    small = (then[1], then[0]) if then and then != (height, width) else None
    images = {
        r: decode(p.read, p.names, (width, height), grey=grey, then=small) for r, p in raw.parts.items()
    }
    resized = sum(part.resized for part in images.values())
    if found.entry and resized and not found.entry.varied:
        raise UserError(
            f"{resized:,} images of '{found.name}' in {source.root} are not {height}×{width} pixels; get its files again."
        )
    parts = {role: Part(_channels_first(one.images), raw.parts[role].labels) for role, one in images.items()}
    names = None if found.entry else _names(raw, source)
    notes = _notes(images, (height, width))
    notes += [resampling_note((height, width), then)] if then and small else []
    whole = divide(parts, notes, own=found.entry is None, names=names)
    return _describe.images(found.name, whole, raw.class_names, notes, names)


def _sentences(found: Found, source: Source, raw: RawTexts, size: tuple[int, int] | None) -> Texts:
    if size:
        raise UserError(f"'{found.name}' holds sentences, which have no size; leave it out.")
    parts = {role: part for role, part in raw.parts.items() if len(part.labels)}
    if not parts:
        raise UserError(f"{shown(source.root)} holds no sentence with a label; expected at least one row.")
    check_two_classes([part.labels for part in parts.values()], raw.class_names, source.root, "sentences")
    notes = list(raw.notes)
    whole = divide(parts, notes, own=found.entry is None, things="training sentences")
    return _describe.texts(found.name, whole, raw.class_names, notes)


def _target(entry: Entry | None, raw: Raw, size: tuple[int, int] | None) -> tuple[tuple[int, int], bool]:
    """Choose (width, height) and grey or RGB for all parts."""
    if entry:
        channels, height, width = entry.shape
        return (width, height), channels == 1
    looks = [look(part.read, part.names) for part in raw.parts.values()]
    sizes = sum((one.sizes for one in looks), Counter[tuple[int, int]]())
    common = max(sizes, key=lambda pair: (sizes[pair], pair))
    return (size[1], size[0]) if size else common, all(one.grey for one in looks)


def _channels_first(images: Images) -> Images:
    if images.ndim == 3:
        return images[:, None]
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2))


def _names(raw: Raw, source: Source) -> Names:
    """Names of the images without the machine's own folders."""
    parent = f"{source.root.parent}{os.sep}"
    return {
        role: [name.removeprefix("in ").replace(parent, "", 1) for name in part.names]
        for role, part in raw.parts.items()
    }


def _notes(images: Mapping[Role, Decoded], size: tuple[int, int]) -> list[str]:
    notes = []
    resized, total = sum(p.resized for p in images.values()), sum(len(p.images) for p in images.values())
    if resized:
        notes.append(
            f"{resized:,} of {total:,} images were resized to {size[0]}×{size[1]} pixels ({METHOD}; aspect not kept)."
        )
    formats = {role: part.format for role, part in images.items()}
    if len(set(formats.values())) > 1:
        stored = ", ".join(f"{role} as {form}" for role, form in formats.items())
        notes.append(f"The parts are stored in different formats ({stored}), so their compression differs.")
    return notes
