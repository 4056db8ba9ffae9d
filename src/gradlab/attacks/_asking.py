"""Asking a network for its logits, so that nothing it does comes back to the images."""

from __future__ import annotations

from gradlab._torch import torch
from gradlab.models.light import Light, Model
from gradlab.types import UserError


def asked(model: Model, images: torch.Tensor) -> torch.Tensor:
    """Return what a model makes of a copy of images (N, C, H, W): one that works in place changes neither them nor a leaf.

    Raises:
        UserError: the model fails, and its weights have another number format than the images.
    """
    try:
        return model(images.clone())
    except RuntimeError as error:
        wanted = _number_format(model)
        if wanted in (None, images.dtype):
            raise
        raise UserError(
            f"images are {images.dtype} and the model's weights {wanted}; bring the images to {wanted} with "
            f"images.to({wanted})."
        ) from error


def _number_format(model: Model) -> torch.dtype | None:
    """Return the type of the first weights that are no whole numbers; None where there are none."""
    network = model.network if isinstance(model, Light) else model
    weights = network.parameters() if isinstance(network, torch.nn.Module) else ()
    return next((one.dtype for one in weights if one.is_floating_point()), None)
