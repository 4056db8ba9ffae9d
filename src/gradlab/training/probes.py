"""One pass of a probe: every layer's gradients, activation and last change, for one network or a stack of them."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd
from torch.nn.modules.dropout import _DropoutNd

from gradlab.models._randomness import seeded
from gradlab.models.stacked_layers import StackedBatchNorm, StackedDropout, StackedLayerNorm
from gradlab.training.modes import kept_modes, set_training
from gradlab.training.probe_row import ProbeRow
from gradlab.training.probes_activations import Activations
from gradlab.types import UserError

Before = Mapping[nn.Parameter, Tensor]
"""The weights before the last step."""


@dataclass(frozen=True)
class Layer:
    """A module with trained weights of its own.

    Attributes:
        name: the module's. module: itself. weights: its trained parameters called weight, or ..._weight, weight_...
        biases: likewise. axis: where its output has its units, counted without an axis of seeds.
    """

    name: str
    module: nn.Module
    weights: list[nn.Parameter]
    biases: list[nn.Parameter]
    axis: int


def layers_of(module: nn.Module, *, axes: int = 2) -> list[Layer]:
    """Find the layers whose trained weights have at least `axes` axes, in the order of registration.

    Raises:
        UserError: there is none.
    """
    found = []
    for name, part in module.named_modules():
        weights = [p for p in _called(part, "weight") if p.dim() >= axes]
        if weights and not isinstance(part, StackedLayerNorm | StackedBatchNorm):
            axis = 1 if isinstance(part, _ConvNd | _NormBase | nn.GroupNorm) else -1
            found.append(Layer(name, part, weights, _called(part, "bias"), axis))
    if not found:
        raise UserError(
            "this model has no layer with a trained weight to probe; set requires_grad=True on one."
        )
    return found


def measure(
    module: nn.Module,
    loss: Callable[[], Tensor],
    *,
    step: int,
    before: Before | None = None,
    networks: int | None = None,
) -> list[list[ProbeRow]]:
    """Probe a module, or a stack of `networks`, once.

    Args:
        module: left as found. loss: one forward pass to the loss, a mean over the batch, summed over the networks.
        step: written to the rows. before: weights before the last step, for the update ratio.
        networks: of a stack whose weights and features have a leading axis of this size; None for a single module.

    Returns: one list of rows a network, one row a layer.
    """
    layers = layers_of(module, axes=2 if networks is None else 3)
    tensors = list(dict.fromkeys(p for layer in layers for p in (*layer.weights, *layer.biases)))
    with probing(module):
        with Activations([layer.module for layer in layers]) as activations:
            value = loss()
        gradients = torch.autograd.grad(value, tensors, allow_unused=True)
    order = activations.order()
    layers = [layers[number] for number in order]
    with torch.no_grad():
        seeds = networks or 1
        norms = _norms(dict(zip(tensors, gradients, strict=True)), seeds)
        ran = [(activations.found(number), activations.own.get(number)) for number in order]
        scales, dead = _activation_numbers(layers, ran, stacked=networks is not None, seeds=seeds)
        changes, sizes = _changes(layers, before or {}, seeds)
    return [
        [
            ProbeRow(
                step,
                layer.name,
                index,
                _together(norms, layer.weights, seed) or 0.0,
                _together(norms, layer.biases, seed),
                scales[index][seed],
                dead[index][seed],
                _ratio(_together(changes, layer.weights, seed), _together(sizes, layer.weights, seed)),
            )
            for index, layer in enumerate(layers)
        ]
        for seed in range(seeds)
    ]


@contextlib.contextmanager
def probing(module: nn.Module) -> Iterator[None]:
    """Within the block a module is as in training, but without dropout; after it modes, buffers and streams are as before."""
    buffers = [(part, dict(part._buffers)) for part in module.modules() if part._buffers]
    values = [
        (kept, kept.detach().clone()) for _, own in buffers for kept in own.values() if kept is not None
    ]
    device = next((p.device for p in module.parameters()), None)
    try:
        with kept_modes(module), seeded(0, device), torch.enable_grad():
            set_training(module)
            for part in module.modules():
                if isinstance(part, _DropoutNd | StackedDropout):
                    part.eval()
            yield
    finally:
        with torch.no_grad():
            for part, own in buffers:
                part._buffers.clear()
                part._buffers.update(own)
            for tensor, value in values:
                tensor.copy_(value)


def check_steps(steps: Sequence[int]) -> Sequence[int]:
    """Refuse steps that are no step."""
    for step in steps:
        if isinstance(step, bool) or not isinstance(step, int) or step < 0:
            raise UserError(
                f"steps to probe are whole numbers from 0, the start, got {step!r}; write for example (0, 100, 200)."
            )
    return steps


def norm(tensor: Tensor) -> float:
    """L2 norm of a tensor, summed in float64, so that a small one does not vanish in the square."""
    return float(_norm(tensor, 1))


def _called(part: nn.Module, word: str) -> list[nn.Parameter]:
    return [
        parameter
        for name, parameter in part._parameters.items()
        if parameter is not None
        and parameter.requires_grad
        and (name == word or name.startswith(f"{word}_") or name.endswith(f"_{word}"))
    ]


def _norms(tensors: Mapping[nn.Parameter, Tensor | None], seeds: int) -> dict[nn.Parameter, list[float]]:
    """L2 norm of every tensor by network, summed in float64, so that a small one does not vanish in the square."""
    rows = [_norm(tensor, seeds) for tensor in tensors.values() if tensor is not None]
    values = iter(torch.stack(rows).tolist() if rows else [])
    return {
        parameter: [0.0] * seeds if tensor is None else next(values) for parameter, tensor in tensors.items()
    }


def _norm(tensor: Tensor, seeds: int) -> Tensor:
    rows = tensor.reshape(seeds, -1)
    return torch.linalg.vector_norm(rows, dim=1, dtype=_wide(tensor))  # type: ignore[no-any-return]


def _wide(tensor: Tensor) -> torch.dtype:
    return torch.float32 if tensor.device.type == "mps" else torch.float64  # an mps device has no float64


def _activation_numbers(
    layers: Sequence[Layer], ran: Sequence[tuple[Tensor | None, Tensor | None]], *, stacked: bool, seeds: int
) -> tuple[list[list[float | None]], list[list[float | None]]]:
    """Root mean square and fraction of dead units of every layer by network, from its activation and own output."""
    rows = []
    for layer, (activation, own) in zip(layers, ran, strict=True):
        if activation is None or own is None:
            continue
        features = activation.detach() if stacked else activation.detach().unsqueeze(0)
        axis = layer.axis
        if activation.dim() != own.dim():  # reshaped on its way: every number of a sample is a unit
            features, axis = features.flatten(2), -1
        scale = _norm(features, seeds) / math.sqrt(max(1, features.numel() // seeds))
        dead = (features == 0).movedim(axis + (axis > 0), -1).flatten(1, -2).all(1)
        rows.append(torch.stack([scale, dead.to(scale.dtype).mean(1)]))
    values = iter(torch.stack(rows).tolist() if rows else [])
    nothing: list[list[float | None]] = [[None] * seeds, [None] * seeds]
    pairs = [nothing if activation is None else next(values) for activation, _ in ran]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def _changes(
    layers: Sequence[Layer], before: Before, seeds: int
) -> tuple[dict[nn.Parameter, list[float]], dict[nn.Parameter, list[float]]]:
    """Norms of the change and of the old value of every weight whose old value is known."""
    known = [weight for layer in layers for weight in layer.weights if weight in before]
    moved = {weight: weight.detach().to(_wide(weight)) - before[weight].to(_wide(weight)) for weight in known}
    return _norms(moved, seeds), _norms({weight: before[weight] for weight in known}, seeds)


def _together(
    norms: Mapping[nn.Parameter, list[float]], parts: list[nn.Parameter], seed: int
) -> float | None:
    known = [norms[part][seed] for part in parts if part in norms]
    return math.hypot(*known) if known else None


def _ratio(change: float | None, size: float | None) -> float | None:
    return None if change is None or not size else change / size
