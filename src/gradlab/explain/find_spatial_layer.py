"""The layer whose places a map is drawn from: found by itself, or named."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from gradlab._torch import torch
from gradlab.explain._network import hooked, logits, undisturbed
from gradlab.types import UserError

MOST_EXTRA = 8
"""Tokens that may stand before those of the patches: of the class, of distillation, registers."""
NO_PLACES = (
    "so its output says nothing about positions; name a convolution, a block or a norm of tokens before the pooling, or take a "
    "method that needs no layer (saliency, integrated-gradients, occlusion)."
)


@dataclass(frozen=True)
class Place:
    """A layer with spatial positions.

    Attributes:
        name: as in `named_modules`. grid: (h, w) of its tokens (N, T, D); None where it puts out (N, C, h, w).
    """

    name: str
    grid: tuple[int, int] | None = None

    def maps(self, output: torch.Tensor) -> torch.Tensor:
        """Return the layer's output, or a gradient there, as (N, C, h, w); tokens before the patches are left out."""
        if self.grid is None:
            return output
        patches = output[:, output.shape[1] - math.prod(self.grid) :]
        return torch.unflatten(patches.transpose(1, 2), 2, self.grid)


@dataclass
class Seen:
    """What one layer put out, in the order in which layers ran."""

    name: str
    layer: torch.nn.Module
    value: torch.Tensor


def find_spatial_layer(model: torch.nn.Module, images: torch.Tensor) -> str:
    """Return the name of the last layer with spatial positions that the logits depend on.

    That is the output (N, C, h, w) of the last convolutional block before pooling and flattening, or, of a transformer,
    of the last norm whose patch tokens reach the logits: where the head reads a class token alone, the one before the
    last attention.

    Args:
        model: maps images to logits. images: (N, C, H, W) float in [0, 1]; the first is run once.

    Raises:
        UserError: the model has no such layer.
    """
    return locate(model, images, None).name


def locate(model: torch.nn.Module, images: torch.Tensor, layer: str | Place | None) -> Place:
    """Return the place of a named layer, or of the one that is found; a Place comes back as it is.

    Raises:
        UserError: no such layer (the nearest is suggested), or one without spatial positions.
    """
    if isinstance(layer, Place):
        return layer
    if layer is not None:
        from gradlab.models.find_layer import find_layer

        find_layer(model, layer)
    with undisturbed(model, gradient=True):
        seen, score = _trace(model, images)
        return _found(model, seen, score, images) if layer is None else _named(layer, seen, images)


def first_tensor(output: Any) -> Any:
    """Return what a layer put out: a tensor, or the first of a tuple, as the blocks of some transformers return."""
    return output[0] if isinstance(output, tuple) and output else output


def _trace(model: torch.nn.Module, images: torch.Tensor) -> tuple[list[Seen], torch.Tensor]:
    """Run one image, twice in a batch, so that what is cut into windows is told from the batch."""
    names = {layer: name for name, layer in model.named_modules() if name}
    seen: list[Seen] = []
    has_learned = False  # before the first weights every output is the image, scaled

    def see(layer: torch.nn.Module, _inputs: Any, output: Any) -> None:
        nonlocal has_learned
        has_learned = has_learned or any(True for _ in layer.parameters())
        value = first_tensor(output)
        if (
            has_learned
            and isinstance(value, torch.Tensor)
            and value.is_floating_point()
            and _has_places(value)
        ):
            seen.append(Seen(names[layer], layer, value))

    batch = images[:1].expand(2, -1, -1, -1).clone().requires_grad_(True)
    with hooked(names, see):
        found = logits(model, batch)
    return seen, found.amax(1).sum()


def _has_places(value: torch.Tensor) -> bool:
    if value.dim() == 4:
        return len(value) == 2 and math.prod(value.shape[2:]) > 1
    return value.dim() == 3 and len(value) == 2 and value.shape[1] > 1


def _named(name: str, seen: list[Seen], images: torch.Tensor) -> Place:
    own = [one for one in seen if one.name == name]
    if not own:
        raise UserError(
            f"layer '{name}' gives neither (N, C, h, w) with several positions nor tokens, {NO_PLACES}"
        )
    if len(own) > 1:
        raise UserError(
            f"layer '{name}' runs {len(own)} times in one forward pass, so there is not one map of it; name the block that "
            "holds it."
        )
    return _place(own[0], seen, images)


def _found(model: torch.nn.Module, seen: list[Seen], score: torch.Tensor, images: torch.Tensor) -> Place:
    once = {one.name for one in seen if sum(other.name == one.name for other in seen) == 1}
    candidates = [one for one in reversed(seen) if one.name in once and _is_candidate(one, seen)]
    reached = _reached(candidates, score)
    fallback: Place | None = None
    for one, gradient in zip(candidates, reached, strict=True):
        try:
            place = _place(one, seen, images)
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
    found = torch.autograd.grad(score, [one.value for one in able], allow_unused=True)
    known = {id(one): gradient for one, gradient in zip(able, found, strict=True)}
    return [known.get(id(one)) for one in candidates]


def _place(one: Seen, seen: list[Seen], images: torch.Tensor) -> Place:
    if one.value.dim() == 4:
        return Place(one.name)
    tokens = one.value.shape[1]
    grids = [tuple(other.value.shape[2:]) for other in seen if other.value.dim() == 4]
    height, width = images.shape[2:]
    side = math.isqrt(tokens * height // width)
    grids += [(rows, rows * width // height) for rows in (side, side - 1) if rows > 0]
    for grid in sorted(grids, key=lambda grid: abs(tokens - math.prod(grid))):
        if 0 <= tokens - math.prod(grid) <= MOST_EXTRA and math.prod(grid) > 1:
            return Place(one.name, (int(grid[0]), int(grid[1])))
    raise UserError(
        f"layer '{one.name}' puts out {tokens} tokens, which fit no grid of the {height}×{width} image, {NO_PLACES}"
    )
