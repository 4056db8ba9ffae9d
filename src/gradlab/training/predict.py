"""Logits of any module on a split or feed, in batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from gradlab.data import Split, gather
from gradlab.training.checks import like
from gradlab.training.device import autocast
from gradlab.training.feed import Feed, Inputs, ranges
from gradlab.training.forward import full
from gradlab.training.modes import kept_modes
from gradlab.training.recipe import Precision
from gradlab.training.solo import logits_of
from gradlab.types import UserError


@torch.no_grad()
def predict_logits(
    model: nn.Module, data: Split | Feed, *, batch_size: int | None = None, precision: Precision = "fp32"
) -> Tensor:
    """Return logits (N, K) for all samples of `data` in their order, in eval mode; the model is left as it was.

    Args:
        model: maps images (N, C, H, W) in [0, 1], or what the feed gives, to logits (N, K).
        data: images uint8 (N, C, H, W), or a feed; any role, since nothing is selected here.
        batch_size: images per forward pass; up to 1,000, fewer of large images, where not given; a feed cuts itself.
        precision: number format of the forward pass, over weights in the format that they have.

    Returns: on the model's device; float32, or float64 from a model in float64.

    Raises:
        UserError: fp16 on a CPU, or data without a sample.
    """
    if not len(data.labels):
        raise UserError("there are no images to predict; give a split with at least one.")
    wanted = like(model)
    device = wanted.device if wanted.numel() else data.labels.device
    found: Tensor | None = None
    with kept_modes(model):
        model.eval()
        for indices, inputs in parts_of_data(data, device, wanted.dtype, batch_size):
            with autocast(device, precision):
                output = model(**inputs) if isinstance(inputs, Mapping) else model(inputs)
            logits = logits_of(output)
            if not isinstance(logits, Tensor):
                raise UserError(
                    f"{type(model).__name__} returns a {type(logits).__name__}, not logits (N, K); wrap a module that picks "
                    "them out."
                )
            logits = full(logits, precision)
            if found is None:
                found = logits.new_empty(len(data.labels), *logits.shape[1:])
            found[indices.to(logits.device)] = logits
    assert found is not None  # there is at least one sample
    return found


def parts_of_data(
    data: Split | Feed, device: torch.device, dtype: torch.dtype, batch_size: int | None
) -> Iterator[tuple[Tensor, Inputs]]:
    """Yield indices and inputs, images in [0, 1], of batches that together hold every sample once."""
    if not isinstance(data, Split):
        yield from data.to(device, dtype).parts()
        return
    for start, stop in ranges(len(data), data.images[0].numel(), batch_size):
        indices = torch.arange(start, stop, device=data.labels.device)
        yield indices, gather(data, indices, dtype=dtype).to(device)
