"""A model under attack: in eval mode, with gradients on, and left as it was found."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from gradlab._torch import torch
from gradlab.types import UserError


def check_model(model: Any) -> None:
    """Refuse what is no module that gradients can pass.

    Raises:
        UserError: it is a class, a function or something else, or was made in inference mode.
    """
    if isinstance(model, type):
        raise UserError(
            f"an attack needs a torch.nn.Module, got the class {model.__name__}; make one, {model.__name__}(...)."
        )
    if not isinstance(model, torch.nn.Module):
        wrap = "; put it into the forward() of a module" if callable(model) else ""
        raise UserError(f"an attack needs a torch.nn.Module, got {type(model).__name__}{wrap}.")
    if any(one.is_inference() for one in (*model.parameters(), *model.buffers())):
        raise UserError(
            "the model's weights were made in torch.inference_mode(), so no gradient can pass them; make or load the model "
            "outside of it."
        )


@contextlib.contextmanager
def undisturbed(model: torch.nn.Module) -> Iterator[None]:
    """Within the block the model is in eval mode and autograd works; after it every layer's mode is as before.

    Weights, their `.grad` and `requires_grad` are never touched: gradients are taken with respect to images alone.

    Raises:
        UserError: it is no module, or its weights are such that no gradient can pass them.
    """
    check_model(model)
    modes = [(layer, layer.training) for layer in model.modules()]
    try:
        model.eval()
        with torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        for layer, training in modes:
            layer.training = training
