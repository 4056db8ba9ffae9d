"""Which tensor is a layer's activation: its output is followed through the forward pass of any module."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

NON_LINEAR = frozenset({
    "relu", "relu6", "leaky_relu", "prelu", "rrelu", "elu", "selu", "celu", "gelu", "silu", "mish", "sigmoid", "tanh",
    "softplus", "softsign", "hardtanh", "hardsigmoid", "hardswish", "hardshrink", "softshrink", "tanhshrink", "threshold",
    "logsigmoid", "log_sigmoid", "glu", "clamp", "clamp_min", "clip",
})  # fmt: skip
"""Operations that end a layer, as PyTorch names them, with or without the underscore of an in-place one."""
MIXING = frozenset({
    "linear", "bilinear", "matmul", "rmatmul", "mm", "bmm", "addmm", "baddbmm", "einsum", "conv1d", "conv2d", "conv3d",
    "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "embedding", "scaled_dot_product_attention",
    "multi_head_attention_forward",
})  # fmt: skip
"""Operations that belong to the next layer: what they take in is no longer on its way to a non-linearity."""
_MARK = "_gradlab_layers"


class Activations(TorchFunctionMode):
    """Within the block, the activation of every one of `layers` that runs is found.

    The activation is the output of the first non-linearity that the layer's output reaches, through normalisation,
    dropout, pooling, reshaping and sums, but not through another layer; without one it is the layer's own output.
    A layer that runs several times counts by its first run.
    """

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        super().__init__()
        self.layers = layers
        self.own: dict[int, Tensor] = {}
        self.after: dict[int, Tensor] = {}

    def found(self, number: int) -> Tensor | None:
        """Return the activation of layer `number`, None if it did not run."""
        return self.after.get(number, self.own.get(number))

    def order(self) -> list[int]:
        """Return the layers' numbers in the order in which they first ran; those that did not run come last."""
        return [*self.own, *(number for number in range(len(self.layers)) if number not in self.own)]

    def __enter__(self) -> Activations:
        """Start to watch."""
        self._handles = [
            layer.register_forward_hook(self._hook(number)) for number, layer in enumerate(self.layers)
        ]
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *error: Any) -> None:
        """Stop to watch, and leave no hook behind."""
        super().__exit__(*error)  # type: ignore[no-untyped-call]
        for handle in self._handles:
            handle.remove()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Hand the layers that are marked on the inputs of an operation to its output."""
        kwargs = kwargs or {}
        raw = getattr(func, "__name__", "")
        name = raw.strip("_")
        if args and _writes(raw, kwargs):
            self._keep(args[0])
        output = func(*args, **kwargs)
        layers = frozenset().union(
            *(getattr(tensor, _MARK, ()) for tensor in _tensors((args, *kwargs.values())))
        )
        if layers:
            ends = name in NON_LINEAR
            for tensor in _tensors(output):
                setattr(tensor, _MARK, frozenset() if ends or name in MIXING else layers)
            if ends:
                for number in layers:
                    self.after.setdefault(number, output)
        return output

    def _hook(self, number: int) -> Callable[..., None]:
        def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
            tensor = next(_tensors(output), None)
            if tensor is not None and number not in self.own:
                self.own[number] = tensor
                setattr(tensor, _MARK, frozenset([number]))

        return hook

    def _keep(self, written: Any) -> None:
        """Keep what an operation is about to overwrite."""
        for table in (self.own, self.after):
            for number, tensor in table.items():
                if tensor is written:
                    table[number] = tensor.detach().clone()


def _writes(name: str, kwargs: dict[str, Any]) -> bool:
    in_place = name.endswith("_") and not name.startswith("__")
    return in_place or name.startswith(("__i", "__setitem")) or bool(kwargs.get("inplace"))


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _tensors(part)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))
