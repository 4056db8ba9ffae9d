"""Grad-CAM (Selvaraju et al., 2017): channels weighted by the mean gradient of the score."""

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


def grad_cam(
    model: torch.nn.Module,
    images: torch.Tensor,
    targets: Targets = None,
    layer: Layer = None,
    *,
    raw: bool = False,
) -> torch.Tensor:
    """Grad-CAM (Selvaraju et al., 2017, arXiv:1610.02391): ReLU of the sum over channels of weight times activation.

    A channel's weight is the mean over all places of the gradient of the score there (eq. 1).

    Args:
        model: maps images (N, C, H, W) in [0, 1] to logits (N, K); in any mode, left as it was found.
        images: (N, C, H, W) float in [0, 1].
        targets: None for the predicted classes, a class, one for each image, or a function of the logits.
        layer: by name; left out, the last with spatial positions that the logits depend on.
        raw: return the sum itself, (N, h, w) at the size of the layer, without ReLU and scaling (eq. 2 inside).

    Returns: (N, H, W) in [0, 1]; each map stretched by itself, all 0 where it is constant.

    Raises:
        UserError: images outside [0, 1], no such layer or target, or a model that gives no logits or no gradient.
    """
    seen = watch(model, images, targets, layer)
    weights = seen.gradients.mean((2, 3))  # eq. 1
    maps = torch.einsum("nc,nchw->nhw", weights, seen.activations)  # eq. 2
    return finished(maps, seen.images, raw=raw)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class GradCAM(Method):
    """Grad-CAM: channels weighted by the mean gradient of the score.

    Attributes:
        layer: by name; left out, the last with spatial positions that the logits depend on.
    """

    explain: ClassVar = staticmethod(grad_cam)
    kind: Literal["grad-cam"] = "grad-cam"
    layer: str | None = None
