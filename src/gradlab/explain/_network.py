"""Running a network to be explained: in eval mode, left as it was found, and what it returns checked."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from gradlab._torch import torch
from gradlab.explain.targets import Chosen, Targets, choose, rows_of, score_of
from gradlab.models.light import Model
from gradlab.types import UserError, is_out_of_memory

MOST = 256
"""Images of one pass, where a method needs many passes for each image."""
ON_PROCESSOR, ON_GPU = 2**18, 2**21
"""Pixels of one pass and back, which keeps what every layer gave: 256 images of 32×32, or 5 of 224×224; 41 on a GPU."""
TURN = threading.RLock()
"""Explanations in several threads take turns: each switches modes and hooks of a network that they may share."""


@contextlib.contextmanager
def undisturbed(model: torch.nn.Module, *, gradient: bool) -> Iterator[None]:
    """Within the block the model is in eval mode, and autograd is on or off; after it every layer's mode is as before.

    What is compiled runs as it was written: compiled code knows nothing of hooks that come later.
    """
    from gradlab.training.modes import kept_modes

    is_compiled = "torch._dynamo" in sys.modules
    plain = torch.compiler.set_stance("force_eager") if is_compiled else contextlib.nullcontext()
    with TURN, kept_modes(model), torch.inference_mode(False), torch.set_grad_enabled(gradient), plain:
        model.eval()
        yield


@contextlib.contextmanager
def hooked(
    layers: Iterable[torch.nn.Module], hook: Callable[..., Any], *, with_keywords: bool = False
) -> Iterator[None]:
    """Within the block `hook(layer, inputs, output)` sees what these layers do; no hook is left, whatever happens.

    Args:
        with_keywords: call it as (layer, inputs, keywords, output).
    """
    handles: list[Any] = []
    try:
        handles.extend(layer.register_forward_hook(hook, with_kwargs=with_keywords) for layer in layers)
        yield
    finally:
        for handle in handles:
            handle.remove()


class MisfitError(UserError, RuntimeError):
    """A network that raises on images; also the RuntimeError as which PyTorch says so."""


def logits(model: Model, images: torch.Tensor) -> torch.Tensor:
    """Return logits (N, K); of a model that returns an object with `logits`, as those of Hugging Face do, these.

    Raises:
        UserError: something else, or NaN, or a network that cannot be run on such images (`MisfitError`).
    """
    try:
        found = model(images.clone())  # a model may work in place on what it is given
    except RuntimeError as error:
        if is_out_of_memory(error) or not isinstance(model, torch.nn.Module):
            raise
        raise MisfitError(_misfit(model, images, error)) from error
    found = found if isinstance(found, torch.Tensor) else getattr(found, "logits", found)
    if not isinstance(found, torch.Tensor):
        raise UserError(
            f"the model must return one tensor of logits (N, K), got {type(found).__name__}; wrap a small module that picks "
            "the logits out."
        )
    if found.dim() != 2 or len(found) != len(images):
        raise UserError(
            f"the model must return logits of shape ({len(images)}, K), got {tuple(found.shape)}; pool and flatten before "
            "its last layer."
        )
    if bool(found.detach().isnan().any()):
        raise UserError(
            "the model returns NaN for these images; there is nothing to explain, train it again."
        )
    return found


def chosen_of(model: Model, images: torch.Tensor, targets: Targets) -> Chosen:
    """Return what is explained of each image; of classes that are given one image tells how many there are."""
    seen = logits(model, images) if targets is None else logits(model, images[:1]).expand(len(images), -1)
    return choose(seen, targets)


def followed(model: Model, images: torch.Tensor, classes: Targets) -> torch.Tensor:
    """Return (N,) int64 the classes whose probability a measure follows.

    Raises:
        UserError: as `choose`, or a function of the logits, which has no probability.
    """
    if callable(classes):
        raise UserError(
            "a measure follows the probability of a class: give class numbers, or None for the predicted ones."
        )
    with torch.no_grad():
        chosen = chosen_of(model, images, classes)
    assert isinstance(chosen, torch.Tensor)
    return chosen


def _misfit(model: torch.nn.Module, images: torch.Tensor, error: RuntimeError) -> str:
    """Say what of images and network does not fit together."""
    layers = list(model.modules())
    weights = [value for layer in layers for value in layer._parameters.values() if value is not None]
    like = next((value for value in weights if value.is_floating_point()), images)
    for name, its, of_model in (("on", images.device, like.device), ("of", images.dtype, like.dtype)):
        if its != of_model:
            return f"the images are {name} {its} and the model's weights {name} {of_model}; give images.to({of_model!r})."
    convolution = torch.nn.modules.conv._ConvNd
    reads = next((one.in_channels for one in layers if isinstance(one, convolution)), images.shape[1])
    shape = f"images of shape {tuple(images.shape[1:])}"
    if reads != images.shape[1] and f"to have {reads} channels" in str(error):
        return f"the model reads images of {reads} channels, got {shape}; give it images with as many."
    said = str(error).strip().partition("\n")[0]
    return f"the model cannot be run on {shape} (PyTorch says: {said}); give it images of the size that it reads."


def gradient_of(score: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
    """Return the gradient of every image's own score; scores are summed, so that images stay independent.

    Raises:
        UserError: the model cuts gradients off.
    """
    if not score.requires_grad:
        raise UserError(
            "no gradient comes through this model: it computes under torch.no_grad() or detaches inside; take that out, "
            "or a method that needs no gradient (score-cam, eigen-cam, occlusion)."
        )
    (gradient,) = torch.autograd.grad(score.sum(), at, allow_unused=True)
    return torch.zeros_like(at) if gradient is None else gradient.detach()


def input_gradient(model: Model, images: torch.Tensor, chosen: Chosen) -> torch.Tensor:
    """Return the gradient (N, C, H, W) of each image's score with respect to the image; autograd must be on.

    It goes through fewer images at once the larger they are, so that photographs do not fill the memory.
    """
    pixels = ON_PROCESSOR if images.device.type == "cpu" else ON_GPU
    found = []
    for rows in parts(len(images), max(1, pixels // (images.shape[2] * images.shape[3]))):
        some = images[rows].detach().requires_grad_(True)
        found.append(gradient_of(score_of(logits(model, some), rows_of(chosen, rows)), some))
    return torch.cat(found)


def parts(count: int, most: int = MOST) -> Iterator[slice]:
    """Cut so many images into passes of at most `most`."""
    for start in range(0, count, most):
        yield slice(start, min(start + most, count))
