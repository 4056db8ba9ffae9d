"""What an attack wants of each image, and how far it has got."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gradlab._torch import torch
from gradlab.attacks._checks import check_batch, check_logits

Model = Callable[["torch.Tensor"], "torch.Tensor"]
"""Images (N, C, H, W) in [0, 1] to logits (N, K)."""


@dataclass(frozen=True)
class Goal:
    """Leave the label, or reach the target.

    Attributes:
        labels: (N,) int64. targets: (N,) int64, or None.
    """

    labels: torch.Tensor
    targets: torch.Tensor | None

    def loss(self, logits: torch.Tensor) -> torch.Tensor:
        """Return (N,) what an attack makes large: cross-entropy of the label, or minus that of the target."""
        if self.targets is None:
            return torch.nn.functional.cross_entropy(logits, self.labels, reduction="none")
        return -torch.nn.functional.cross_entropy(logits, self.targets, reduction="none")

    def is_reached(self, logits: torch.Tensor) -> torch.Tensor:
        """Say (N,) bool for which images the prediction is another one, or the target."""
        predictions = logits.argmax(1)
        return predictions != self.labels if self.targets is None else predictions == self.targets

    def rows(self, rows: torch.Tensor | slice) -> Goal:
        """Return the goal of some of the images."""
        return Goal(self.labels[rows], None if self.targets is None else self.targets[rows])


def prepare(
    images: torch.Tensor, labels: torch.Tensor, targets: torch.Tensor | None
) -> tuple[torch.Tensor, Goal]:
    """Check a batch at the public door; returns the images clipped to [0, 1], and the goal.

    Both are copies, so that tensors made in inference mode can be attacked as well.
    """
    images = check_batch(images, labels, targets)
    return images, Goal(labels.clone(), None if targets is None else targets.clone())


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


def look(model: Model, images: torch.Tensor, goal: Goal, *, gradient: bool) -> Look:
    """Run the model once, and back to the images if asked; no gradient of a weight is computed or kept.

    The losses are summed, not averaged, so that an image's gradient does not depend on its batch.
    """
    with torch.set_grad_enabled(gradient):
        images = images.detach().requires_grad_(gradient)
        logits = check_logits(model(images), goal.labels, goal.targets)
        loss = goal.loss(logits)
        found = _gradient(loss.sum(), images) if gradient else None
    logits = logits.detach()
    return Look(logits, loss.detach(), goal.is_reached(logits), found)


def _gradient(loss: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    """Return the gradient; zeros where the loss does not depend on the images or is cut off from them."""
    if not loss.requires_grad:
        return torch.zeros_like(images)
    (gradient,) = torch.autograd.grad(loss, images, allow_unused=True)
    return torch.zeros_like(images) if gradient is None else gradient
