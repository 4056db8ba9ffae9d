"""Gradient norms by layer on one fixed training batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeGuard

import torch
from torch import Tensor, nn
from torch.nn import functional

from gradlab.data import Dataset, Split, gather, refuse_test
from gradlab.models._randomness import seeded
from gradlab.training.modes import kept_modes, set_training
from gradlab.types import UserError, derive_seed


@dataclass(frozen=True)
class LayerGradient:
    """Gradient norms of one layer.

    Attributes:
        layer: the module's name. index: its place in the order of registration, from 0.
        weight: L2 norm of the weight's gradient. bias: of the bias's, None without one.
    """

    layer: str
    index: int
    weight: float
    bias: float | None


def fixed_batch(data: Dataset | Split, size: int = 128) -> Split:
    """Return the training images on which probes look: the same for every model, seed and arm of a data set.

    Raises:
        UserError: test data, or no training images.
    """
    refuse_test(data, "gradient_norms")
    if not isinstance(data, Dataset | Split):
        raise UserError(
            f"a probe reads a gradlab Dataset or Split, got {type(data).__name__}; "
            "use gradlab.data.load(...) or gradlab.data.from_tensors(images, labels)."
        )
    train = data.train if isinstance(data, Dataset) else data
    if train is None:
        raise UserError(
            f"'{getattr(data, 'name', 'this data')}' has no training images to probe; choose data with a train part."
        )
    generator = torch.Generator().manual_seed(derive_seed(0, "probe batch"))
    chosen = torch.randperm(len(train), generator=generator)[:size].sort().values
    return train[chosen.to(train.labels.device)]


def gradient_norms(model: nn.Module, data: Dataset | Split, *, batch_size: int = 128) -> list[LayerGradient]:
    """Measure the gradient of the mean cross-entropy in every layer that has a trained weight.

    Batch norm uses the batch's statistics as in training (a frozen one its own), dropout layers are off; the model,
    its buffers, gradients and modes are left as they were. Norms are summed in float64, so that small gradients do
    not vanish in the square.

    Args:
        model: maps images (N, C, H, W) in [0, 1] to logits (N, K).
        data: its train part (or a training split) gives the fixed batch.
        batch_size: images in that batch.

    Returns: one entry a layer, in the order of registration; 0 for a layer that takes no part in the loss.

    Raises:
        UserError: test data, no training images, or a model without a trained weight.
    """
    batch = fixed_batch(data, batch_size)
    layers = [
        (name, layer.weight, bias if _is_trained(bias := getattr(layer, "bias", None)) else None)
        for name, layer in model.named_modules()
        if _is_trained(getattr(layer, "weight", None))
    ]
    if not layers:
        raise UserError(
            "this model has no layer with a trained weight to probe; set requires_grad=True on one."
        )
    tensors = [tensor for _, weight, bias in layers for tensor in (weight, bias) if tensor is not None]
    gradients = iter(_gradients(model, batch, tensors))
    rows = []
    for index, (name, _, bias) in enumerate(layers):
        weight_norm = _norm(next(gradients))
        rows.append(LayerGradient(name, index, weight_norm, None if bias is None else _norm(next(gradients))))
    return rows


def _is_trained(tensor: object) -> TypeGuard[nn.Parameter]:
    return isinstance(tensor, nn.Parameter) and tensor.requires_grad


def _gradients(model: nn.Module, batch: Split, tensors: list[nn.Parameter]) -> tuple[Tensor | None, ...]:
    """Gradients on the batch; modes, buffers and `.grad` stay as they were."""
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    batch = batch.to(tensors[0].device)
    indices = torch.arange(len(batch), device=batch.labels.device)
    images = gather(batch, indices, dtype=tensors[0].dtype)
    try:
        with kept_modes(model), seeded(0, images.device), torch.enable_grad():
            set_training(model)
            for module in model.modules():
                if isinstance(module, nn.modules.dropout._DropoutNd):
                    module.eval()
            loss = functional.cross_entropy(model(images), batch.labels)
            return torch.autograd.grad(loss, tensors, allow_unused=True)
    finally:
        with torch.no_grad():
            for name, buffer in model.named_buffers():
                buffer.copy_(buffers[name])


def _norm(gradient: Tensor | None) -> float:
    return 0.0 if gradient is None else float(torch.linalg.vector_norm(gradient.double()))
