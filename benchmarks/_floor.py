"""The floor of a training step: the same arithmetic on rooms that exist already, without autograd or bookkeeping."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

RATE, BETAS, EPS = 1e-4, (0.9, 0.999), 1e-8


class Floor:
    """S plain relu MLPs of one shape, stepped by hand with Adam: what any implementation on these kernels has to do.

    One step gathers prepared rows, multiplies forward and backward, and updates; it also counts the loss and the hits,
    as a training must that reports them. Every product is PyTorch's own, written into a room that was made before.
    """

    def __init__(
        self, table: Tensor, labels: Tensor, widths: tuple[int, ...], seeds: int, batch: int
    ) -> None:
        """Take prepared features (N, widths[0]) and labels (N,); `widths` ends with the number of classes."""
        self.table, self.labels = table, labels
        pairs = list(itertools.pairwise(widths))
        shapes = [shape for fan_in, fan_out in pairs for shape in ((fan_out, fan_in), (1, fan_out))]
        sizes = [seeds * rows * columns for rows, columns in shapes]
        generator = torch.Generator().manual_seed(0)
        self.flat = torch.randn(sum(sizes), generator=generator) * 0.1
        self.gradient, self.first, self.second = (torch.zeros_like(self.flat) for _ in range(3))
        self.steps = torch.zeros(())
        weights, gradients = (
            [part.view(seeds, *shape) for part, shape in zip(flat.split(sizes), shapes, strict=True)]
            for flat in (self.flat, self.gradient)
        )
        self.layers = list(zip(weights[::2], weights[1::2], gradients[::2], gradients[1::2], strict=True))
        self.outputs = [torch.empty(seeds, batch, width) for width in widths]
        self.errors = [torch.empty(seeds, batch, width) for width in widths]
        self.index = torch.empty(seeds * batch, dtype=torch.int64)
        self.target = torch.empty(seeds * batch, dtype=torch.int64)
        self.turned, self.softmax = (torch.empty(seeds, widths[-1], batch) for _ in range(2))
        self.picked = torch.empty(seeds, 1, batch)
        self.minus = torch.full((seeds, 1, batch), -1.0)
        self.best, self.hit = (
            torch.empty(seeds * batch, dtype=torch.int64),
            torch.empty(seeds * batch, dtype=bool),
        )
        self.batch = batch

    def step(self, indices: Tensor) -> None:
        """Train once on the images at `indices` (S, B)."""
        self.index.view(indices.shape).copy_(indices)
        torch.index_select(self.table, 0, self.index, out=self.outputs[0].flatten(0, 1))
        torch.index_select(self.labels, 0, self.index, out=self.target)
        last = len(self.layers) - 1
        for number, (weight, bias, _, _) in enumerate(self.layers):
            output = self.outputs[number + 1]
            torch.baddbmm(bias, self.outputs[number], weight.transpose(1, 2), out=output)
            if number < last:
                output.clamp_min_(0)
        self._loss()
        for number in range(last, -1, -1):
            weight, _, weight_gradient, bias_gradient = self.layers[number]
            error = self.errors[number + 1]
            torch.bmm(error.transpose(1, 2), self.outputs[number], out=weight_gradient)
            torch.sum(error, 1, keepdim=True, out=bias_gradient)
            if number:
                torch.bmm(error, weight, out=self.errors[number])
                torch.ops.aten.threshold_backward.grad_input(
                    self.errors[number], self.outputs[number], 0, grad_input=self.errors[number]
                )
        self._adam()

    def _loss(self) -> None:
        """Mean cross-entropy and hits; the gradient is (softmax - one-hot) / B. Classes on the second axis: that is faster."""
        seeds, target = len(self.outputs[-1]), self.target.view(-1, 1, self.batch)
        torch.argmax(self.outputs[-1].flatten(0, 1), 1, out=self.best)
        torch.eq(self.best, self.target, out=self.hit)
        self.turned.copy_(self.outputs[-1].transpose(1, 2))
        torch.log_softmax(self.turned, 1, out=self.softmax)
        torch.gather(self.softmax, 1, target, out=self.picked)
        self.loss = self.picked.view(seeds, -1).mean(1).neg_()
        self.hits = self.hit.view(seeds, -1).sum(1)
        self.softmax.exp_().scatter_add_(1, target, self.minus).div_(self.batch)
        self.errors[-1].copy_(self.softmax.transpose(1, 2))

    def _adam(self) -> None:
        self.steps += 1
        torch._fused_adam_(
            [self.flat],
            [self.gradient],
            [self.first],
            [self.second],
            [],
            [self.steps],
            lr=RATE,
            beta1=BETAS[0],
            beta2=BETAS[1],
            weight_decay=0.0,
            eps=EPS,
            amsgrad=False,
            maximize=False,
        )
