"""Layer-CAM (Jiang et al., 2021): every place weighted by its own positive gradient."""

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


def layer_cam(
    model: torch.nn.Module,
    images: torch.Tensor,
    targets: Targets = None,
    layer: Layer = None,
    *,
    raw: bool = False,
) -> torch.Tensor:
    """Layer-CAM (Jiang et al., 2021, doi:10.1109/TIP.2021.3089943): sum over channels of relu(gradient) · activation.

    Unlike Grad-CAM it weights places one by one, so that layers far from the end, with more places, can be used.

    Args: as `grad_cam`. raw: the sum, (N, h, w), without ReLU and scaling.

    Returns: (N, H, W) in [0, 1].

    Raises:
        UserError: as `grad_cam`.
    """
    seen = watch(model, images, targets, layer)
    return finished((seen.gradients.clamp(min=0) * seen.activations).sum(1), seen.images, raw=raw)  # eq. 6


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LayerCAM(Method):
    """Layer-CAM: every place weighted by its own positive gradient.

    Attributes:
        layer: by name; left out, the last with spatial positions that the logits depend on.
    """

    explain: ClassVar = staticmethod(layer_cam)
    kind: Literal["layer-cam"] = "layer-cam"
    layer: str | None = None
