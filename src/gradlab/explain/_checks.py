"""What the public doors of explanations refuse, in one sentence each."""

from __future__ import annotations

import inspect
from typing import Any

from gradlab._torch import torch
from gradlab.types import UserError

SLACK = 1e-6
"""How far rounding may carry a pixel out of [0, 1]."""


def checked(model: Any, images: Any) -> tuple[torch.nn.Module, torch.Tensor]:
    """Return the network itself, and images (N, C, H, W) without their graph, usable for gradients even from inference mode.

    Of what `torch.compile` or a parallel wrapper has made, the module inside is explained: its layers have their own names.

    Raises:
        UserError: no module, one that needs more than images, or no float images in [0, 1].
    """
    model = unwrapped(model)
    _check_model(model)
    if not isinstance(images, torch.Tensor) or not images.is_floating_point():
        raise UserError(f"images must be a float tensor in [0, 1], got {_described(images)}.")
    if images.dim() != 4 or not images.numel():
        hint = "; add the batch with images[None]" if images.dim() == 3 else ""
        raise UserError(
            f"images must have shape (N, C, H, W) with N at least 1, got {tuple(images.shape)}{hint}."
        )
    low, high = (float(value) for value in images.detach().aminmax())
    if not (low >= -SLACK and high <= 1 + SLACK):  # NaN fails as well
        levels = "divide grey levels by 255, or " if low >= 0 and 1 < high <= 255 else ""
        raise UserError(
            f"images must lie in [0, 1], got {low:.3g} to {high:.3g}; {levels}give them before normalisation, and let the model "
            "normalise with gradlab.models.wrap(module, mean, std)."
        )
    with torch.inference_mode(False):
        return model, images.clone() if images.is_inference() else images.detach()


def unwrapped(model: Any) -> Any:
    """Return the module inside wrappers that compute the same: compiled, or parallel over devices."""
    parallel = (torch.nn.DataParallel, torch.nn.parallel.DistributedDataParallel)
    while isinstance(model, torch.nn.Module):
        inner = model.module if isinstance(model, parallel) else getattr(model, "_orig_mod", None)
        if not isinstance(inner, torch.nn.Module):
            break
        model = inner
    return model


def _described(images: Any) -> str:
    """Say what came in place of float images, and how it becomes such."""
    if isinstance(images, torch.Tensor):
        return f"{images.dtype}; divide grey levels by 255"
    if hasattr(images, "__array__"):
        return (
            f"{type(images).__name__}; make it one with torch.from_numpy(numpy.asarray(images)).float(), grey levels divided by "
            "255 and colours first"
        )
    return f"{type(images).__name__}; put images of one size together with torch.stack"


def _check_model(model: Any) -> None:
    if not isinstance(model, torch.nn.Module):
        raise UserError(f"an explanation needs a torch.nn.Module, got {type(model).__name__}.")
    try:
        inspect.signature(model.forward).bind(None)
    except TypeError as error:
        raise UserError(
            f"{type(model).__name__}.forward cannot be called with images alone ({error}); wrap a small module that gives it "
            "the rest."
        ) from None
    except ValueError:  # nothing says what it takes
        return


def checked_maps(maps: Any, images: torch.Tensor) -> torch.Tensor:
    """Return maps (N, H, W) as float64 on the images' device.

    Raises:
        UserError: another shape, or values that are not finite.
    """
    wanted = (len(images), *images.shape[2:])
    if not isinstance(maps, torch.Tensor) or tuple(maps.shape) != wanted:
        got = tuple(maps.shape) if isinstance(maps, torch.Tensor) else type(maps).__name__
        raise UserError(
            f"an explainer must return one map for each image, a tensor of shape {wanted}, got {got}; resize the maps to "
            "the images, for example with gradlab.explain.scaled."
        )
    if not bool(maps.isfinite().all()):
        raise UserError("an explainer must return finite numbers, got NaN or infinity.")
    return maps.detach().to(images.device, torch.float64)
