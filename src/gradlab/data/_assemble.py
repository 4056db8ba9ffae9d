"""From decoded images to a data set: the missing parts are taken from train, and the facts are stated."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping

import numpy as np

from gradlab.data._decode import Decoded, decode, look
from gradlab.data._digits import digits
from gradlab.data._facts import Images, channel_statistics, checksum, copies, digest
from gradlab.data._noise import uniform_noise
from gradlab.data._partition import stratified, test_size, validation_size
from gradlab.data._places import Found
from gradlab.data._sources import Raw, Source
from gradlab.data.contents import Arrays, DataInfo, Part
from gradlab.data.registry import DATASETS, ROLES, Entry, Role
from gradlab.types import UserError

Names = dict[Role, list[str]]


def divide(
    name: str,
    parts: Mapping[Role, Part],
    class_names: tuple[str, ...],
    notes: list[str],
    *,
    own: bool,
    names: Names | None = None,
) -> Arrays:
    """Take the missing parts from train and state the facts.

    Args:
        name: of the data set.
        parts: as the source has them.
        class_names: in label order.
        notes: sentences to keep with the data.
        own: a person's own data, which gets a test part where it has none.
        names: of each image, for naming exact copies; their index in the part where not given.
    """
    whole, names = dict(parts), dict(names) if names else None
    if own and "train" in whole and "test" not in whole:
        notes = [*notes, _take(whole, names, "test", test_size(len(whole["train"].labels)))]
    if "train" in whole and "validation" not in whole:
        taken = _take(whole, names, "validation", validation_size(len(whole["train"].labels)))
        notes = [*notes, taken] if own else notes
    ordered: dict[Role, Part] = {role: whole[role] for role in ROLES if role in whole}
    notes = [*notes, *copies({role: part.images for role, part in ordered.items()}, names)]
    return Arrays(_describe(name, ordered, class_names, notes), ordered)


def _take(parts: dict[Role, Part], names: Names | None, role: Role, size: int) -> str:
    """Move a stratified part out of train; returns the sentence that says so."""
    train = parts["train"]
    chosen = stratified(train.labels, size)
    parts[role] = Part(train.images[chosen], train.labels[chosen])
    parts["train"] = Part(train.images[~chosen], train.labels[~chosen])
    if names is not None:
        everyone = np.array(names["train"], dtype=object)
        names[role], names["train"] = everyone[chosen].tolist(), everyone[~chosen].tolist()
    return (
        f"The source has no {role} part: {int(chosen.sum()):,} of {len(chosen):,} training images, "
        "stratified by class and fixed, are used as such."
    )


def _describe(
    name: str, parts: Mapping[Role, Part], class_names: tuple[str, ...], notes: list[str]
) -> DataInfo:
    digests: dict[str, str] = {role: digest(part.images, part.labels) for role, part in parts.items()}
    shape = next(iter(parts.values())).images.shape
    mean, std = channel_statistics(parts["train"].images) if "train" in parts else ((), ())
    return DataInfo(
        name=name,
        checksum=checksum(digests, class_names),
        counts={role: len(part.labels) for role, part in parts.items()},
        input_shape=(shape[1], shape[2], shape[3]),
        class_names=class_names,
        mean=mean,
        std=std,
        notes=tuple(notes),
        digests=digests,
    )


def embedded(name: str) -> Arrays:
    """Make a registered data set that needs no files."""
    entry = DATASETS[name]
    if name == "noise":
        images = uniform_noise(entry.counts["test"], entry.shape)
        noise = Part(images, np.zeros(len(images), dtype=np.int64))
        return divide(name, {"test": noise}, entry.class_names, [], own=False)
    images, labels = digits()
    chosen = stratified(labels, entry.counts["test"])
    parts: dict[Role, Part] = {
        "train": Part(images[~chosen], labels[~chosen]),
        "test": Part(images[chosen], labels[chosen]),
    }
    return divide(name, parts, entry.class_names, [], own=False)


def decoded(found: Found, source: Source, size: tuple[int, int] | None) -> Arrays:
    """Read, decode and divide a data set that lies in files.

    Args:
        found: its name and registry entry.
        source: its files.
        size: (H, W) of the images; the registered or the most common one where None.
    """
    raw = source.read(found.entry)
    raw = Raw({role: part for role, part in raw.parts.items() if len(part.names)}, raw.class_names)
    _check_classes(raw, source)
    (width, height), grey = _target(found.entry, raw, size)
    images = {r: decode(p.read, p.names, (width, height), grey=grey) for r, p in raw.parts.items()}
    resized = sum(part.resized for part in images.values())
    if found.entry and resized:
        raise UserError(
            f"{resized:,} images of '{found.name}' in {source.root} are not {height}×{width} pixels; get its files again."
        )
    parts = {role: Part(_channels_first(one.images), raw.parts[role].labels) for role, one in images.items()}
    names = None if found.entry else _names(raw, source)
    notes = _notes(images, (height, width))
    return divide(found.name, parts, raw.class_names, notes, own=found.entry is None, names=names)


def _check_classes(raw: Raw, source: Source) -> None:
    if not raw.parts:
        raise UserError(f"{source.root} holds no image; expected at least one row or file.")
    first = next(iter(raw.parts.values()))
    if len(raw.class_names) < 2 or len(np.unique(first.labels)) < 2:
        only = raw.class_names[int(first.labels[0])]
        raise UserError(
            f"{source.root} has images of one class only ('{only}'); a classifier needs at least two."
        )


def _target(entry: Entry | None, raw: Raw, size: tuple[int, int] | None) -> tuple[tuple[int, int], bool]:
    """Choose (width, height) and grey or RGB for all parts."""
    if entry:
        return (entry.shape[2], entry.shape[1]), entry.shape[0] == 1
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
            f"{resized:,} of {total:,} images were resized to {size[0]}×{size[1]} pixels (aspect not kept)."
        )
    formats = {role: part.format for role, part in images.items()}
    if len(set(formats.values())) > 1:
        stored = ", ".join(f"{role} as {form}" for role, form in formats.items())
        notes.append(f"The parts are stored in different formats ({stored}), so their compression differs.")
    return notes
