"""Logits of any module on a split, in batches."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gradlab.data import Split, gather
from gradlab.training.device import autocast
from gradlab.training.feed import ranges
from gradlab.training.loop import full
from gradlab.training.modes import kept_modes
from gradlab.training.recipe import Precision
from gradlab.types import UserError


@torch.no_grad()
def predict_logits(
    model: nn.Module, split: Split, *, batch_size: int | None = None, precision: Precision = "fp32"
) -> Tensor:
    """Return logits (N, K) for all images of `split`, in eval mode; the model is left as it was.

    Args:
        model: maps images (N, C, H, W) in [0, 1] to logits (N, K).
        split: images uint8 (N, C, H, W); any role, since nothing is selected here.
        batch_size: images per forward pass; up to 1,000, fewer of large images, where not given.
        precision: number format of the forward pass, over weights in the format that they have.

    Returns: on the model's device; float32, or float64 from a model in float64.

    Raises:
        UserError: fp16 on a CPU, or a split without images.
    """
    if not len(split):
        raise UserError("there are no images to predict; give a split with at least one.")
    weight = next((tensor for tensor in model.parameters() if tensor.is_floating_point()), split.images)
    dtype = weight.dtype if weight.is_floating_point() else torch.float32
    with kept_modes(model):
        model.eval()
        parts = []
        for start, stop in ranges(len(split), split.images[0].numel(), batch_size):
            indices = torch.arange(start, stop, device=split.labels.device)
            images = gather(split, indices, dtype=dtype).to(weight.device)
            with autocast(images.device, precision):
                parts.append(full(model(images), precision))
        return torch.cat(parts)
