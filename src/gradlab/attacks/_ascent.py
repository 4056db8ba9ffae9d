"""The inner maximisation of adversarial training, on the very networks that train, stacked seeds included."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gradlab._torch import torch
from gradlab.attacks.project_linf import ball
from gradlab.types import UserError

if TYPE_CHECKING:
    from gradlab.training.objective import Batch, Forward


def ascend(
    forward: Forward,
    images: torch.Tensor,
    start: torch.Tensor,
    loss: Callable[[torch.Tensor], torch.Tensor],
    *,
    eps: float,
    step_size: float,
    steps: int,
    see: Callable[[torch.Tensor], None] = lambda _logits: None,
) -> torch.Tensor:
    """Climb the loss by projected sign steps and return the last iterate (Madry et al., 2018, arXiv:1706.06083, eq. 2.1).

    The networks run in eval mode: batch norms use their running statistics and move none, dropout draws nothing. So TRADES
    does it, and so Pang et al. (2021, arXiv:2010.00467) recommend it for all. One graph is alive at a time, and no gradient
    of a weight is computed.

    Args:
        forward: the networks in training.
        images: (S, B, C, H, W) in [0, 1]; row s belongs to network s. start: likewise; it is projected first.
        loss: maps logits (S, B, K) to a number to make large, a sum over the images, so that they stay independent.
        eps: L-infinity radius on the [0, 1] pixel scale. step_size: on the same scale. steps: 0 returns the start.
        see: hears the logits of every iterate but the last.

    Returns: (S, B, C, H, W) in [0, 1], at most `eps` from the images, exactly; no gradient attached.

    Raises:
        UserError: the output does not depend on the images in a way that can be differentiated.
    """
    low, high = ball(images, eps)
    points = start.clamp(low, high)
    for _ in range(steps):
        with torch.enable_grad():
            points = points.detach().requires_grad_()
            logits = forward.still(points.clone())  # for a network that works in place
            found = (
                torch.autograd.grad(loss(logits), points, allow_unused=True)
                if logits.requires_grad
                else (None,)
            )
        if found[0] is None:
            raise UserError(
                "the network gives no gradient with respect to its images, so it cannot be trained on attacked ones; drop "
                "torch.no_grad(), detach() and rounding from its forward()."
            )
        see(logits.detach())
        points = (points.detach() + step_size * found[0].sign()).clamp(low, high)
    return points.detach()


def uniform_start(batch: Batch, images: torch.Tensor, eps: float, name: str = "attack") -> torch.Tensor:
    """Draw a uniform point of the ball around every image; each seed has its own stream for each step of the training."""
    drawn = [
        torch.rand(one.shape, generator=stream)
        for one, stream in zip(images, batch.generators(name), strict=True)
    ]
    return images + eps * (2 * torch.stack(drawn).to(images) - 1)


def summed_loss(labels: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return the cross-entropy with labels (S, B), summed over all images, as a function of logits (S, B, K)."""
    return lambda logits: torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), labels.flatten(), reduction="sum"
    )


def images_of(batch: Batch) -> torch.Tensor:
    """Return the images (S, B, C, H, W) in [0, 1] of a batch.

    Raises:
        UserError: images that were mixed with others, so that they have no label of their own.
    """
    if batch.mixture is not None:
        raise UserError("an attack moves an image away from its one label; drop mixing from the recipe.")
    images: torch.Tensor = batch.inputs  # type: ignore[assignment] # of an objective that changes inputs
    return images
