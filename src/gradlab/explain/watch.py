"""What a layer gave for every image, and the gradient of the score there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gradlab._torch import torch
from gradlab.explain._checks import checked
from gradlab.explain._network import gradient_of, hooked, logits, undisturbed
from gradlab.explain._place import Layer, Place
from gradlab.explain.find_spatial_layer import first_tensor, locate
from gradlab.explain.scaled import wide
from gradlab.explain.targets import Chosen, Targets, choose, score_of
from gradlab.models.light import Light, light
from gradlab.types import UserError

MANY = 32
"""Images from which on a light copy saves more than it costs."""


@dataclass(frozen=True)
class Watched:
    """One pass over N images.

    Attributes:
        images: (N, C, H, W). logits: (N, K). chosen: what is explained. place: of the layer.
        activations: (N, C, h, w) of the layer, float32 at least, tokens brought to their grid.
        gradients: of the score there, the same shape; empty where none was asked for.
    """

    images: torch.Tensor
    logits: torch.Tensor
    chosen: Chosen
    place: Place
    activations: torch.Tensor
    gradients: torch.Tensor


def watch(
    model: torch.nn.Module,
    images: torch.Tensor,
    targets: Targets,
    layer: Layer,
    *,
    gradient: bool = True,
) -> Watched:
    """Run the network once, and back from the score to the layer.

    The graph begins at the layer: what comes before it is computed without one, and no gradient of a weight is
    computed. What the layer gave is copied, so that layers behind it that work in place do not change it.

    Raises:
        UserError: as the arguments are wrong, or no gradient arrives.
    """
    from gradlab.models.find_layer import find_layer

    model, images = checked(model, images)
    place = locate(model, images, layer)
    kept: list[torch.Tensor] = []

    def keep(_layer: torch.nn.Module, _inputs: Any, output: Any) -> Any:
        value = first_tensor(output).detach()
        if not gradient:
            kept.append(value.clone())
            return None
        torch.set_grad_enabled(True)  # from here on; the block around gives it back
        kept.append(value.requires_grad_(True))
        rest = output[1:] if isinstance(output, tuple) else None
        return value.clone() if rest is None else (value.clone(), *rest)

    with undisturbed(model, gradient=False):
        quick = light(model, images, keep=place.name) if len(images) >= MANY else model
        network = quick.network if isinstance(quick, Light) else model
        with hooked([find_layer(network, place.name)], keep):
            found = logits(quick, images)
        if len(kept) != 1:
            raise UserError(
                f"layer '{place.name}' ran {len(kept)} times in one forward pass; choose another."
            )
        with torch.set_grad_enabled(gradient):
            chosen = choose(found, targets)
            slope = gradient_of(score_of(found, chosen), kept[0]) if gradient else kept[0][:0]
    maps, gradients = (place.maps(wide(one)) for one in (kept[0].detach(), slope))
    return Watched(images, found.detach(), chosen, place, maps, gradients)
