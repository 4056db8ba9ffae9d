"""What an attack wants of each image, and how far it has got."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gradlab._torch import torch
from gradlab.attacks._asking import asked
from gradlab.attacks._checks import check_batch, check_logits
from gradlab.attacks._losses import LOSSES, Loss
from gradlab.models.light import Model

PIXELS = 2**17
"""Pixels in one pass on a CPU: 128 images of 32 × 32; larger batches are no faster there."""


@dataclass(frozen=True)
class Goal:
    """Leave the label, or reach the target.

    Attributes:
        labels: (N,) int64. targets: (N,) int64, or None.
        criterion: what is made large on the way there. aims: (N,) int64, classes to go towards although any other than
            the label will do; None to go away from the label, or towards the targets.
    """

    labels: torch.Tensor
    targets: torch.Tensor | None
    criterion: Loss = "ce"
    aims: torch.Tensor | None = None

    def loss(self, logits: torch.Tensor) -> torch.Tensor:
        """Return (N,) what an attack makes large."""
        return LOSSES[self.criterion](logits, self.labels, self.targets if self.aims is None else self.aims)

    def is_reached(self, logits: torch.Tensor) -> torch.Tensor:
        """Say (N,) bool for which images the prediction is another one, or the target."""
        predictions = logits.argmax(1)
        return predictions != self.labels if self.targets is None else predictions == self.targets

    def rows(self, rows: torch.Tensor | slice) -> Goal:
        """Return the goal of some of the images."""
        targets, aims = (None if one is None else one[rows] for one in (self.targets, self.aims))
        return replace(self, labels=self.labels[rows], targets=targets, aims=aims)


def prepare(
    images: torch.Tensor, labels: torch.Tensor, targets: torch.Tensor | None, criterion: Loss = "ce"
) -> tuple[torch.Tensor, Goal]:
    """Check a batch at the public door; returns the images clipped to [0, 1], and the goal.

    Both are copies, so that tensors made in inference mode can be attacked as well.
    """
    images = check_batch(images, labels, targets)
    return images, Goal(labels.clone(), None if targets is None else targets.clone(), criterion)


@dataclass(frozen=True)
class Look:
    """One look at a batch.

    Attributes:
        logits: (N, K). loss: (N,). is_reached: (N,) bool.
        gradient: of the loss, shaped as the images; None where it was not asked for.
    """

    logits: torch.Tensor
    loss: torch.Tensor
    is_reached: torch.Tensor
    gradient: torch.Tensor | None = None


def look(model: Model, images: torch.Tensor, goal: Goal, *, gradient: bool, sparing: bool = False) -> Look:
    """Run the model, and back to the images if asked; no gradient of a weight is computed or kept.

    The losses are summed, not averaged, so that an image's gradient does not depend on its batch.

    Args:
        sparing: whoever reaches the goal needs no gradient, and zeros will do.
    """
    size = _rows_at_once(images)
    parts, share = [], 0.0
    for start in range(0, max(1, len(images)), size):
        rows = slice(start, start + size)
        # going forward alone first pays where most have arrived: a third of the work for these
        way = _look_forward_first if gradient and sparing and share > 0.5 else _look
        parts.append(way(model, images[rows], goal.rows(rows), gradient=gradient))
        share = float(parts[-1].is_reached.double().mean()) if gradient and sparing else 0.0
    return parts[0] if len(parts) == 1 else _joined(parts)


def _rows_at_once(images: torch.Tensor) -> int:
    if images.device.type != "cpu":
        return max(1, len(images))
    return max(1, PIXELS // max(1, images.shape[-1] * images.shape[-2]))


def _joined(parts: list[Look]) -> Look:
    gradients = [part.gradient for part in parts if part.gradient is not None]
    return Look(
        torch.cat([part.logits for part in parts]),
        torch.cat([part.loss for part in parts]),
        torch.cat([part.is_reached for part in parts]),
        torch.cat(gradients) if gradients else None,
    )


def _look(model: Model, images: torch.Tensor, goal: Goal, *, gradient: bool) -> Look:
    with torch.set_grad_enabled(gradient):
        images = images.detach().requires_grad_(gradient)
        logits = check_logits(asked(model, images), goal.labels, goal.targets)
        loss = goal.loss(logits)
        found = gradient_of(loss.sum(), images) if gradient else None
    logits = logits.detach()
    return Look(logits, loss.detach(), goal.is_reached(logits), found)


def _look_forward_first(model: Model, images: torch.Tensor, goal: Goal, *, gradient: bool) -> Look:
    """Look without gradient, and again with it at the images that have not reached the goal."""
    first = _look(model, images, goal, gradient=False)
    found, rest = torch.zeros_like(images), (~first.is_reached).nonzero()[:, 0]
    if gradient and len(rest):
        again = _look(model, images[rest], goal.rows(rest), gradient=True)
        assert again.gradient is not None  # it was asked for
        found[rest] = again.gradient
    return replace(first, gradient=found)


def gradient_of(loss: torch.Tensor, images: torch.Tensor, *, retain: bool = False) -> torch.Tensor:
    """Return the gradient; zeros where the loss does not depend on the images, is cut off from them, or is no number."""
    if not loss.requires_grad:
        return torch.zeros_like(images)
    (gradient,) = torch.autograd.grad(loss, images, allow_unused=True, retain_graph=retain)
    return torch.zeros_like(images) if gradient is None else gradient.nan_to_num(0, 0, 0)
