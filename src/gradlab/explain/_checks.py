"""What the public doors of explanations refuse, in one sentence each."""

from __future__ import annotations

import inspect
from typing import Any

from gradlab._torch import torch
from gradlab.types import UserError

SLACK = 1e-6
"""How far rounding may carry a pixel out of [0, 1]."""


def checked(model: Any, images: Any) -> torch.Tensor:
    """Return images (N, C, H, W) without their graph, usable for gradients even where they came from inference mode.

    Raises:
        UserError: no module, one that needs more than images, or no float images in [0, 1].
    """
    _check_model(model)
    if not isinstance(images, torch.Tensor) or not images.is_floating_point():
        got = images.dtype if isinstance(images, torch.Tensor) else type(images).__name__
        raise UserError(f"images must be a float tensor in [0, 1], got {got}; divide grey levels by 255.")
    if images.dim() != 4 or not images.numel():
        hint = "; add the batch with images[None]" if images.dim() == 3 else ""
        raise UserError(
            f"images must have shape (N, C, H, W) with N at least 1, got {tuple(images.shape)}{hint}."
        )
    low, high = (float(value) for value in images.detach().aminmax())
    if not (low >= -SLACK and high <= 1 + SLACK):  # NaN fails as well
        raise UserError(
            f"images must lie in [0, 1], got {low:.3g} to {high:.3g}; give them before normalisation, and let the model "
            "normalise with gradlab.models.wrap(module, mean, std)."
        )
    with torch.inference_mode(False):
        return images.clone() if images.is_inference() else images.detach()


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
