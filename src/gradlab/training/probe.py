"""Probes: gradient norms at one moment, or everything by layer during any training loop, on one fixed training batch."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from gradlab.data import Dataset, Split, gather, refuse_test
from gradlab.training.probe_row import ProbeRow
from gradlab.training.probes import check_module, check_steps, layers_of, measure, norm, probing
from gradlab.types import UserError, derive_seed

Batch = tuple[Tensor, Tensor]
"""Inputs as the model takes them, and what the loss compares its outputs with."""
Loss = Callable[[Tensor, Tensor], Tensor]
"""A mean over the batch, from outputs and labels."""


@dataclass(frozen=True)
class LayerGradient:
    """Gradient norms of one layer.

    Attributes:
        layer: the module's name. index: its place in the order of registration, from 0.
        weight: L2 norm of the weight's gradient. bias: of the bias's, None without one.
        matrix: whether the weight has at least two axes; that of a norm has one.
    """

    layer: str
    index: int
    weight: float
    bias: float | None
    matrix: bool = True


class ProbeLog:
    """What `probe` yields: tell it every step, read its rows."""

    def __init__(self, model: nn.Module, batch: Batch, loss: Loss, wanted: Callable[[int], bool]) -> None:
        self.rows: list[ProbeRow] = []
        self._model, self._batch, self._loss, self._wanted = model, batch, loss, wanted
        self._taken, self._open = 0, True
        self._before: dict[nn.Parameter, Tensor] = {}

    def step(self) -> None:
        """Say that the optimiser has taken a step; probes where this step is one to probe.

        Raises:
            UserError: the with-block is over.
        """
        if not self._open:
            raise UserError(
                "this probe has ended; call step() inside its with-block, after optimizer.step()."
            )
        self._taken += 1
        if self._wanted(self._taken):
            self._look()
        self._expect()

    def start(self) -> None:
        """Probe before the first step: to keep it where it is one to probe, else to see that the batch fits the model."""
        self._look()
        if not self._wanted(0):
            self.rows = []
        self._expect()

    def end(self, *, look: bool) -> None:
        """Take no more steps; probe the last one if it was not, so that the end of training is known."""
        if look and self._taken and not (self.rows and self.rows[-1].step == self._taken):
            self._before = {}
            self._look()
        self._open, self._before = False, {}

    def _look(self) -> None:
        (rows,) = measure(
            self._model,
            lambda: loss_on(self._batch, self._model, self._loss),
            step=self._taken,
            before=self._before,
        )
        self.rows += rows

    def _expect(self) -> None:
        """Keep the weights if the next step is probed."""
        weights = [w for layer in layers_of(self._model) for w in layer.weights] if self._next() else []
        self._before = {weight: weight.detach().clone() for weight in weights}

    def _next(self) -> bool:
        return self._wanted(self._taken + 1)


@contextlib.contextmanager
def probe(
    model: nn.Module,
    data: Dataset | Split | Batch,
    *,
    every: int = 100,
    steps: Sequence[int] | None = None,
    batch_size: int = 128,
    loss: Loss = functional.cross_entropy,
) -> Iterator[ProbeLog]:
    """Look into every layer of any module during any training loop; call `log.step()` after every optimiser step.

    A layer is a module with a trained weight of at least two axes (linear, convolution, embedding, attention, ...);
    layers are counted in the order in which they run. Each is measured in one forward and backward pass on one fixed
    batch, in train mode but with dropout layers off, in the number format of the weights:

    - weight and bias gradient: L2 norm of the gradient of the mean loss.
    - activation: the output of the first non-linearity that the layer's output reaches, as a module or as a function,
      through normalisation, dropout, pooling, reshaping and sums, but not through another layer; the layer's own output
      where there is none (as for the last). Its scale is its root mean square.
    - dead units: the fraction of the layer's units (channels of a convolution, else the last axis) whose activation is
      zero at every place and on every sample of the batch.
    - update ratio: norm of the weight's change in the last step, over the norm of the weight before it.

    Weights, gradients, buffers, modes, hooks, random streams and the optimiser's state are left as found, also when the
    model raises; the training is the same bit for bit.

    Args:
        model: any module; its outputs and the labels go to `loss`.
        data: its train part (or a training split) gives the fixed batch, as images in [0, 1]; or a batch of your own,
            (inputs, labels), which is taken as it is.
        every: probe before the first step and after every so many; after the last as well.
        steps: probe after these instead; 0 is before the first.
        batch_size: images in the fixed batch.
        loss: a mean over the batch.

    Raises:
        UserError: test data, no training images, a batch that model or loss cannot read, no module, a model without
            such a layer, or steps that are none.
    """
    check_module(model, "probe")
    if isinstance(every, bool) or not isinstance(every, int) or every < 1:
        raise UserError(f"every counts optimiser steps between two probes, at least 1, got {every!r}.")
    chosen = None if steps is None else frozenset(check_steps(steps))
    model = getattr(
        model, "_orig_mod", model
    )  # a compiled module shares its weights with the one it was made from
    first = layers_of(model)[0].weights[0]
    batch = batch_of(data, batch_size, first, "probe")
    log = ProbeLog(model, batch, loss, lambda step: step % every == 0 if chosen is None else step in chosen)
    finished = False
    try:
        log.start()
        yield log
        finished = True
    finally:
        log.end(look=finished)


def fixed_batch(data: Dataset | Split, size: int = 128, reader: str = "gradient_norms") -> Split:
    """Return the training images on which probes look: the same for every model, seed and arm of a data set.

    Args:
        reader: who asks, for the message.

    Raises:
        UserError: test data, or no training images.
    """
    refuse_test(data, reader)
    if not isinstance(data, Dataset | Split):
        raise UserError(
            f"a probe reads a gradlab Dataset or Split, got {type(data).__name__}; "
            "use gradlab.data.load(...) or gradlab.data.from_tensors(images, labels)."
        )
    train = data.train if isinstance(data, Dataset) else data
    if train is None or not len(train):
        raise UserError(
            f"'{getattr(data, 'name', 'this data')}' has no training images to probe; choose data with a train part."
        )
    return train[fixed_indices(train.labels, size)]


def fixed_indices(labels: Tensor, size: int) -> Tensor:
    """Return which of the samples with `labels` (N,) probes look at: (size,) in ascending order, on their device.

    Raises:
        UserError: a size that is no count.
    """
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise UserError(f"the batch of a probe counts its images, at least 1, got {size!r}.")
    generator = torch.Generator().manual_seed(derive_seed(0, "probe batch"))
    chosen = torch.randperm(len(labels), generator=generator)[:size].sort().values
    return chosen.to(labels.device)


def batch_of(data: Dataset | Split | Batch, size: int, like: Tensor, reader: str) -> Batch:
    """Return the batch on which to look, on the device of `like`; `reader` is who asks, for the message.

    Raises:
        UserError: test data, no training images, an empty batch, or something that is neither data nor a pair of tensors.
    """
    refuse_test(data, reader)
    if isinstance(data, tuple) and len(data) == 2 and all(isinstance(part, Tensor) for part in data):
        inputs, labels = data
        if not inputs.numel() or not labels.numel():
            raise UserError(
                f"{reader} needs at least one sample, got inputs of shape {tuple(inputs.shape)} and labels of shape "
                f"{tuple(labels.shape)}; give a batch of training data."
            )
        return inputs.to(like.device), labels.to(like.device)
    return _images(fixed_batch(data, size, reader), like)  # type: ignore[arg-type] # refused there


def loss_on(batch: Batch, model: Callable[[Tensor], Tensor], loss: Loss) -> Tensor:
    """Return the loss of a model on a batch, one number.

    Raises:
        UserError: the model or the loss cannot read the batch, or the loss is not one number.
    """
    inputs, labels = batch
    words = f"inputs of shape {tuple(inputs.shape)} and labels of shape {tuple(labels.shape)}"
    try:
        value = loss(model(inputs), labels)
    except UserError:
        raise
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        said = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise UserError(
            f"the model or the loss cannot read {words} (PyTorch says: {said}); give a batch as in training."
        ) from error
    if not isinstance(value, Tensor) or value.numel() != 1:
        shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise UserError(f"the loss must be one number, a mean over the batch, got {shape} for {words}.")
    return value


def gradient_norms(model: nn.Module, data: Dataset | Split, *, batch_size: int = 128) -> list[LayerGradient]:
    """Measure the gradient of the mean cross-entropy in every layer that has a trained weight, norms included.

    Batch norm uses the batch's statistics as in training (a frozen one its own), dropout layers are off; the model,
    its buffers, gradients and modes are left as they were. Norms are summed in float64, so that small gradients do
    not vanish in the square.

    Args:
        model: maps images (N, C, H, W) in [0, 1] to logits (N, K).
        data: its train part (or a training split) gives the fixed batch.
        batch_size: images in that batch.

    Returns: one entry a layer, in the order of registration; 0 for a layer that takes no part in the loss.

    Raises:
        UserError: test data, no training images, images that the model cannot read, no module, or one without a trained
            weight.
    """
    check_module(model, "gradient_norms")
    fixed = fixed_batch(data, batch_size)
    layers = layers_of(model, axes=1)
    batch = _images(fixed, layers[0].weights[0])
    tensors = list(dict.fromkeys(p for layer in layers for p in (*layer.weights, *layer.biases)))
    with probing(model):
        loss = loss_on(batch, model, functional.cross_entropy)
        gradients = torch.autograd.grad(loss, tensors, allow_unused=True)
    norms = {
        tensor: 0.0 if gradient is None else norm(gradient)
        for tensor, gradient in zip(tensors, gradients, strict=True)
    }
    return [
        LayerGradient(
            layer.name,
            index,
            math.hypot(*(norms[weight] for weight in layer.weights)),
            math.hypot(*(norms[bias] for bias in layer.biases)) if layer.biases else None,
            any(weight.dim() > 1 for weight in layer.weights),
        )
        for index, layer in enumerate(layers)
    ]


def _images(split: Split, like: Tensor) -> Batch:
    """Images in [0, 1] and labels, on the device and in the number format of `like`."""
    split = split.to(like.device)
    indices = torch.arange(len(split), device=split.labels.device)
    dtype = like.dtype if like.is_floating_point() else torch.float32
    return gather(split, indices, dtype=dtype), split.labels
