"""One forward pass in eval mode that keeps the logits and the output of one layer, in batches and without gradients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gradlab.data import Split
from gradlab.data.guard import TEST_MARK, marked_as_test
from gradlab.models.find_layer import find_layer, head_name
from gradlab.training.checks import like
from gradlab.training.device import autocast
from gradlab.training.feed import Feed, Inputs, ranges
from gradlab.training.modes import kept_modes
from gradlab.training.predict import parts_of_data
from gradlab.training.recipe import Precision
from gradlab.training.solo import logits_of
from gradlab.types import UserError


@dataclass(frozen=True, eq=False)
class Outputs:
    """What one forward pass over N samples gave, on the CPU; those of test data are marked, so that nothing is fitted.

    Attributes:
        features: (N, D) float32, the output of a layer. logits: (N, K) float32; None of a model that returns none.
    """

    features: Tensor
    logits: Tensor | None


@torch.no_grad()
def outputs(
    model: nn.Module,
    data: Split | Feed | Tensor,
    layer: str | None = None,
    *,
    batch_size: int | None = None,
    precision: Precision = "fp32",
) -> Outputs:
    """Return logits and the output of a layer for every sample, in their order; the model is left as it was.

    Outputs with spatial positions, (N, C, H, W), are averaged over them (global average pooling); tokens (N, T, D) over the
    tokens.

    Args:
        model: maps images (N, C, H, W) in [0, 1], or what the feed gives, to logits; in any mode, on any device.
        data: a part of a data set, a feed, or images (N, C, H, W): uint8, or floats in [0, 1].
        layer: a name as in `named_modules`; left out: the input of the last linear layer.
        batch_size: images of one forward pass; up to 1,000 where it is left out; a feed cuts itself.
        precision: number format of the forward pass.

    Raises:
        UserError: no such layer, one that does not run exactly once, an output that is no feature, or samples that the
            model cannot read.
    """
    _check(model, data)
    target = find_layer(model, head_name(model) if layer is None else layer)
    kept: list[Any] = []
    handle = target.register_forward_hook(
        lambda _layer, inputs, output: kept.append(inputs[0] if layer is None else output)
    )
    found: dict[str, list[Tensor]] = {"rows": [], "features": [], "logits": []}
    try:
        with kept_modes(model):
            model.eval()
            for rows, batch in _batches(data, like(model), batch_size):
                kept.clear()
                output = _run(model, batch, precision)
                found["rows"].append(rows.cpu())
                found["features"].append(_vectors(kept, len(rows), layer or "the last linear layer"))
                if isinstance(output, Tensor) and output.ndim == 2:
                    found["logits"].append(output.float().cpu())
    finally:
        handle.remove()
    order = torch.cat(found["rows"]).argsort()
    joined = {name: torch.cat(found[name])[order] for name in ("features", "logits") if found[name]}
    for tensor in joined.values():
        _mark(tensor, data)
    return Outputs(joined["features"], joined.get("logits"))


@torch.no_grad()
def image_logits(model: nn.Module, images: Tensor, *, precision: Precision = "fp32") -> Tensor:
    """Return the logits of images as `outputs` does, of any network, also of one without a linear layer.

    Args:
        images: (N, C, H, W), uint8 or floats in [0, 1].
    Returns: what the model returns for each image, on the CPU, in float32.

    Raises:
        UserError: no images, images that the model cannot read, or a model that returns no tensor with a row for each image.
    """
    with kept_modes(model):
        model.eval()
        found = [_run(model, batch, precision) for batch in batches_for(model, images)]
    if not all(isinstance(one, Tensor) and one.ndim for one in found):
        raise no_logits(model)
    joined = torch.cat(found).float().cpu()
    _mark(joined, images)
    return joined


def no_logits(model: nn.Module) -> UserError:
    """Return the refusal of a model that returns something other than logits."""
    return UserError(f"{type(model).__name__} returns no logits (N, K); wrap a module that picks them out.")


def _mark(tensor: Tensor, data: Split | Feed | Tensor) -> None:
    """Mark what comes of test data."""
    name = marked_as_test(data) if isinstance(data, Tensor) else data.origin.name
    if name is not None and (isinstance(data, Tensor) or data.role == "test"):
        setattr(tensor, TEST_MARK, name)


def _check(model: nn.Module, data: object) -> None:
    if not isinstance(model, nn.Module):
        raise UserError(
            f"features are those of a torch.nn.Module, got {type(model).__name__}; pass the network."
        )
    if isinstance(data, Tensor):
        check_images(data)
    elif not isinstance(data, Split | Feed):
        raise UserError(
            f"features takes a part of a data set or a tensor of images, got {type(data).__name__}; pass data.train."
        )
    elif not len(data.labels):
        raise UserError("there are no images to take features of; give at least one.")


def check_images(images: Tensor) -> None:
    """Refuse a tensor that is no batch of images (N, C, H, W), uint8 or floats in [0, 1], with at least one.

    Raises:
        UserError: says what it is, and what to do where it looks normalised.
    """
    if not len(images):
        raise UserError("there are no images to take features of; give at least one.")
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


def batches_for(model: nn.Module, images: Split | Tensor, batch_size: int | None = None) -> Iterator[Tensor]:
    """Yield images in batches, in their order, in [0, 1], on the model's device and in its number format.

    Raises:
        UserError: no module, or no images.
    """
    _check(model, images)
    for _, batch in _batches(images, like(model), batch_size):
        assert isinstance(batch, Tensor)  # images, not tokens
        yield batch


def _batches(
    data: Split | Feed | Tensor, wanted: Tensor, batch_size: int | None
) -> Iterator[tuple[Tensor, Inputs]]:
    """Cut samples into batches, images in [0, 1], on the model's device and in its number format."""
    if not isinstance(data, Tensor):
        yield from parts_of_data(data, wanted.device, wanted.dtype, batch_size)
        return
    for start, stop in ranges(len(data), data[0].numel(), batch_size):
        batch = data[start:stop].to(
            device=wanted.device, dtype=wanted.dtype, copy=True
        )  # a model may write to it
        yield torch.arange(start, stop), batch / 255 if data.dtype == torch.uint8 else batch


def _run(model: nn.Module, batch: Inputs, precision: Precision) -> Any:
    device = next(iter(batch.values())).device if isinstance(batch, Mapping) else batch.device
    try:
        with autocast(device, precision):
            return logits_of(model(**batch) if isinstance(batch, Mapping) else model(batch))
    except UserError:
        raise
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        shape = tuple(batch.shape[1:]) if isinstance(batch, Tensor) else "those of the feed"
        raise UserError(
            f"the model cannot read images of shape {shape} (PyTorch says: "
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
