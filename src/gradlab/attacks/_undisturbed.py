"""A model under attack: in eval mode, with gradients on, and left as it was found."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from gradlab._torch import torch
from gradlab.types import UserError


@contextlib.contextmanager
def undisturbed(model: torch.nn.Module) -> Iterator[None]:
    """Within the block the model is in eval mode and autograd works; after it every layer's mode is as before.

    Weights, their `.grad` and `requires_grad` are never touched: gradients are taken with respect to images alone.

    Raises:
        UserError: it is no module.
    """
    if not isinstance(model, torch.nn.Module):
        raise UserError(f"an attack needs a torch.nn.Module, got {type(model).__name__}.")
    modes = [(layer, layer.training) for layer in model.modules()]
    try:
        model.eval()
        with torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        for layer, training in modes:
            layer.training = training
