"""ODIN: the softmax at a high temperature, after a small step that makes the network surer of its prediction."""

from __future__ import annotations

from dataclasses import dataclass as plain
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from gradlab._configuration import dataclass
from gradlab._torch import torch
from gradlab.detection._logits import checked_temperature
from gradlab.detection.max_softmax import max_softmax
from gradlab.metrics.arrays import Floats
from gradlab.types import STRICT, PixelEps, PositiveFloat, check_pixels

if TYPE_CHECKING:
    from gradlab.data import Split


SURE = -7.0
"""Logarithm of the odds against a prediction, below which the odds themselves are followed."""


def odin(
    model: torch.nn.Module,
    images: Split | torch.Tensor,
    temperature: float,
    eps: float,
    *,
    batch_size: int | None = None,
) -> Floats:
    """1 - max softmax(logits / T) of x - eps · sign(∇ₓ CE(logits / T, predicted class)) (Liang et al., 2018, eq. 1 and 2).

    (arXiv:1706.02690.) The step raises the probability of the predicted class, and more so for images like those that the
    network was trained on. As in the paper, the changed image is not clipped to [0, 1]. With eps 0 it is `max_softmax`.

    Args:
        model: maps images (N, C, H, W) in [0, 1] to logits; left as it was found.
        images: a part of a data set, or (N, C, H, W): uint8, or floats in [0, 1].
        temperature: T > 0; the paper takes 1,000. eps: step on the [0, 1] pixel scale; the paper takes 0.0014 for DenseNet.
        batch_size: images of one forward pass; up to 1,000 where it is left out.
    Returns: (N,) float64; larger = more out-of-distribution.

    Raises:
        UserError: images that the model cannot read, or a temperature or step that is none.
    """
    from gradlab.training.modes import kept_modes
    from gradlab.training.outputs import batches_for

    checked_temperature(temperature)
    check_pixels(eps)
    with kept_modes(model):
        model.eval()
        found = [
            _logits(model, batch, temperature, eps).float().cpu().numpy()
            for batch in batches_for(model, images, batch_size)
        ]
    return max_softmax(np.concatenate(found), temperature)


def _logits(model: torch.nn.Module, images: torch.Tensor, temperature: float, eps: float) -> torch.Tensor:
    if eps:
        images = images - eps * _gradient(model, images, temperature).sign()
    with torch.no_grad():
        logits: torch.Tensor = model(images)
    return logits


def _gradient(model: torch.nn.Module, images: torch.Tensor, temperature: float) -> torch.Tensor:
    """Gradient of -log max softmax(logits / T) by the images; summed over images, which stay independent."""
    with torch.inference_mode(False), torch.enable_grad():
        images = images.clone().requires_grad_(True)
        logits = model(images.clone()) / temperature  # a model may write to what it gets
        (gradient,) = torch.autograd.grad(_unsure(logits).sum(), images)
    return gradient


def _unsure(logits: torch.Tensor) -> torch.Tensor:
    """-log max softmax of (N, K) logits, or, where the network is very sure, the logarithm of the odds against its prediction.

    The first is a rising function of the second, so that their gradients have the same sign; near a probability of 1 the
    first is 0 in its number format, and its gradient nothing but rounding.
    """
    place = logits.argmax(1, keepdim=True)
    odds = logits.scatter(1, place, -torch.inf).logsumexp(1) - logits.gather(1, place).squeeze(1)
    plain = torch.nn.functional.cross_entropy(logits, place.squeeze(1), reduction="none")
    return torch.where(odds < SURE, odds, plain)


@plain(frozen=True, eq=False)
class FittedODIN:
    """The network, with temperature and step."""

    network: torch.nn.Module
    temperature: float
    eps: float

    def score(self, images: Any) -> Floats:
        """Score images; see `odin`."""
        return odin(self.network, images, self.temperature, self.eps)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ODIN:
    """Max softmax at a temperature after a step on the image (Liang et al., 2018).

    Attributes:
        temperature: divides the logits. eps: the step, on the [0, 1] pixel scale; both chosen on validation data.
    """

    needs: ClassVar[tuple[str, ...]] = ("images",)
    fits: ClassVar[tuple[str, ...]] = ("network",)
    kind: Literal["odin"] = "odin"
    temperature: PositiveFloat = 1000.0
    eps: PixelEps = 0.0014

    def fit(self, network: torch.nn.Module) -> FittedODIN:
        """Take the network; nothing is fitted."""
        return FittedODIN(network, self.temperature, self.eps)
