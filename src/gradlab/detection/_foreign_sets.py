"""The foreign sets of an evaluation: of the in-distribution shape, under names of their own, and what is to be said of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gradlab._torch import torch
from gradlab.data import Dataset, Split
from gradlab.detection import flags
from gradlab.detection._content import images_of, is_noise, prints, prints_of_all
from gradlab.detection.cues import cue_flags, telling_cues
from gradlab.detection.sources import names_of_classes
from gradlab.types import UserError

Foreign = Any
"""A data set, whose test part is taken; a part; or images (N, C, H, W), uint8 or floats in [0, 1]."""


@dataclass(frozen=True, eq=False)
class ForeignSet:
    """Foreign images, the name of the data that they come from, and the names of their classes, where known."""

    images: Split | torch.Tensor
    source: str
    class_names: tuple[str, ...] = ()


def foreign_sets(
    inside: Dataset, outside: Sequence[Dataset] | Mapping[str, Foreign]
) -> dict[str, ForeignSet]:
    """Return name -> images, all of the in-distribution shape.

    Raises:
        UserError: no set, one without a name or of another shape, or the in-distribution data themselves.
    """
    named = outside if isinstance(outside, Mapping) else {one.name: one for one in outside}
    if not named or (not isinstance(outside, Mapping) and len(named) < len(outside)):
        raise UserError("give at least one foreign set, each under a name of its own.")
    nameless = [name for name in named if not isinstance(name, str) or not name.strip()]
    if nameless:
        raise UserError(f'foreign sets go by a name, such as {{"near": images}}, got {nameless[0]!r}.')
    found = {name: _foreign(name, one, inside) for name, one in named.items()}
    for name, one in found.items():
        shape = tuple(images_of(one.images).shape[1:])
        if shape != inside.input_shape:
            raise UserError(other_shape(name, shape, inside))
    return found


def _foreign(name: str, one: Foreign, inside: Dataset) -> ForeignSet:
    if isinstance(one, torch.Tensor):
        return ForeignSet(one, name)
    if isinstance(one, Split):
        return ForeignSet(one, one.origin.name, names_of_classes(one.origin.name))
    if not isinstance(one, Dataset):
        raise UserError(f"'{name}' must be a data set, a part of one, or images, got {type(one).__name__}.")
    if one.test is None:
        raise UserError(f"'{name}' has no test images here; choose data with a test part.")
    if one.checksum == inside.checksum:
        raise UserError(f"'{name}' is the in-distribution data themselves; give foreign ones.")
    return ForeignSet(one.test, one.name, one.class_names)


def other_shape(name: str, shape: tuple[int, ...], inside: Dataset) -> str:
    """Say that images have another shape than the in-distribution ones."""
    got, wanted = ("×".join(map(str, one)) for one in (shape, inside.input_shape))
    channels, height = inside.input_shape[:2]
    return (
        f"images of '{name}' are {got} and those of '{inside.name}' {wanted}; derive it, such as "
        f"{name}@{height}{':grey' if channels == 1 else ':rgb'}, so that all sets are resampled alike."
    )


def refuse_shared_images(tuned_on: Split, sets: Mapping[str, ForeignSet]) -> None:
    """Refuse to tune on images that are reported, whatever both are called.

    Raises:
        UserError: names the set.
    """
    own = prints(tuned_on)
    for name, one in sets.items():
        count = len(own & prints(one.images))
        if count:
            raise UserError(
                f"{count:,} of the images that detectors are tuned on are also in '{name}', so its numbers would be too good; "
                "tune on other images, or do not report it."
            )


def about_sets(inside: Dataset, sets: Mapping[str, ForeignSet]) -> list[str]:
    """Say what makes numbers on these sets mean less than they seem to."""
    assert inside.test is not None  # checked at the door
    known = prints_of_all(inside)
    found = flags.noise_flags("noise" if is_noise(one.images) else one.source for one in sets.values())
    for name, one in sets.items():
        count = len(known & prints(one.images))
        if count:
            found.append(
                f"{name}: {count:,} of its images are also in '{inside.name}', which the network knows"
            )
        found += flags.overlap_flags(name, inside.class_names, one.class_names)
        found += cue_flags(name, telling_cues(inside.test, one.images))
    return found
