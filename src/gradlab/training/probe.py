"""Gradient norms by layer on one fixed training batch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from gradlab.data import Dataset, Split, gather, refuse_test
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
    refuse_test(data, "a probe looks at training batches only")
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

    Batch norm uses the batch's statistics as in training, dropout is off; the model, its buffers, gradients and
    modes are left as they were. Norms are summed in float64, so that small gradients do not vanish in the square.

    Args:
        model: maps images (N, C, H, W) in [0, 1] to logits (N, K).
        data: its train part (or a training split) gives the fixed batch.
        batch_size: images in that batch.

    Returns: one entry a layer, input first.
    """
    batch = fixed_batch(data, batch_size)
    layers = [
        (name, weight, getattr(layer, "bias", None))
        for name, layer in model.named_modules()
        if isinstance(weight := getattr(layer, "weight", None), nn.Parameter) and weight.requires_grad
    ]
    tensors = [
        tensor for _, weight, bias in layers for tensor in (weight, bias) if isinstance(tensor, nn.Parameter)
    ]
    gradients = iter(_gradients(model, batch, tensors))
    rows = []
    for index, (name, _, bias) in enumerate(layers):
        weight_norm = _norm(next(gradients))
        bias_norm = _norm(next(gradients)) if isinstance(bias, nn.Parameter) else None
        rows.append(LayerGradient(name, index, weight_norm, bias_norm))
    return rows


def _gradients(model: nn.Module, batch: Split, tensors: list[nn.Parameter]) -> tuple[Tensor | None, ...]:
    """Gradients on the batch; modes, buffers and `.grad` stay as they were."""
    modes = {module: module.training for module in model.modules()}
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    dtype = tensors[0].dtype if tensors else torch.float32
    try:
        for module in model.modules():
            module.training = not isinstance(module, nn.modules.dropout._DropoutNd)
        indices = torch.arange(len(batch), device=batch.labels.device)
        loss = functional.cross_entropy(model(gather(batch, indices, dtype=dtype)), batch.labels)
        return torch.autograd.grad(loss, tensors, allow_unused=True)
    finally:
        for module, training in modes.items():
            module.training = training
        with torch.no_grad():
            for name, buffer in model.named_buffers():
                buffer.copy_(buffers[name])


def _norm(gradient: Tensor | None) -> float:
    return 0.0 if gradient is None else float(torch.linalg.vector_norm(gradient.double()))
