"""A stack of MLPs as one step of autograd: the same kernels on the same numbers, with no module and no graph between layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from gradlab.models.mlp_network import Block, MLPNetwork
from gradlab.models.stacked_layers import StackedLinear

aten = torch.ops.aten
FROM_OUTPUT: dict[type[nn.Module], tuple[Callable[[Tensor], Tensor], Callable[[Tensor, Tensor], Tensor]]] = {
    nn.ReLU: (torch.relu_, lambda gradient, output: aten.threshold_backward(gradient, output, 0)),
    nn.Tanh: (torch.tanh_, aten.tanh_backward),
    nn.Sigmoid: (torch.sigmoid_, aten.sigmoid_backward),
}
"""Activations whose gradient follows from their output: in place, and the gradient of their input."""
Step = str | type[nn.Module]
"""A linear layer, the start of a residual block, its end, or an activation."""
NO_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


class Chain:
    """The body of a stacked `MLPNetwork` without norm and dropout: features (S, B, C·H·W) to logits (S, B, K).

    Logits and gradients are those of the modules, bit for bit. What lies between layers cannot be seen, so it is used
    only where nobody looks: `fits` says so for each call.
    """

    def __init__(self, network: MLPNetwork, steps: tuple[Step, ...]) -> None:
        self._steps = steps
        layers = [layer for layer in network.modules() if isinstance(layer, StackedLinear)]
        self._parameters = [one for layer in layers for one in (layer.weight, layer.bias)]
        self._hooks = [getattr(module, name) for module in network.modules() for name in NO_HOOKS]

    def fits(self, features: Tensor) -> bool:
        """Whether a gradient of the weights is all that is wanted: no hook, no gradient of the features, no mixed precision."""
        return (
            torch.is_grad_enabled()
            and not features.requires_grad
            and not torch.is_autocast_enabled(features.device.type)
            and not any(self._hooks)
        )

    def __call__(self, features: Tensor) -> Tensor:
        """Map features (S, B, C·H·W) to logits (S, B, K)."""
        return _Chain.apply(self._steps, features, *self._parameters)  # type: ignore[no-any-return, no-untyped-call]


def chain_of(network: MLPNetwork) -> Chain | None:
    """Return a stacked network as a chain, or None where it has a layer that a chain does not know, or a frozen one."""
    steps = [*_steps(network.stem), *_steps(network.blocks), *_steps(network.head)]
    layers = [layer for layer in network.modules() if isinstance(layer, StackedLinear)]
    trained = all(parameter.requires_grad for parameter in network.parameters())
    if None in steps or not trained or any(layer.bias is None for layer in layers):
        return None
    return Chain(network, tuple(step for step in steps if step is not None))


def _steps(module: nn.Module) -> list[Step | None]:
    """Return what a module does, in order; None stands for what a chain cannot do."""
    if isinstance(module, StackedLinear):
        return ["linear"]
    if isinstance(module, nn.Identity):
        return []
    if isinstance(module, nn.Sequential):
        return [step for child in module for step in _steps(child)]
    if isinstance(module, Block):
        branch = _steps(module.branch)
        return [*(["start", *branch, "add"] if module.residual else branch), *_steps(module.after)]
    return [type(module) if type(module) in FROM_OUTPUT else None]


class _Chain(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, steps: Sequence[Step], features: Tensor, *parameters: Tensor) -> Tensor:
        """Go through the steps; kept are the inputs of linear layers and the outputs of activations."""
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
                features = FROM_OUTPUT[step][0](features)  # type: ignore[index]
                kept.append(features)
        context.steps, context.kept = steps, kept
        context.save_for_backward(*parameters)
        return features

    @staticmethod
    @once_differentiable
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Go back through the steps; every kept tensor is freed as soon as it was used."""
        kept: list[Tensor] = context.kept
        left = list(context.saved_tensors)
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
