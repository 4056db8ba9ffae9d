"""A stack of MLPs as one step of autograd: the same kernels on the same numbers, with no module and no graph between layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.modules.module import _has_any_global_hook

from gradlab.models.mlp_network import Block, MLPNetwork
from gradlab.models.stacked_layers import StackedLinear

aten = torch.ops.aten
FROM_OUTPUT: dict[type[nn.Module], tuple[Callable[[Tensor], Tensor], Callable[[Tensor, Tensor], Tensor]]] = {
    nn.ReLU: (torch.relu_, lambda gradient, output: aten.threshold_backward(gradient, output, 0)),
    nn.Tanh: (torch.tanh_, aten.tanh_backward),
    nn.Sigmoid: (torch.sigmoid_, aten.sigmoid_backward),
}
"""Activations whose gradient follows from their output: in place, and the gradient of their input."""
Step = Literal["linear", "start", "add"] | type[nn.Module]
"""A linear layer, the start of a residual block, its end, or an activation."""
LARGEST = 2**20
"""Numbers of a stack that is still a chain: in a larger one modules cost little, and a chain holds all gradients at once."""
HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


class Chain:
    """The body of a stacked `MLPNetwork` without norm and dropout: features (S, B, C·H·W) to logits (S, B, K).

    Logits and gradients are those of the modules, bit for bit. What lies between layers cannot be seen, so it is used
    only where nobody looks: `fits` says so for each call. A graph can be gone back through once.
    """

    def __init__(self, network: MLPNetwork, steps: Sequence[Step], layers: Sequence[StackedLinear]) -> None:
        self._steps = tuple(steps)
        self._parameters = [one for layer in layers for one in (layer.weight, layer.bias)]
        self._hooks = [getattr(module, name) for module in network.modules() for name in HOOKS]

    def fits(self, features: Tensor) -> bool:
        """Whether a gradient of the weights is all that is wanted: no hook, no gradient of the features, no mixed precision."""
        return (
            torch.is_grad_enabled()
            and not features.requires_grad
            and not torch.is_autocast_enabled(features.device.type)
            and not any(self._hooks)
            and not _has_any_global_hook()  # type: ignore[no-untyped-call]
        )

    def __call__(self, features: Tensor) -> Tensor:
        """Map features (S, B, C·H·W) to logits (S, B, K)."""
        return _Chain.apply(self._steps, features, *self._parameters)  # type: ignore[no-any-return, no-untyped-call]


def chain_of(network: MLPNetwork) -> Chain | None:
    """Return a stacked network as a chain, or None where it is large, or has or freezes anything that a chain does not know."""
    layers: list[StackedLinear] = []
    steps = [step for part in (network.stem, network.blocks, network.head) for step in _steps(part, layers)]
    known = [one for layer in layers for one in (layer.weight, layer.bias)]
    own = list(network.parameters())
    is_whole = len(own) == len(known) and {id(one) for one in own} == {id(one) for one in known}
    trains = all(one.requires_grad for one in own)
    if sum(one.numel() for one in own) > LARGEST:
        return None
    if not (is_whole and trains and _is_regular(steps)) or "body" in vars(network):
        return None
    return Chain(network, [step for step in steps if step is not None], layers)


def _is_regular(steps: Sequence[Step | None]) -> bool:
    """Whether every activation follows a linear layer or a sum, whose output it may overwrite, and both ends are linear."""
    activations = [number for number, step in enumerate(steps) if isinstance(step, type)]
    fresh = all(number and steps[number - 1] in ("linear", "add") for number in activations)
    return None not in steps and fresh and steps[0] == steps[-1] == "linear"


def _steps(module: nn.Module, layers: list[StackedLinear]) -> list[Step | None]:
    """Return what a module does, in order, and add its linear layers to `layers`; None stands for what a chain cannot do."""
    if "forward" in vars(module):
        return [None]
    if type(module) is StackedLinear:
        layers.append(module)
        return ["linear"]
    if type(module) is nn.Identity:
        return []
    if type(module) is nn.Sequential:
        return [step for child in module for step in _steps(child, layers)]
    if type(module) is Block:
        branch = _steps(module.branch, layers)
        if module.residual:
            branch = ["start", *branch, "add"]
        return [*branch, *_steps(module.after, layers)]
    return [type(module) if type(module) in FROM_OUTPUT else None]


class _Chain(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, steps: Sequence[Step], features: Tensor, *parameters: Tensor) -> Tensor:
        """Go through the steps; kept are the inputs of linear layers and the outputs of activations."""
        context.save_for_backward(features, *parameters)
        kept: list[Tensor] = []
        skips: list[Tensor] = []
        given = iter(parameters)
        for step in steps:
            if step == "linear":
                kept.append(features)
                weight = next(given)
                features = torch.baddbmm(next(given), features, weight)
            elif step == "start":
                skips.append(features)
            elif step == "add":
                features = skips.pop() + features
            else:
                features = FROM_OUTPUT[step][0](features)
                kept.append(features)
        context.steps, context.kept = steps, kept[1:]
        return features

    @staticmethod
    @once_differentiable
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Go back through the steps; every kept tensor is freed as soon as it was used."""
        features, *left = context.saved_tensors
        kept, context.kept = context.kept, None
        if kept is None:
            raise RuntimeError("a chain of layers can be gone back through once; call the network again.")
        kept.insert(0, features)
        found: list[Tensor] = []
        skips: list[Tensor] = []
        for step in reversed(context.steps):
            if step == "linear":
                weight = left[-2]
                del left[-2:]
                found += [gradient.sum(1, keepdim=True), torch.bmm(kept.pop().mT, gradient)]
                if left:  # nobody asks for the gradient of the first layer's input
                    gradient = torch.bmm(gradient, weight.mT)
            elif step == "start":
                gradient = skips.pop() + gradient
            elif step == "add":
                skips.append(gradient)
            else:
                gradient = FROM_OUTPUT[step][1](gradient, kept.pop())
        return None, None, *reversed(found)
