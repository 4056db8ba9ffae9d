"""Features of images: what a layer of any network gives, in batches, in eval mode and without gradients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from gradlab.data import Split, gather
from gradlab.data.guard import TEST_MARK, marked_as_test
from gradlab.models.find_layer import find_layer
from gradlab.training.checks import like
from gradlab.training.feed import ranges
from gradlab.training.modes import kept_modes
from gradlab.transfer.parts import head_name
from gradlab.types import UserError


@torch.no_grad()
def features(
    model: nn.Module, images: Split | Tensor, layer: str | None = None, *, batch_size: int | None = None
) -> Tensor:
    """Return the output of a layer for every image; the model is left as it was.

    Outputs with places, (N, C, H, W), are averaged over all places (global average pooling); tokens (N, T, D) over the
    tokens.

    Args:
        model: maps images (N, C, H, W) in [0, 1] to logits; in any mode, on any device.
        images: a part of a data set, or (N, C, H, W): uint8, or floats in [0, 1].
        layer: a name as in `named_modules`; left out: the input of the last linear layer.
        batch_size: images of one forward pass; up to 1,000 where it is left out.

    Returns: (N, D) float32 on the CPU; those of test images are marked, so that nothing is fitted to them.

    Raises:
        UserError: no such layer, one that does not run exactly once, an output that is no feature, or images that the
            model cannot read.
    """
    _check(model, images)
    target = find_layer(model, head_name(model) if layer is None else layer)
    kept: list[Any] = []
    handle = target.register_forward_hook(
        lambda _layer, inputs, output: kept.append(inputs[0] if layer is None else output)
    )
    found = []
    try:
        with kept_modes(model):
            model.eval()
            for batch in _batches(images, like(model), batch_size):
                kept.clear()
                _run(model, batch)
                found.append(_vectors(kept, len(batch), layer or "the last linear layer"))
    finally:
        handle.remove()
    joined = torch.cat(found)
    name = images.origin.name if isinstance(images, Split) else marked_as_test(images)
    if name is not None and (not isinstance(images, Split) or images.role == "test"):
        setattr(joined, TEST_MARK, name)
    return joined


def _check(model: nn.Module, images: Split | Tensor) -> None:
    if not isinstance(model, nn.Module):
        raise UserError(
            f"features are those of a torch.nn.Module, got {type(model).__name__}; pass the network."
        )
    if not isinstance(images, Split | Tensor):
        raise UserError(
            f"features takes a part of a data set or a tensor of images, got {type(images).__name__}; pass data.train."
        )
    if not len(images):
        raise UserError("there are no images to take features of; give at least one.")
    if isinstance(images, Split):
        return
    if images.ndim != 4 or not (images.dtype == torch.uint8 or images.is_floating_point()):
        raise UserError(
            f"images must be (N, C, H, W), uint8 or floats in [0, 1], got {tuple(images.shape)} {images.dtype}."
        )
    low, high = float(images.min()), float(images.max())
    if images.is_floating_point() and not (low >= 0 and high <= 1):
        raise UserError(
            f"images must lie in [0, 1], got {low:.3g} to {high:.3g}; pass them before normalisation, which is the "
            "model's own first layer (gradlab.models.wrap)."
        )


def _batches(images: Split | Tensor, wanted: Tensor, batch_size: int | None) -> Iterator[Tensor]:
    """Cut images into batches in [0, 1], on the model's device and in its number format."""
    one = images.images[0] if isinstance(images, Split) else images[0]
    for start, stop in ranges(len(images), one.numel(), batch_size):
        if isinstance(images, Split):
            rows = torch.arange(start, stop, device=images.labels.device)
            yield gather(images, rows, dtype=wanted.dtype).to(wanted.device)
        else:
            batch = images[start:stop].to(device=wanted.device, dtype=wanted.dtype)
            yield batch / 255 if images.dtype == torch.uint8 else batch


def _run(model: nn.Module, batch: Tensor) -> None:
    try:
        model(batch)
    except UserError:
        raise
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        raise UserError(
            f"the model cannot read images of shape {tuple(batch.shape[1:])} (PyTorch says: "
            f"{str(error).splitlines()[0]}); take images of the shape that it was built for, such as NAME@32:rgb."
        ) from error


def _vectors(kept: list[Any], count: int, layer: str) -> Tensor:
    """Return (N, D) float32 on the CPU of what the hook saw."""
    if len(kept) != 1:
        raise UserError(
            f"'{layer}' ran {len(kept)} times in one forward pass, so its output is not one feature; choose another layer."
        )
    (value,) = kept
    if not isinstance(value, Tensor) or value.dim() not in (2, 3, 4) or len(value) != count:
        got = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise UserError(
            f"the output of '{layer}' must be (N, D), tokens (N, T, D) or (N, C, H, W) for N images, got {got}; "
            "choose another layer."
        )
    axes = {2: (), 3: (1,), 4: (2, 3)}[value.dim()]
    return (value.float().mean(axes) if axes else value.float()).cpu()
