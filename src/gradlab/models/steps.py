"""A network's forward pass as a list of PyTorch operations, so that plain PyTorch can run it without this package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from gradlab.models.cnn_layers import ConvolutionBlock, PlaceMean, sides
from gradlab.models.cnn_network import CNNNetwork
from gradlab.models.fast_cnn import FastCNN
from gradlab.models.fast_cnn_network import FastCNNNetwork, PlaceMax
from gradlab.models.mlp_network import Block, MLPNetwork
from gradlab.models.normalise import Normalise
from gradlab.models.tiled_convolution import TiledConv2d
from gradlab.models.vit_network import ViTNetwork
from gradlab.models.vit_steps import VIT_STEPS
from gradlab.types import UserError

Step = list[Any]
"""[name of the result, name of the operation in torch.ops.aten, its arguments]; text among the arguments is the name
of a tensor: of the weights, of an earlier step, or "images"."""


def _batch_norm(layer: Any, name: str, x: str) -> tuple[str, list[Any]]:
    tensors = [f"{name}.{part}" for part in ("weight", "bias", "running_mean", "running_var")]
    return "batch_norm", [x, *tensors, False, layer.momentum, layer.eps, True]


def _pair(size: Any) -> list[int]:
    return [size, size] if isinstance(size, int) else list(size)


OPERATIONS: dict[type[nn.Module], Callable[[Any, str, str], tuple[str, list[Any]]]] = {
    nn.Linear: lambda layer, name, x: (
        "linear",
        [x, f"{name}.weight", *([f"{name}.bias"] if layer.bias is not None else [])],
    ),
    nn.Conv2d: lambda layer, name, x: (
        "conv2d",
        [
            *(x, f"{name}.weight", f"{name}.bias" if layer.bias is not None else None),
            *(list(layer.stride), list(layer.padding), list(layer.dilation), layer.groups),
        ],
    ),
    nn.BatchNorm1d: _batch_norm,
    nn.BatchNorm2d: _batch_norm,
    nn.LayerNorm: lambda layer, name, x: (
        "layer_norm",
        [x, list(layer.normalized_shape), f"{name}.weight", f"{name}.bias", layer.eps],
    ),
    nn.ReLU: lambda _layer, _name, x: ("relu", [x]),
    nn.Tanh: lambda _layer, _name, x: ("tanh", [x]),
    nn.Sigmoid: lambda _layer, _name, x: ("sigmoid", [x]),
    nn.LeakyReLU: lambda layer, _name, x: ("leaky_relu", [x, layer.negative_slope]),
    nn.GELU: lambda _layer, _name, x: ("gelu", [x]),
    nn.SiLU: lambda _layer, _name, x: ("silu", [x]),
    PlaceMean: lambda _layer, _name, x: ("mean", [x, [-2, -1]]),
    PlaceMax: lambda _layer, _name, x: ("amax", [x, [-2, -1]]),
    nn.Flatten: lambda layer, _name, x: ("flatten", [x, layer.start_dim, layer.end_dim]),
    nn.MaxPool2d: lambda layer, _name, x: (
        "max_pool2d",
        [x, *(_pair(one) for one in (layer.kernel_size, layer.stride, layer.padding))],
    ),
    nn.AvgPool2d: lambda layer, _name, x: ("avg_pool2d", [x, _pair(layer.kernel_size), _pair(layer.stride)]),
}
"""Layer -> operation and arguments in eval mode, from the layer, its name and the name of its input."""
NOTHING = (nn.Identity, nn.Dropout)
"""Layers that do nothing in eval mode."""


def steps_of(network: MLPNetwork | CNNNetwork | ViTNetwork | FastCNNNetwork) -> list[Step]:
    """Return the forward pass in eval mode, from "images" (N, C, H, W) to "logits" (N, K), over the state dictionary.

    Each step is the very operation that the layer calls, so that running them gives the same bits.

    Raises:
        UserError: a layer was put in that the builders do not know.
    """
    found: list[Step] = []

    def add(name: str, operation: str, arguments: list[Any]) -> str:
        found.append([name, operation, arguments])
        return name

    def skip(block: ConvolutionBlock, name: str, x: str) -> str:
        if block.projection_name:
            return walk(block.get_submodule(block.projection_name), f"{name}.{block.projection_name}", x)
        for axis in (-2, -1) if block.stride > 1 else ():
            x = add(f"{name} every {block.stride} of {axis}", "slice", [x, axis, None, None, block.stride])
        padding = [0, 0, 0, 0, *sides(block.extra)]
        return add(f"{name} widened", "constant_pad_nd", [x, padding, 0.0]) if block.extra else x

    def walk(layer: nn.Module, name: str, x: str) -> str:
        if isinstance(layer, NOTHING):
            return x
        if type(layer) is Normalise:
            scaled = add(f"{name} scaled", "mul", [x, f"{name}.scale"])
            return add(name, "add", [scaled, f"{name}.shift"])
        if type(layer) is Block:
            output = walk(layer.branch, f"{name}.branch", x)
            output = add(f"{name} sum", "add", [x, output]) if layer.residual else output
            return walk(layer.after, f"{name}.after", output)
        if type(layer) is ConvolutionBlock:
            output = x
            for part in layer.path:
                output = walk(layer.get_submodule(part), f"{name}.{part}", output)
            output = add(f"{name} sum", "add", [skip(layer, name, x), output]) if layer.residual else output
            return walk(layer.after, f"{name}.after", output)
        if type(layer) in VIT_STEPS:
            return VIT_STEPS[type(layer)](layer, name, x, add, walk)
        if type(layer) is nn.Sequential:
            for child, inner in layer.named_children():
                x = walk(inner, f"{name}.{child}", x)
            return x
        kind = nn.Conv2d if type(layer) is TiledConv2d else type(layer)
        if kind not in OPERATIONS:
            raise UserError(
                f"layer '{name}' ({type(layer).__name__}) is none that gradlab's builders put there, so its forward "
                "pass cannot be written as a list of operations; export to torch-export or onnx instead."
            )
        return add(name, *OPERATIONS[kind](layer, name, x))

    x = walk(network.normalise, "normalise", "images")
    if isinstance(network, MLPNetwork):
        x = add("pixels", "flatten", [x, -3, -1])
    for name, part in network.named_children():
        x = walk(part, name, x) if name != "normalise" else x
    found[-1][0] = "logits"
    return _of_views(found, network.config) if isinstance(network, FastCNNNetwork) else found


def _of_views(steps: list[Step], config: FastCNN) -> list[Step]:
    """Take the steps for every view of the images, and the mean over all."""
    if config.views == 1:
        return steps
    made: list[Step] = []
    views = ["images"]
    if config.shifted:
        made.append(["wider images", "reflection_pad2d", ["images", [1, 1, 1, 1]]])
        for name, start, stop in (("lower", 0, -2), ("upper", 2, None)):
            made.append([f"{name} rows", "slice", ["wider images", -2, start, stop, 1]])
            made.append([f"{name} images", "slice", [f"{name} rows", -1, start, stop, 1]])
            views.append(f"{name} images")
    if config.mirror:
        made += [[f"mirrored {one}", "flip", [one, [-1]]] for one in views]
        views += [f"mirrored {one}" for one in views]
    total = ""
    for view in views:
        made += _renamed(steps, view)
        logits, sums = f"{view}: logits", f"{view}: sum"
        made += [[sums, "add", [total, logits]]] if total else []
        total = sums if total else logits
    return [*made, ["logits", "div", [total, len(views)]]]


def _renamed(steps: list[Step], view: str) -> list[Step]:
    """The steps on other images than "images", every result with a name of its own."""
    names = {name: f"{view}: {name}" for name, *_ in steps} | {"images": view}

    def of(one: Any) -> Any:
        return names.get(one, one) if isinstance(one, str) else one

    return [[of(name), operation, [*map(of, given)]] for name, operation, given in steps]
