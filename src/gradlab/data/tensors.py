"""A data set from a person's own tensors."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gradlab.data import _describe
from gradlab.data._divide import divide
from gradlab.data._labels import check_class_names
from gradlab.data.contents import Part
from gradlab.data.datasets import Dataset
from gradlab.data.guard import marked_as_test
from gradlab.data.loading import as_tensors
from gradlab.data.registry import Role
from gradlab.types import UserError

Pair = tuple[Tensor, Tensor]


def from_tensors(
    images: Tensor,
    labels: Tensor,
    *,
    validation: Pair | None = None,
    test: Pair | None = None,
    class_names: Sequence[str] | None = None,
    name: str = "tensors",
) -> Dataset:
    """Make a data set of one's own tensors; missing parts are taken from the training images, stratified and fixed.

    Args:
        images: (N, C, H, W) for training: integers 0..255, or floats in [0, 1], which are rounded to 256 grey levels
            (a note says so where that loses anything).
        labels: (N,) integers in [0, K).
        validation: (images, labels) likewise; about a tenth of the training images where not given.
        test: (images, labels) likewise; a fifth of the training images where not given.
        class_names: of the K classes, in label order; their numbers where not given.
        name: of the data set.

    Raises:
        UserError: normalised images, a wrong shape, type or range, test images among the others; in one sentence.
    """
    given: dict[Role, Pair] = {"train": (images, labels)}
    if validation is not None:
        given["validation"] = validation
    if test is not None:
        given["test"] = test
    for role, pair in given.items():
        if role != "test" and (of := marked_as_test(pair[0])):
            raise UserError(
                f"The test images of '{of}' cannot become {role} images; take images of its train part."
            )
    notes: list[str] = []
    parts = {role: _part(pair, role, notes) for role, pair in given.items()}
    names = _class_names(parts, class_names)
    check_class_names(names, "the data")
    if len({part.images.shape[1:] for part in parts.values()}) > 1:
        shapes = ", ".join(f"{role} {tuple(part.images.shape[1:])}" for role, part in parts.items())
        raise UserError(f"All parts must have images of one shape (C, H, W), got {shapes}; resize them.")
    whole = divide(parts, notes, own=True)
    return as_tensors(_describe.images(name, whole, names, notes))


def _part(pair: Pair, role: Role, notes: list[str]) -> Part:
    images, labels = (torch.as_tensor(one).detach() for one in pair)
    if images.ndim != 4 or images.shape[0] == 0 or images.shape[1] not in (1, 3):
        hint = "; add the channel with images[:, None]" if images.ndim == 3 else ""
        raise UserError(
            f"The {role} images must have shape (N, C, H, W) with C = 1 or 3, got {tuple(images.shape)}{hint}."
        )
    if labels.shape != images.shape[:1]:
        raise UserError(
            f"{len(images)} {role} images need labels of shape ({len(images)},), got {tuple(labels.shape)}."
        )
    if labels.dtype == torch.bool or labels.is_floating_point() or labels.is_complex():
        raise UserError(f"The {role} labels must be class numbers of an integer type, got {labels.dtype}.")
    grey = _to_uint8(images, role, notes)
    return Part(grey.cpu().contiguous().numpy(), labels.to("cpu", torch.int64).contiguous().numpy())


def _to_uint8(images: Tensor, role: Role, notes: list[str]) -> Tensor:
    if images.dtype == torch.uint8:
        return images
    if images.dtype == torch.bool or images.is_complex():
        raise UserError(
            f"The {role} images must be uint8 or floats in [0, 1], got {images.dtype}; convert them."
        )
    low, high = float(images.min()), float(images.max())
    if not images.is_floating_point():
        if low < 0 or high > 255:
            raise UserError(f"The {role} images must lie in 0..255, got {low:g} to {high:g}.")
        return images.to(torch.uint8)
    if not (low >= 0 and high <= 1):  # NaN fails as well
        raise UserError(_range_sentence(role, low, high))
    scaled = images.double() * 255
    change = float((scaled - scaled.round()).abs().max()) / 255
    if change > 1e-4:
        notes.append(f"The {role} images were rounded to 256 grey levels (largest change {change:.4f} of 1).")
    return scaled.round().to(torch.uint8)


def _range_sentence(role: Role, low: float, high: float) -> str:
    got = f"The {role} images must be floats in [0, 1] or uint8 in 0..255, got {low:.3g} to {high:.3g}"
    if low >= 0 and 1 < high <= 255:
        return f"{got}; divide them by 255 or convert them to uint8."
    if low != low:
        return f"{got}; remove the NaN."
    return (
        f"{got}, which looks normalised; pass them before normalisation, and give the model its own first layer with "
        "gradlab.models.wrap(module, mean, std)."
    )


def _class_names(parts: dict[Role, Part], given: Sequence[str] | None) -> tuple[str, ...]:
    low = min(int(part.labels.min()) for part in parts.values())
    high = max(int(part.labels.max()) for part in parts.values())
    names = tuple(given) if given is not None else tuple(map(str, range(max(high, 1) + 1)))
    if low < 0 or high >= len(names):
        expected = f"0 to {len(names) - 1}, one per class name" if given is not None else "0 to K - 1"
        raise UserError(f"Labels must be whole numbers from {expected}, got {low} to {high}; renumber them.")
    present = set(parts["train"].labels.tolist())
    if len(present) < 2:
        raise UserError(f"The train images are of one class only ({low}); a classifier needs at least two.")
    if given is None and (absent := sorted(set(range(len(names))) - present)):
        raise UserError(
            f"Labels must be whole numbers from 0 to K - 1, but class {absent[0]} of 0 to {high} has no train image; "
            "renumber them or pass class_names."
        )
    return names
