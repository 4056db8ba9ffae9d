"""The operations of a vision transformer's own layers in eval mode, for the list that plain PyTorch can run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from gradlab.models.vit_network import Attention, AttentionBlock, TokenEnd, Tokens

Add = Callable[[str, str, list[Any]], str]
"""Appends a step: the name of its result, its operation in torch.ops.aten, its arguments; returns the name."""
Walk = Callable[[nn.Module, str, str], str]
"""Appends the steps of a layer, given its name and that of its input; returns the name of its output."""


def tokens_steps(layer: Tokens, name: str, x: str, add: Add, walk: Walk) -> str:
    """Patches, row by row; the class token is put before them as a sum with zeros; then the positions."""
    x = walk(layer.patches, f"{name}.patches", x)
    x = add(f"{name} flat", "flatten", [x, 2, -1])
    x = add(f"{name} turned", "transpose", [x, 1, 2])
    if layer.class_token is not None:
        room = layer.positions.shape[1] - 1
        x = add(f"{name} room", "constant_pad_nd", [x, [0, 0, 1, 0], 0.0])
        first = add(f"{name} first", "constant_pad_nd", [f"{name}.class_token", [0, 0, 0, room], 0.0])
        x = add(f"{name} whole", "add", [x, first])
    return add(name, "add", [x, f"{name}.positions"])


def attention_steps(layer: Attention, name: str, x: str, add: Add, walk: Walk) -> str:
    """Queries, keys and values of all heads, softmax(QKᵀ/√d)V, and the output layer."""
    x = walk(layer.query_key_value, f"{name}.query_key_value", x)
    x = add(f"{name} heads", "unflatten", [x, 2, [3, layer.heads, -1]])
    x = add(f"{name} parts", "permute", [x, [2, 0, 3, 1, 4]])
    parts = [add(f"{name} part {i}", "select", [x, 0, i]) for i in range(3)]
    x = add(f"{name} mixed", "scaled_dot_product_attention", [*parts])
    x = add(f"{name} turned", "transpose", [x, 1, 2])
    x = add(f"{name} flat", "flatten", [x, 2, -1])
    return walk(layer.output, f"{name}.output", x)


def block_steps(layer: AttentionBlock, name: str, x: str, add: Add, walk: Walk) -> str:
    """Two branches, each behind its norm, each added to what it read."""
    for branch in ("attention", "mlp"):
        normed = walk(layer.get_submodule(f"{branch}_norm"), f"{name}.{branch}_norm", x)
        made = walk(layer.get_submodule(branch), f"{name}.{branch}", normed)
        x = add(f"{name} {branch} sum", "add", [x, made])
    return x


def end_steps(layer: TokenEnd, name: str, x: str, add: Add, _walk: Walk) -> str:
    """The mean of the tokens, or the first of them."""
    return add(name, "mean", [x, [1]]) if layer.end == "mean" else add(name, "select", [x, 1, 0])


VIT_STEPS: dict[type[nn.Module], Callable[[Any, str, str, Add, Walk], str]] = {
    Tokens: tokens_steps,
    Attention: attention_steps,
    AttentionBlock: block_steps,
    TokenEnd: end_steps,
}
"""Layer of a vision transformer -> what appends its steps."""
