"""A layer of a network by its name, and the name of its head."""

from __future__ import annotations

from torch import nn

from gradlab.types import UserError, did_you_mean


def find_layer(model: nn.Module, name: str) -> nn.Module:
    """Return the layer of that name, such as "layer3.0.conv1" or "blocks.2".

    Args:
        model: any module. name: dotted, as in `named_modules`.

    Raises:
        UserError: there is none; names the nearest, or the layers of the first level.
    """
    layers: dict[str, nn.Module] = dict(model.named_modules())
    if name and name in layers:
        return layers[name]
    near = did_you_mean(name, [one for one in layers if one])
    if not near.startswith("did you mean"):
        near = "the first level has " + ", ".join(one for one, _ in model.named_children()) + "."
    raise UserError(f"{type(model).__name__} has no layer '{name}'; {near}")


def head_name(model: nn.Module) -> str:
    """Return the name of the last linear layer in the order of registration, which gives the logits.

    Raises:
        UserError: there is none, or the model is that layer itself.
    """
    names: list[str] = [name for name, layer in model.named_modules() if isinstance(layer, nn.Linear)]
    if not names or not names[-1]:
        raise UserError(
            f"{type(model).__name__} has no linear layer inside it that gives the logits, so there is nothing to read "
            "before it or to replace; name a layer, or put the network and an nn.Linear into an nn.Sequential."
        )
    return names[-1]
