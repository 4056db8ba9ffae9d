"""Eigen-CAM (Muhammad and Yeasin, 2020): the first singular vector of what a layer gave, for no class in particular."""

from __future__ import annotations

from typing import ClassVar, Literal

from gradlab._configuration import dataclass
from gradlab._torch import torch
from gradlab.explain._place import Layer
from gradlab.explain.method import Method
from gradlab.explain.scaled import finished
from gradlab.explain.targets import Targets, choose
from gradlab.explain.watch import watch
from gradlab.types import STRICT


def eigen_cam(
    model: torch.nn.Module,
    images: torch.Tensor,
    targets: Targets = None,
    layer: Layer = None,
    *,
    raw: bool = False,
) -> torch.Tensor:
    """Eigen-CAM (Muhammad & Yeasin, 2020, arXiv:2008.00299): activations projected on their first right singular vector.

    As published, activations are not centred. A singular vector has no sign; the one is taken with which the
    projections sum to a positive number. The map does not depend on the target.

    Args: as `grad_cam`; no gradient is used. raw: the projection, (N, h, w), without ReLU and scaling.

    Returns: (N, H, W) in [0, 1].

    Raises:
        UserError: as `grad_cam`.
    """
    seen = watch(model, images, None, layer, gradient=False)
    choose(seen.logits, targets)  # refuses what is no target
    places = seen.activations.flatten(2).transpose(1, 2).double()
    across = places.transpose(1, 2)
    if (
        places.shape[1] > places.shape[2]
    ):  # more places than channels: the smaller of the two products has the same values
        found = (places @ torch.linalg.eigh(across @ places).eigenvectors[..., -1:])[..., 0]
    else:
        values, vectors = torch.linalg.eigh(places @ across)  # squared singular values
        found = vectors[..., -1] * values[:, -1:].clamp(min=0).sqrt()  # A v₁ = σ₁ u₁
    found = found * torch.where(found.sum(1, keepdim=True) < 0, -1.0, 1.0)
    maps = found.unflatten(1, seen.activations.shape[2:]).to(seen.activations.dtype)
    return finished(maps, seen.images, raw=raw)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class EigenCAM(Method):
    """Eigen-CAM: the first singular vector of what a layer gave; the same map for every class.

    Attributes:
        layer: by name; left out, the last with spatial positions that the logits depend on.
    """

    explain: ClassVar = staticmethod(eigen_cam)
    kind: Literal["eigen-cam"] = "eigen-cam"
    layer: str | None = None
