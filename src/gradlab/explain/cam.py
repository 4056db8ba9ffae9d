"""CAM (Zhou et al., 2016): the weights of the linear layer behind a global average, place by place."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from gradlab._configuration import dataclass
from gradlab._torch import torch
from gradlab.explain._checks import checked
from gradlab.explain._network import hooked
from gradlab.explain._place import Layer
from gradlab.explain.method import Method
from gradlab.explain.scaled import finished, wide
from gradlab.explain.targets import Targets, choose
from gradlab.explain.watch import Watched, watch
from gradlab.types import STRICT, UserError

ALIKE = 1e-3
"""By which the head's input may differ from the mean over places, relative to it, where numbers are rounded."""


def cam(
    model: torch.nn.Module,
    images: torch.Tensor,
    targets: Targets = None,
    layer: Layer = None,
    *,
    raw: bool = False,
) -> torch.Tensor:
    """Class activation map (Zhou et al., 2016, arXiv:1512.04150): M = sum over channels of weight times activation.

    Exact for a network that averages its last layer over all places and reads the averages with one linear layer: then
    mean(M) + bias is the logit, and Grad-CAM's sum is M / (h·w).

    Args: as `grad_cam`, but for targets, which are classes. raw: M itself, (N, h, w), without ReLU and scaling.

    Returns: (N, H, W) in [0, 1].

    Raises:
        UserError: another kind of network, a function as target, or as `grad_cam`.
    """
    linears: list[tuple[torch.nn.Linear, torch.Tensor, torch.Tensor]] = []

    def see(one: Any, inputs: Any, output: torch.Tensor) -> None:
        if inputs:  # and not by keyword
            linears.append((one, inputs[0].detach(), output.detach()))

    model, images = checked(model, images)
    with hooked([one for one in model.modules() if isinstance(one, torch.nn.Linear)], see):
        seen = watch(model, images, None, layer, gradient=False)
    weight = _weight(model, seen, linears)
    chosen = choose(seen.logits, targets)
    if not isinstance(chosen, torch.Tensor):
        raise UserError("cam explains classes, got a function as target; take grad_cam.")
    return finished(torch.einsum("nc,nchw->nhw", weight[chosen], seen.activations), seen.images, raw=raw)


def _weight(model: torch.nn.Module, seen: Watched, linears: list[Any]) -> torch.Tensor:
    """Return the head's weight (K, C), if it reads the mean over places of the layer and nothing else."""
    mean = seen.activations.mean((2, 3))
    for one, read, put in reversed(linears):
        if put.shape == seen.logits.shape and torch.equal(put, seen.logits) and read.shape == mean.shape:
            alike = max(ALIKE, 4 * torch.finfo(read.dtype).eps)  # half precision rounds more
            if torch.allclose(wide(read), mean, rtol=alike, atol=alike * float(mean.abs().max())):
                return wide(one.weight.detach())
            break
    raise UserError(
        f"cam needs a network that averages a layer over all positions and reads the averages with one linear layer, and "
        f"{type(model).__name__} does something else after '{seen.place.name}'; take grad_cam."
    )


@dataclass(frozen=True, kw_only=True, config=STRICT)
class CAM(Method):
    """CAM: the head's weights place by place, for networks that end with a global average and one linear layer.

    Attributes:
        layer: by name; left out, the last with spatial positions that the logits depend on.
    """

    explain: ClassVar = staticmethod(cam)
    kind: Literal["cam"] = "cam"
    layer: str | None = None
