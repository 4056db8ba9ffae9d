"""Initial values that depend on (seed, parameter name) alone, so that twins start bit-equal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn

from gradlab.models._randomness import seeded
from gradlab.models.mlp import Init
from gradlab.types import UserError, derive_seed

ModuleT = TypeVar("ModuleT", bound=nn.Module)


def initialise(
    module: nn.Module,
    seed: int,
    init: Init = "default",
    *,
    nonlinearity: str = "relu",
    streams: Sequence[str] | None = None,
) -> None:
    """Fill every linear and convolutional layer from a stream of its own; norms start at weight 1, bias 0.

    The k-th linear layer draws from the stream "linear k", the k-th convolution from "convolution k", and the last
    layer from "head". The names do not depend on how layers are grouped into blocks, so nets of blocks of one and of
    two layers, plain and residual, start bit-equal, and a deeper net starts with the layers of the shallower one.

    Args:
        module: changed in place.
        seed: the same seed and name give the same bits whatever else the net holds.
        init: "default" draws weight and bias from U(-1/sqrt(fan_in), 1/sqrt(fan_in)), as `nn.Linear` does;
            "he" draws N(0, gain²/fan_in) (He et al., 2015, arXiv:1502.01852), "xavier" U(±gain·sqrt(6/(fan_in+fan_out)))
            (Glorot & Bengio, 2010); both with zero biases.
        nonlinearity: of the hidden layers, for the gain of "he" and "xavier"; "gelu" takes the gain of "relu".
        streams: other names for the layers' streams, one each, in their order.

    The fans of a convolution are those of one place: channels times the size of the kernel.

    Raises:
        UserError: the module has no such layer, or another number of them than names.
    """
    layers = [child for child in module.modules() if isinstance(child, nn.Linear | nn.Conv2d)]
    if not layers:
        raise UserError(
            "initialise fills linear and convolutional layers and this module has none; use reinitialise(module, seed)."
        )
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d | nn.LayerNorm):
            norm.reset_parameters()
    names = _numbered(layers) if streams is None else list(streams)
    if len(names) != len(layers):
        raise UserError(
            f"streams must name each of the {len(layers)} layers that hold weights, got {len(names)} names."
        )
    for name, child in zip(names, layers, strict=True):
        _fill(child.weight, child.weight, _stream(seed, f"{name} weight"), init, nonlinearity)
        if child.bias is not None and init == "default":
            _fill(child.bias, child.weight, _stream(seed, f"{name} bias"), init, nonlinearity)
        elif child.bias is not None:
            nn.init.zeros_(child.bias)


def reinitialise(module: ModuleT, seed: int) -> ModuleT:
    """Draw fresh initial values, in place, for any module whose layers know `reset_parameters`; returns the module.

    Each layer draws from its own stream of (seed, name); the global random state is left as it was.

    Raises:
        UserError: a layer holds parameters of its own but has no `reset_parameters`.
    """
    for name, child in module.named_modules():
        own = next(child.parameters(recurse=False), None)
        reset = getattr(child, "reset_parameters", None)
        if callable(reset):
            with seeded(derive_seed(seed, "init", name), None if own is None else own.device):
                reset()
        elif own is not None:
            raise UserError(
                f"layer '{name or type(module).__name__}' holds parameters but has no reset_parameters(), so it cannot "
                "start afresh for every seed; pass a function seed -> module instead of a module."
            )
    return module


def _numbered(layers: Sequence[nn.Module]) -> list[str]:
    kinds = ["convolution" if isinstance(layer, nn.Conv2d) else "linear" for layer in layers]
    return [f"{kind} {kinds[:place].count(kind)}" for place, kind in enumerate(kinds[:-1])] + ["head"]


def _stream(seed: int, name: str) -> torch.Generator:
    return torch.Generator().manual_seed(derive_seed(seed, "init", name))


def _fill(tensor: Tensor, weight: Tensor, generator: torch.Generator, init: Init, nonlinearity: str) -> None:
    places = weight[0, 0].numel()  # of a kernel; 1 for a linear layer
    fan_in, fan_out = weight.shape[1] * places, weight.shape[0] * places
    gain = nn.init.calculate_gain("relu" if nonlinearity == "gelu" else nonlinearity)  # type: ignore[arg-type]
    with torch.no_grad():
        if init == "he":
            tensor.normal_(0.0, gain / math.sqrt(fan_in), generator=generator)
        else:
            bound = 1 / math.sqrt(fan_in) if init == "default" else gain * math.sqrt(6 / (fan_in + fan_out))
            tensor.uniform_(-bound, bound, generator=generator)
