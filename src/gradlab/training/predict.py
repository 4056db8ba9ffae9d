"""Logits of any module on a split, in batches."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gradlab.data import Split, gather
from gradlab.training.device import DTYPES, autocast
from gradlab.training.recipe import Precision


@torch.no_grad()
def predict_logits(
    model: nn.Module, split: Split, *, batch_size: int = 1000, precision: Precision = "fp32"
) -> Tensor:
    """Return logits (N, K) for all images of `split`, in eval mode; the model is left as it was.

    Args:
        model: maps images (N, C, H, W) in [0, 1] to logits (N, K), on the split's device.
        split: images uint8 (N, C, H, W); any role, since nothing is selected here.
        batch_size: images per forward pass.
        precision: number format of the forward pass.
    """
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        parts = []
        for start in range(0, len(split), batch_size):
            indices = torch.arange(start, min(start + batch_size, len(split)), device=split.labels.device)
            images = gather(split, indices, dtype=DTYPES[precision])
            with autocast(images.device, precision):
                parts.append(model(images))
        return torch.cat(parts)
    finally:
        for module, training in modes.items():
            module.training = training
