"""One pass of a probe: every layer's gradients, activation and last change, for one network or a stack of them."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
SMALL = 2**18
"""Most numbers of a tensor that is joined with others of its shape."""


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


def check_module(model: object, reader: str) -> nn.Module:
    """Return the module; refuse what is none. `reader` is who asks, for the message."""
    if not isinstance(model, nn.Module):
        raise UserError(
            f"{reader} expects a torch.nn.Module, got {type(model).__name__}; pass the module itself."
        )
    return model


def check_steps(steps: Sequence[int]) -> tuple[int, ...]:
    """Return the steps; refuse those that are no step."""
    if not isinstance(steps, Iterable):
        raise UserError(
            f"steps to probe are a list of whole numbers from 0, the start, got {steps!r}; write for example "
            "(0, 100, 200)."
        )
    steps = tuple(steps)
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
    found = {parameter: [0.0] * seeds for parameter in tensors}
    known = [(parameter, tensor) for parameter, tensor in tensors.items() if tensor is not None]
    for group in _alike([tensor for _, tensor in known]):
        norms = _norm(torch.stack([known[number][1] for number in group]), len(group) * seeds)
        for number, values in zip(group, norms.view(-1, seeds).tolist(), strict=True):
            found[known[number][0]] = values
    return found


def _norm(tensor: Tensor, rows: int) -> Tensor:
    flat = tensor.reshape(rows, -1)
    return torch.linalg.vector_norm(flat, dim=1, dtype=_wide(tensor))  # type: ignore[no-any-return]


def _alike(tensors: Sequence[Tensor]) -> list[list[int]]:
    """Group small tensors by shape, so that a deep net takes a few operations instead of a few a layer."""
    groups: dict[object, list[int]] = {}
    for number, tensor in enumerate(tensors):
        small = tensor.numel() <= SMALL
        groups.setdefault((tensor.shape, tensor.dtype, tensor.device) if small else number, []).append(number)
    return list(groups.values())


def _wide(tensor: Tensor) -> torch.dtype:
    return torch.float32 if tensor.device.type == "mps" else torch.float64  # an mps device has no float64


def _activation_numbers(
    layers: Sequence[Layer], ran: Sequence[tuple[Tensor | None, Tensor | None]], *, stacked: bool, seeds: int
) -> tuple[list[list[float | None]], list[list[float | None]]]:
    """Root mean square and fraction of dead units of every layer by network, from its activation and own output."""
    scales: list[list[float | None]] = [[None] * seeds for _ in layers]
    dead = [list(row) for row in scales]
    ran_layers, features = [], []
    for index, (layer, (activation, own)) in enumerate(zip(layers, ran, strict=True)):
        if activation is not None and own is not None:
            ran_layers.append(index)
            features.append(_units_last(layer, activation.detach(), own, stacked=stacked))
    for group in _alike(features):
        together = torch.stack([features[number] for number in group])
        norms = _norm(together, len(group) * seeds).view(-1, seeds)
        places = max(1, together[0].numel() // seeds)
        silent = (together == 0).flatten(2, -2).all(2).to(norms.dtype).mean(2)
        for number, norm_row, dead_row in zip(group, norms.tolist(), silent.tolist(), strict=True):
            scales[ran_layers[number]] = [value / math.sqrt(places) for value in norm_row]
            dead[ran_layers[number]] = dead_row
    return scales, dead


def _units_last(layer: Layer, activation: Tensor, own: Tensor, *, stacked: bool) -> Tensor:
    """Bring an activation into the form (networks, samples, ..., units)."""
    features = activation if stacked else activation.unsqueeze(0)
    if activation.dim() != own.dim():  # reshaped on its way: every number of a sample is a unit
        return features.flatten(2)
    return features.movedim(layer.axis + (layer.axis > 0), -1)


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
