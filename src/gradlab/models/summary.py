"""What a network is made of: type, output shape, parameters and FLOPs of every layer."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

from gradlab._compiler import spare_compiler
from gradlab.models._randomness import seeded
from gradlab.models.layers import LayerSummary, Summary
from gradlab.types import UserError

UNCOUNTED = (
    "_trilinear",
    "_cdist_forward",
    "_native_multi_head_attention",
    "_transformer_encoder_layer_fwd",
    "_thnn_fused_lstm_cell",
    "_thnn_fused_gru_cell",
    "mkldnn_rnn_layer",
    "_cudnn_rnn",
    "_fft_r2c",
    "_fft_c2c",
    "_fft_c2r",
)
"""Operations that multiply and add, for which PyTorch's counter has no formula: their layers have unknown FLOPs."""


def summary(model: nn.Module, input_shape: Sequence[int]) -> Summary:
    """Summarise any module layer by layer, from one forward pass of a single image of zeros in eval mode.

    FLOPs are those of matrix products, convolutions and attention for ONE image, a multiplication and an addition
    counted as two (PyTorch's `FlopCounterMode`); sums, activations and norms, which cost little beside them, are not
    counted. A layer with an operation that has no formula has unknown FLOPs (None), and so has the total.

    Args:
        model: maps images (N, C, H, W) in [0, 1]; left as it was: modes, hooks, gradients, buffers, random state.
        input_shape: (C, H, W) of one image, or any shape without the batch axis.

    Raises:
        UserError: no module, no shape, lazy layers that have not been run, or a model that cannot read that shape.
    """
    shape = _checked(model, input_shape)
    like = next((one for one in model.parameters() if one.is_floating_point()), torch.empty(0))
    image = torch.zeros((1, *shape), dtype=like.dtype, device=like.device)
    watch = _Watch(model)
    buffers = {name: value.clone() for name, value in model.named_buffers()}
    with _modes_kept(model), seeded(0), torch.no_grad(), watch.unknown, watch.counter, watch.hooks():
        try:
            model.eval()
            model(image)
        except UserError:
            raise
        except (RuntimeError, ValueError, IndexError, TypeError) as error:
            raise UserError(
                f"the model cannot read images of shape {shape} (PyTorch says: {str(error).splitlines()[0]}); "
                "give the shape that it was built for."
            ) from error
        finally:
            for name, value in model.named_buffers():
                if name in buffers and value.shape == buffers[name].shape:
                    value.copy_(buffers[name])
    return Summary(type(model).__name__, shape, tuple(watch.rows()))


def _checked(model: nn.Module, input_shape: Sequence[int]) -> tuple[int, ...]:
    if not isinstance(model, nn.Module):
        raise UserError(
            f"summary reads a torch.nn.Module, got {type(model).__name__}; pass the module itself."
        )
    try:
        shape = tuple(int(size) for size in input_shape)
    except (TypeError, ValueError):
        shape = ()
    if not shape or min(shape) < 1:
        raise UserError(f"input_shape is that of one image, such as (1, 28, 28), got {input_shape!r}.")
    if any(isinstance(one, nn.UninitializedParameter | nn.UninitializedBuffer) for one in _tensors(model)):
        raise UserError(
            "the model has lazy layers without a shape yet; run it once on a batch, then summarise it."
        )
    return shape


def _tensors(model: nn.Module) -> list[Tensor]:
    return [*model.parameters(), *model.buffers()]


@contextlib.contextmanager
def _modes_kept(model: nn.Module) -> Iterator[None]:
    modes = [(layer, layer.training) for layer in model.modules()]
    try:
        yield
    finally:
        for layer, training in modes:
            layer.training = training


class _Unknown(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the operations for which there is no formula."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += str(func).split(".")[1] in UNCOUNTED
        return func(*args, **(kwargs or {}))


class _Watch:
    """Notes for every layer its output and what was computed in it, but not in the layers inside it."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.unknown = _Unknown()
        flash = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
        self.counter = FlopCounterMode(display=False, custom_mapping={flash: _attention})
        with self.counter:  # which has a mode only there
            assert self.counter.mode is not None
            spare_compiler(type(self.unknown).__torch_dispatch__, type(self.counter.mode).__torch_dispatch__)
        self.stack: list[list[int]] = []
        self.outputs: dict[nn.Module, tuple[int, ...] | None] = {}
        self.own: dict[nn.Module, tuple[int, int]] = {}

    @contextlib.contextmanager
    def hooks(self) -> Iterator[None]:
        """Listen to every layer within the block."""
        handles = []
        try:
            for layer in self.model.modules():
                handles.append(layer.register_forward_pre_hook(self._enter))
                handles.append(layer.register_forward_hook(self._leave))
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _enter(self, _layer: nn.Module, _inputs: Any) -> None:
        self.stack.append([self.counter.get_total_flops(), self.unknown.count, 0, 0])

    def _leave(self, layer: nn.Module, _inputs: Any, output: Any) -> None:
        flops, unknown, inner_flops, inner_unknown = self.stack.pop()
        flops, unknown = self.counter.get_total_flops() - flops, self.unknown.count - unknown
        if self.stack:
            self.stack[-1][2] += flops
            self.stack[-1][3] += unknown
        before = self.own.get(layer, (0, 0))  # a layer may be used several times
        self.own[layer] = (before[0] + flops - inner_flops, before[1] + unknown - inner_unknown)
        self.outputs[layer] = _shape(output)

    def rows(self) -> Iterator[LayerSummary]:
        """Give a row to every layer that computes or holds something of its own, each parameter counted once."""
        seen: set[int] = set()
        for name, layer in self.model.named_modules():
            mine = [one for one in layer.parameters(recurse=False) if id(one) not in seen]
            seen |= {id(one) for one in mine}
            flops, unknown = self.own.get(layer, (0, 0))
            if mine or flops or unknown or not any(True for _ in layer.children()):
                yield LayerSummary(
                    name=name,
                    kind=type(layer).__name__,
                    output=self.outputs.get(layer),
                    trained=sum(one.numel() for one in mine if one.requires_grad),
                    frozen=sum(one.numel() for one in mine if not one.requires_grad),
                    flops=None if unknown else flops,
                    is_used=layer in self.own,
                )


def _attention(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    """FLOPs of softmax(QK')V from the shapes (N, heads, length, width)."""
    return int(sdpa_flop_count(query, key, value))  # type: ignore[no-untyped-call]


def _shape(output: Any) -> tuple[int, ...] | None:
    """Shape of an output without the batch axis; of the first of several."""
    if isinstance(output, tuple | list) and output:
        output = output[0]
    return tuple(output.shape[1:]) if isinstance(output, Tensor) and output.dim() else None
