"""Grad-CAM++ (Chattopadhyay et al., 2018): places weighted before they are averaged, for several objects of a class."""

from __future__ import annotations

from typing import ClassVar, Literal

from gradlab._configuration import dataclass
from gradlab._torch import torch
from gradlab.explain._place import Layer
from gradlab.explain.method import Method
from gradlab.explain.scaled import finished
from gradlab.explain.targets import Targets
from gradlab.explain.watch import watch
from gradlab.types import STRICT


def grad_cam_plus_plus(
    model: torch.nn.Module,
    images: torch.Tensor,
    targets: Targets = None,
    layer: Layer = None,
    *,
    raw: bool = False,
) -> torch.Tensor:
    """Grad-CAM++ (Chattopadhyay et al., 2018, arXiv:1710.11063): a channel's weight is sum of alpha · relu(gradient).

    With the exponential of the logit as the score, second and third derivatives are powers of the gradient g, and
    alpha = g² / (2 g² + g³ · sum over places of A), eq. 19; the factor exp(logit), the same at every place of an image,
    is left out, since maps are scaled.

    Args: as `grad_cam`. raw: the weighted sum, (N, h, w), without ReLU and scaling.

    Returns: (N, H, W) in [0, 1].

    Raises:
        UserError: as `grad_cam`.
    """
    seen = watch(model, images, targets, layer)
    slope, sums = seen.gradients, seen.activations.sum((2, 3), keepdim=True)
    below = 2 * slope**2 + slope**3 * sums
    alpha = torch.where(below != 0, slope**2 / torch.where(below != 0, below, 1.0), 0.0)  # eq. 19
    weights = (alpha * slope.clamp(min=0)).sum((2, 3))  # eq. 5
    return finished(torch.einsum("nc,nchw->nhw", weights, seen.activations), seen.images, raw=raw)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class GradCAMPlusPlus(Method):
    """Grad-CAM++: positive gradients alone, places weighted before they are averaged.

    Attributes:
        layer: by name; left out, the last with spatial positions that the logits depend on.
    """

    explain: ClassVar = staticmethod(grad_cam_plus_plus)
    kind: Literal["grad-cam++"] = "grad-cam++"
    layer: str | None = None
