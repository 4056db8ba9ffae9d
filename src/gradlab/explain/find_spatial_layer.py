"""The layer whose places a map is drawn from: found by itself, or named."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from gradlab._torch import torch
from gradlab.explain._checks import checked
from gradlab.explain._network import hooked, logits, undisturbed
from gradlab.explain._place import NO_PLACES, Layer, Place, Seen, Trace, place_of
from gradlab.types import UserError


def find_spatial_layer(model: torch.nn.Module, images: torch.Tensor) -> str:
    """Return the name of the last layer with spatial positions that the logits depend on.

    That is the output, (N, C, h, w) or (N, h, w, C), of the last convolutional block before pooling and flattening, or, of a
    transformer, of the last norm whose patch tokens reach the logits: where the head reads a class token alone, the one
    before the last attention.

    Args:
        model: maps images to logits. images: (N, C, H, W) float in [0, 1]; the first is run once.

    Raises:
        UserError: the model has no such layer, or cannot be run on these images.
    """
    return locate(*checked(model, images), None).name


def locate(model: torch.nn.Module, images: torch.Tensor, layer: Layer) -> Place:
    """Return the place of a layer that is given, or of the one that is found; a Place comes back as it is.

    Raises:
        UserError: no such layer (the nearest is suggested), or one without spatial positions.
    """
    if isinstance(layer, Place):
        return layer
    name = None if layer is None else name_of(model, layer)
    with undisturbed(model, gradient=True):
        trace = traced(model, images)
        return _found(model, trace) if name is None else _named(name, trace)


def name_of(model: torch.nn.Module, layer: Any) -> str:
    """Return the name of a layer that is given by its name, or as the module itself.

    Raises:
        UserError: the model has no such layer.
    """
    from gradlab.models.find_layer import find_layer

    if isinstance(layer, torch.nn.Module):
        names: list[str] = [name for name, one in model.named_modules() if one is layer and name]
        if not names:
            raise UserError(
                f"layer= got a {type(layer).__name__} that is no layer of this {type(model).__name__}; give one of its own, or "
                "its name as in named_modules()."
            )
        return names[0]
    if not isinstance(layer, str):
        hint = "; explain several layers one after the other" if isinstance(layer, list | tuple) else ""
        raise UserError(
            f"layer= takes one layer, its name as in named_modules() or the module itself, got {layer!r:.60}{hint}."
        )
    find_layer(model, layer)
    return layer


def first_tensor(output: Any) -> Any:
    """Return what a layer put out: a tensor, or the first of a tuple, as the blocks of some transformers return."""
    return output[0] if isinstance(output, tuple) and output else output


def traced(model: torch.nn.Module, images: torch.Tensor) -> Trace:
    """Run one image, twice in a batch, so that what is cut into windows is told from the batch."""
    from gradlab.explain._channels import Channels

    names = {layer: name for name, layer in model.named_modules() if name}
    seen: list[Seen] = []
    runs: Counter[str] = Counter()
    has_learned = False  # before the first weights every output is the image, scaled
    channels = Channels()

    def see(layer: torch.nn.Module, _inputs: Any, output: Any) -> None:
        nonlocal has_learned
        has_learned = has_learned or any(True for _ in layer.parameters())
        runs[names[layer]] += 1
        value = first_tensor(output)
        if has_learned and isinstance(value, torch.Tensor) and value.is_floating_point():
            axis = channels.axis(value)
            if _has_places(value, axis):
                seen.append(Seen(names[layer], layer, value, axis))

    batch = images[:1].expand(2, -1, -1, -1).clone().requires_grad_(True)
    with channels, hooked(names, see):
        channels.put(batch, 1)
        found = logits(model, batch)
    return Trace(seen, runs, batch, found.amax(1).sum())


def _has_places(value: torch.Tensor, axis: int | None) -> bool:
    """Whether there is a row for each of the two images, and in it more than one position."""
    if value.dim() not in (3, 4) or len(value) != 2 or axis == 0:
        return False
    return axis is None or math.prod(value.shape) > 2 * value.shape[axis]


def _named(name: str, trace: Trace) -> Place:
    own = [one for one in trace.seen if one.name == name]
    if not trace.runs[name]:
        raise UserError(
            f"layer '{name}' is not called when the network runs, so it has no output to draw a map of; name one that is, such "
            "as the block around it."
        )
    if not own:
        raise UserError(
            f"layer '{name}' gives neither (N, C, h, w) with several positions nor tokens, {NO_PLACES}"
        )
    if trace.runs[name] > 1:
        raise UserError(
            f"layer '{name}' runs {trace.runs[name]} times in one forward pass, so there is not one map of it; name the block "
            "that holds it."
        )
    return place_of(own[0], trace)


def _found(model: torch.nn.Module, trace: Trace) -> Place:
    candidates = [
        one for one in reversed(trace.seen) if trace.runs[one.name] == 1 and _is_candidate(one, trace.seen)
    ]
    reached = _reached(candidates, trace.score)
    fallback: Place | None = None
    for one, gradient in zip(candidates, reached, strict=True):
        try:
            place = place_of(one, trace)
        except UserError:
            continue
        fallback = fallback or place
        if gradient is not None and (place.grid is None or bool(place.maps(gradient).any())):
            return place
    if fallback is None:
        raise UserError(
            f"{type(model).__name__} has no layer with spatial positions before its logits, {NO_PLACES}"
        )
    return fallback


def _is_candidate(one: Seen, seen: list[Seen]) -> bool:
    """Whether a layer may be taken without being named: no pooling, no part of an attention; of tokens, a norm."""
    nn = torch.nn
    pools = (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d, nn.LPPool2d)
    if one.value.dim() == 3:
        return "norm" in type(one.layer).__name__.lower()
    if isinstance(one.layer, nn.Softmax | nn.Dropout | nn.Identity):
        return False
    return not any(other.value is one.value and isinstance(other.layer, pools) for other in seen)


def _reached(candidates: list[Seen], score: torch.Tensor) -> list[torch.Tensor | None]:
    """Return the gradient of the score at each candidate, None where it does not depend on it."""
    able = [one for one in candidates if one.value.requires_grad]
    if not able or not score.requires_grad:
        return [one.value for one in candidates]  # gradients are cut off; whatever comes last is taken
    found = torch.autograd.grad(score, [one.value for one in able], allow_unused=True, retain_graph=True)
    known = {id(one): gradient for one, gradient in zip(able, found, strict=True)}
    return [known.get(id(one)) for one in candidates]
