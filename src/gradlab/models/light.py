"""A lighter copy of a network for the time of an attack or an explanation: the same function of the images, with less work.

The copy has its own layers and shares all tensors. None of its parameters asks for a gradient, so that less is kept for the way
back; the statistics of BatchNorm are folded into the convolution before (Jacob et al., 2018, arXiv:1712.05877, eq. 14); and
images and kernels lie channels-last. The network itself is not touched.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable, Iterator

from gradlab._torch import torch

Model = Callable[["torch.Tensor"], "torch.Tensor"]
"""Images (N, C, H, W) in [0, 1] to logits (N, K)."""
ROUNDINGS = 2000
"""By how many units in the last place of the largest number the copy may differ, in logits and in gradients."""
FAULTS = (RuntimeError, TypeError, AttributeError, ValueError, LookupError)
"""What a network may raise that is called in a way it does not expect, or on other images."""
HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


def light(model: torch.nn.Module, images: torch.Tensor, *, keep: str | None = None) -> Model:
    """Return a copy with less work, or the model itself where a copy might differ from it.

    A copy is used only if logits and gradients on the first two images are those of the model up to rounding. A
    model with hooks, compiled or scripted parts, or numbers of half precision is used as it is, and so is one that
    draws random numbers. Finding out costs some passes of two images, which count as no query of an attack.

    Args:
        model: in eval mode. images: (N, C, H, W) in [0, 1].
        keep: name of a layer that must put out in the copy what it puts out in the model.
    """
    images = images[:2].detach()
    if not len(images) or not _is_plain(model) or images.dtype.itemsize < 4:
        return model
    try:
        wanted = _outcome(model, images)
    except FAULTS:  # whoever asked looks itself, and says why
        return model
    for fold, last in ((True, True), (True, False), (False, True)):
        try:
            trial = Light(_copied(model, {}), images, fold, last, keep)
            if _same(wanted, _outcome(trial, images)):
                return trial
        except FAULTS:  # such as `view` of what lies channels-last
            continue
    return model


class Light:
    """The copy as a function of images; `network` is the module."""

    def __init__(
        self, network: torch.nn.Module, images: torch.Tensor, fold: bool, last: bool, keep: str | None
    ) -> None:
        self.network = network
        self.format = torch.channels_last if last else torch.contiguous_format
        if fold:
            kept = None if keep is None else network.get_submodule(keep)
            for convolution, norm in _pairs(network, images):
                if convolution is not kept:
                    _fold(network, convolution, norm)
        _quieten(network, self.format)

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """Map images (N, C, H, W) in [0, 1] to logits (N, K)."""
        logits: torch.Tensor = self.network(images.contiguous(memory_format=self.format))
        return logits


def _is_plain(model: torch.nn.Module) -> bool:
    """Whether nothing but the layers' own code runs."""
    return not any(
        isinstance(layer, torch.jit.ScriptModule)
        or hasattr(layer, "_orig_mod")  # what torch.compile made
        or any(getattr(layer, name, None) for name in HOOKS)
        for layer in model.modules()
    )


def _copied(layer: torch.nn.Module, done: dict[int, torch.nn.Module]) -> torch.nn.Module:
    """Copy the tree of layers, each once, and none of its tensors."""
    if id(layer) not in done:
        done[id(layer)] = twin = copy.copy(layer)
        twin._parameters, twin._buffers = dict(layer._parameters), dict(layer._buffers)
        for name in HOOKS:  # all empty
            setattr(twin, name, OrderedDict())
        twin._modules = {
            name: child if child is None else _copied(child, done) for name, child in layer._modules.items()
        }
    return done[id(layer)]


def _pairs(
    network: torch.nn.Module, images: torch.Tensor
) -> Iterator[tuple[torch.nn.Conv2d, torch.nn.BatchNorm2d]]:
    """Find by one run which BatchNorm is called once, on what a convolution that is called once has returned."""
    made: dict[int, torch.nn.Conv2d] = {}
    calls: list[torch.nn.Module] = []
    pairs, kept = [], []

    def after_convolution(layer: torch.nn.Conv2d, _inputs: object, output: torch.Tensor) -> None:
        made[id(output)] = layer
        calls.append(layer)
        kept.append(output)  # alive, so that no later tensor takes its id

    def before_norm(layer: torch.nn.BatchNorm2d, inputs: tuple[torch.Tensor, ...]) -> None:
        calls.append(layer)
        if inputs and id(inputs[0]) in made:
            pairs.append((made[id(inputs[0])], layer))

    handles = []
    for layer in network.modules():
        if type(layer) is torch.nn.Conv2d:
            handles.append(layer.register_forward_hook(after_convolution))
        elif type(layer) is torch.nn.BatchNorm2d and layer.running_mean is not None:
            handles.append(layer.register_forward_pre_hook(before_norm))
    with torch.no_grad():
        network(images)
    for handle in handles:
        handle.remove()
    for convolution, norm in pairs:
        if calls.count(convolution) == 1 and calls.count(norm) == 1:
            yield convolution, norm


def _fold(network: torch.nn.Module, convolution: torch.nn.Conv2d, norm: torch.nn.BatchNorm2d) -> None:
    """Put the norm's scale and shift into the convolution's kernel and bias; the norm lets everything through."""
    assert norm.running_mean is not None  # as _pairs has made sure of
    assert norm.running_var is not None
    mean, variance = norm.running_mean.double(), norm.running_var.double()
    scale = (variance + norm.eps).rsqrt()
    scale = scale if norm.weight is None else scale * norm.weight.detach().double()
    bias = 0 if convolution.bias is None else convolution.bias.detach().double()
    shift = (bias - mean) * scale
    shift = shift if norm.bias is None else shift + norm.bias.detach().double()
    kernel = convolution.weight.detach().double() * scale[:, None, None, None]
    folded = {"weight": kernel, "bias": shift}
    convolution._parameters = {
        name: torch.nn.Parameter(value.to(convolution.weight.dtype), requires_grad=False)
        for name, value in folded.items()
    }
    for layer in network.modules():
        for name, child in layer._modules.items():
            if child is norm:
                layer._modules[name] = torch.nn.Identity()


def _quieten(network: torch.nn.Module, order: torch.memory_format) -> None:
    """Let no parameter of the copy ask for a gradient, and lay kernels in this order."""
    for layer in network.modules():
        for name, value in layer._parameters.items():
            if value is not None:
                kernel = value.dim() == 4
                laid = value.detach().contiguous(memory_format=order) if kernel else value.detach()
                layer._parameters[name] = torch.nn.Parameter(laid, requires_grad=False)


def _outcome(model: Model, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return logits (n, K), and the gradient of one fixed combination of them."""
    with torch.enable_grad():
        leaf = images.clone().requires_grad_()
        logits = model(leaf)
        mixed = (logits * torch.arange(1, logits.shape[1] + 1, device=logits.device).cos()).sum()
        found = torch.autograd.grad(mixed, leaf, allow_unused=True)[0] if mixed.requires_grad else None
        return logits.detach(), torch.zeros_like(images) if found is None else found


def _same(wanted: tuple[torch.Tensor, torch.Tensor], found: tuple[torch.Tensor, torch.Tensor]) -> bool:
    return all(
        one.shape == other.shape
        and bool((one - other).abs().max() <= ROUNDINGS * torch.finfo(one.dtype).eps * one.abs().max())
        for one, other in zip(wanted, found, strict=True)
    )
