"""What the public doors of attacks refuse or doubt, in one sentence each."""

from __future__ import annotations

import logging
from typing import Any

from gradlab._torch import torch
from gradlab.types import UserError

SLACK = 1e-6
"""How far rounding may carry a pixel out of [0, 1]; such images are clipped first."""
log = logging.getLogger(__name__)


def check_batch(images: torch.Tensor, labels: torch.Tensor, targets: torch.Tensor | None) -> torch.Tensor:
    """Refuse what cannot be attacked; returns the images, detached and clipped to [0, 1].

    Raises:
        UserError: images that are no float (N, C, H, W) in [0, 1], labels or targets that are no class
            numbers, one each, or targets that equal the labels.
    """
    check_images(images)
    check_classes(labels, images, "labels")
    if targets is not None:
        check_classes(targets, images, "targets")
        same = int((targets == labels).sum())
        if same:
            raise UserError(
                f"a target must differ from the label, and {same} of {len(labels)} do not; leave those images out or "
                "choose other targets."
            )
    return images.detach().clamp(0, 1)


def check_images(images: Any) -> None:
    """Refuse what is no batch of float images in [0, 1]."""
    if not isinstance(images, torch.Tensor):
        raise UserError(
            f"images must be a float tensor in [0, 1], got {type(images).__name__}; turn an array into one with "
            "torch.from_numpy(images).float(), grey levels 0..255 divided by 255."
        )
    if not images.is_floating_point():
        raise UserError(
            f"images must be a float tensor in [0, 1], got {images.dtype}; turn grey levels 0..255 into images.float() / 255."
        )
    if images.dim() != 4:
        hint = "; add the batch with images[None]" if images.dim() == 3 else ""
        raise UserError(f"images must have shape (N, C, H, W), got {tuple(images.shape)}{hint}.")
    if not images.numel():
        return
    low, high = (float(value) for value in images.detach().aminmax())
    if not (low >= -SLACK and high <= 1 + SLACK):  # NaN fails as well
        raise UserError(f"images must lie in [0, 1], got {low:.3g} to {high:.3g}{_remedy(low, high)}")


def _remedy(low: float, high: float) -> str:
    if low != low:
        return "; remove the NaN."
    if low >= 0 and 2 < high <= 255:
        return "; divide them by 255."
    return (
        ", which looks normalised; give images before normalisation, and let the model normalise with "
        "gradlab.models.wrap(module, mean, std)."
    )


def check_classes(classes: Any, images: torch.Tensor, what: str) -> None:
    """Refuse what is no int64 (N,) on the images' device."""
    right = isinstance(classes, torch.Tensor) and classes.dtype == torch.int64
    if not right or classes.shape != images.shape[:1]:
        got = (
            f"{classes.dtype} of shape {tuple(classes.shape)}"
            if isinstance(classes, torch.Tensor)
            else type(classes).__name__
        )
        hint = "" if isinstance(classes, torch.Tensor) else f"; write torch.as_tensor({what}).long()"
        raise UserError(f"{what} must be an int64 tensor of shape ({len(images)},), got {got}{hint}.")
    if classes.device != images.device:
        raise UserError(
            f"{what} lie on {classes.device} and images on {images.device}; bring both to one device."
        )


def check_logits(logits: Any, labels: torch.Tensor, targets: torch.Tensor | None) -> torch.Tensor:
    """Return logits (N, K) that hold the labels and targets.

    Raises:
        UserError: another shape, a class number outside [0, K), or NaN.
    """
    if not isinstance(logits, torch.Tensor) or logits.dim() != 2 or len(logits) != len(labels):
        got = tuple(logits.shape) if isinstance(logits, torch.Tensor) else type(logits).__name__
        hint = "" if isinstance(logits, torch.Tensor) else "; let forward() return the logits alone"
        raise UserError(f"the model must return logits of shape ({len(labels)}, K), got {got}{hint}.")
    for what, classes in (("labels", labels), ("targets", targets)):
        if classes is not None and len(classes):
            low, high = (int(value) for value in classes.aminmax())
            if low < 0 or high >= logits.shape[1]:
                raise UserError(
                    f"{what} must lie in [0, {logits.shape[1]}), the model's classes, got {low if low < 0 else high}."
                )
    if bool(logits.detach().isnan().any()):
        raise UserError(
            "the model returns NaN for these images; an attack on it says nothing, train it again."
        )
    return logits


def stream_of(generator: Any) -> torch.Generator:
    """Return the source of random numbers; where none is given, that of seed 0.

    Raises:
        UserError: it is something else, such as a seed.
    """
    if generator is None:
        return torch.Generator().manual_seed(0)
    if not isinstance(generator, torch.Generator):
        raise UserError(
            f"generator must be a torch.Generator, such as torch.Generator().manual_seed(0), got {generator!r}."
        )
    return generator


def look_like_probabilities(logits: torch.Tensor) -> bool:
    """Whether every row of (N, K), K > 1, is positive and sums to 1, as softmax outputs do and logits do not."""
    if logits.shape[1] < 2 or not len(logits):
        return False
    sums = logits.double().sum(1)
    return bool((logits >= 0).all()) and bool(((sums - 1).abs() < 1e-3).all())


def without_gradient(gradient: torch.Tensor) -> torch.Tensor:
    """Say (N,) bool for which images no entry of the gradient is a number other than 0."""
    return ~(gradient.isfinite() & (gradient != 0)).flatten(1).any(1)


def doubt(gradient: torch.Tensor, logits: torch.Tensor | None = None) -> None:
    """Warn where a gradient attack cannot see a direction, and where logits (N, K) look like probabilities."""
    if logits is not None and look_like_probabilities(logits):
        log.warning(
            "The model's outputs look like probabilities; give the logits before the softmax, which hides gradients."
        )
    blind = int(without_gradient(gradient).sum())
    if blind:
        log.warning(
            "The gradient is zero for %d of %d images, so that an attack by gradients cannot move them and says little "
            "about robustness; attack the logits before a softmax or a step function, or in float64.",
            blind,
            len(gradient),
        )
