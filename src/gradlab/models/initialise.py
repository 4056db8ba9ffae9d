"""Initial values that depend on (seed, parameter name) alone, so that twins start bit-equal."""

from __future__ import annotations

import math
from typing import TypeVar

import torch
from torch import Tensor, nn

from gradlab.models._randomness import seeded
from gradlab.models.mlp import Init
from gradlab.types import UserError, derive_seed

ModuleT = TypeVar("ModuleT", bound=nn.Module)


def initialise(module: nn.Module, seed: int, init: Init = "default", *, nonlinearity: str = "relu") -> None:
    """Fill the k-th linear layer from the stream "linear k" and the last from "head"; norms start at weight 1, bias 0.

    The names do not depend on how layers are grouped into blocks, so nets of blocks of one and of two layers, plain
    and residual, start bit-equal, and a deeper net starts with the layers of the shallower one.

    Args:
        module: changed in place.
        seed: the same seed and name give the same bits whatever else the net holds.
        init: "default" draws weight and bias from U(-1/sqrt(fan_in), 1/sqrt(fan_in)), as `nn.Linear` does;
            "he" draws N(0, gain²/fan_in) (He et al., 2015, arXiv:1502.01852), "xavier" U(±gain·sqrt(6/(fan_in+fan_out)))
            (Glorot & Bengio, 2010); both with zero biases.
        nonlinearity: of the hidden layers, for the gain of "he" and "xavier"; "gelu" takes the gain of "relu".

    Raises:
        UserError: the module has no linear layer.
    """
    layers = [child for child in module.modules() if isinstance(child, nn.Linear)]
    if not layers:
        raise UserError(
            "initialise fills linear layers and this module has none; use reinitialise(module, seed)."
        )
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm1d | nn.LayerNorm):
            norm.reset_parameters()
    names = [f"linear {number}" for number in range(len(layers) - 1)] + ["head"]
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


def _stream(seed: int, name: str) -> torch.Generator:
    return torch.Generator().manual_seed(derive_seed(seed, "init", name))


def _fill(tensor: Tensor, weight: Tensor, generator: torch.Generator, init: Init, nonlinearity: str) -> None:
    fan_out, fan_in = weight.shape
    gain = nn.init.calculate_gain("relu" if nonlinearity == "gelu" else nonlinearity)  # type: ignore[arg-type]
    with torch.no_grad():
        if init == "he":
            tensor.normal_(0.0, gain / math.sqrt(fan_in), generator=generator)
        else:
            bound = 1 / math.sqrt(fan_in) if init == "default" else gain * math.sqrt(6 / (fan_in + fan_out))
            tensor.uniform_(-bound, bound, generator=generator)
