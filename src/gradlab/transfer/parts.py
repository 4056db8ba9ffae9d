"""The parts of a network from the input to its head, and a new head for other classes."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from gradlab.models import reinitialise
from gradlab.models._randomness import seeded
from gradlab.models.find_layer import head_name
from gradlab.types import UserError, derive_seed

OPENED = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
"""Modules that are but lists of parts."""
NORMS = (_NormBase, nn.LayerNorm, nn.GroupNorm)
"""Layers that belong to the part before them, which they normalise."""


@dataclass(frozen=True)
class Part:
    """Layers that are frozen or trained together: a block, a layer with its norm, or the head.

    Attributes:
        name: of its first layer, as in `named_modules`. parameters: names, as in `named_parameters`.
    """

    name: str
    parameters: tuple[str, ...]


def parts_of(model: nn.Module) -> tuple[Part, ...]:
    """Divide a network into parts, in the order of registration, the head last.

    Sequences and lists are opened; whatever else holds parameters is one part, such as a residual block, so that a block
    is never cut. A norm belongs to the part before it, and parameters of the network itself belong to the first part.

    Raises:
        UserError: no head, or nothing before it.
    """
    head = head_name(model)
    known = dict(model.named_parameters())
    found: list[tuple[str, list[str]]] = []
    for name, module in _opened(model, "", head):
        own = [inner for inner in (f"{name}.{one}" for one, _ in module.named_parameters()) if inner in known]
        if name == head or not own:
            continue
        if isinstance(module, NORMS) and found:
            found[-1][1].extend(own)
        else:
            found.append((name, own))
    if not found:
        raise UserError(
            f"{type(model).__name__} is a head and nothing else, so it has no part that could be transferred; "
            "take a deeper network."
        )
    last = tuple(name for name in known if name.startswith(f"{head}."))
    loose = set(known) - set(last) - {name for _, names in found for name in names}
    found[0][1].extend(name for name in known if name in loose)
    return (*(Part(name, tuple(names)) for name, names in found), Part(head, last))


def _opened(module: nn.Module, name: str, head: str) -> Iterator[tuple[str, nn.Module]]:
    """Yield the modules that are parts; whatever holds the head is opened as well."""
    for child, inner in module.named_children():
        place = f"{name}.{child}".removeprefix(".")
        if isinstance(inner, OPENED) or head.startswith(f"{place}."):
            yield from _opened(inner, place, head)
        else:
            yield place, inner


def with_new_head(model: nn.Module, classes: int, *, seed: int, fresh: bool = False) -> nn.Module:
    """Return a copy of a network with a head for other classes; the given one is left as it was.

    The head starts as that of a network of gradlab's builders with this seed; for any other module, as PyTorch draws a
    linear layer. All of the copy is set to train.

    Args:
        model: whose last linear layer gives the logits. classes: of the new head, at least 2. seed: of its weights.
        fresh: start everything else anew as well, so that nothing but the shape and the normalisation is kept.

    Raises:
        UserError: no head, fewer than two classes, or a module that cannot be drawn anew.
    """
    if classes < 2:
        raise UserError(f"a classifier needs at least two classes, got {classes}.")
    head = head_name(model)
    made = _rebuilt(model, classes, seed)
    if made is None:
        made = _copied(model, head, classes, seed, fresh=fresh)
    else:
        kept = f"{head}." if not fresh else ""
        state = {
            name: value
            for name, value in model.state_dict().items()
            if name.startswith("normalise.") or (kept and not name.startswith(kept))
        }
        made.load_state_dict(state, strict=False)
    for parameter in made.parameters():
        if parameter.is_floating_point():
            parameter.requires_grad_(True)
    return made


def _rebuilt(model: nn.Module, classes: int, seed: int) -> nn.Module | None:
    """Build a network of gradlab's own for other classes, on the device and in the format of the given one."""
    config, shape = getattr(model, "config", None), getattr(model, "input_shape", None)
    normalise = getattr(model, "normalise", None)
    if not hasattr(config, "build") or shape is None or normalise is None:
        return None
    channels = len(normalise.scale)
    made: nn.Module = config.build(  # type: ignore[union-attr]
        tuple(shape), classes, seed=seed, mean=(0.0,) * channels, std=(1.0,) * channels
    )
    like = next(model.parameters())
    return made.to(device=like.device, dtype=like.dtype)


def _copied(model: nn.Module, head: str, classes: int, seed: int, *, fresh: bool) -> nn.Module:
    made = copy.deepcopy(model)
    if fresh:
        reinitialise(made, seed)
    owner_name, _, own = head.rpartition(".")
    owner = made.get_submodule(owner_name)
    old = getattr(owner, own)
    with seeded(derive_seed(seed, "head")):
        new = nn.Linear(old.in_features, classes, bias=old.bias is not None)
    setattr(owner, own, new.to(device=old.weight.device, dtype=old.weight.dtype))
    for layer in made.modules():
        if getattr(layer, "class_names", None) is not None:
            layer.class_names = None  # type: ignore[assignment]
    return made


def train_only(model: nn.Module, names: tuple[str, ...]) -> nn.Module:
    """Return a copy in which the parameters of these names train and all others are frozen."""
    made = copy.deepcopy(model)
    chosen = set(names)
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            parameter.requires_grad_(name in chosen)
    return made
