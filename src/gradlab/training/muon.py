"""Muon: momentum made orthogonal for matrices, AdamW for all other parameters, over the flat tensors of S networks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the polynomial that lifts all singular values to about 1 (Jordan et al., 2024)."""
STEPS, EPSILON = 5, 1e-7
BETAS, ADAM_EPSILON = (0.9, 0.999), 1e-8
"""Of AdamW, as PyTorch has them."""


@dataclass(frozen=True)
class Cut:
    """Where the numbers of one parameter lie in each row of a flat tensor, and how many rows they have as a matrix.

    The rows are its outputs; where `is_turned`, as stacked networks hold linear layers, they are its inputs.
    """

    start: int
    stop: int
    rows: int = 1
    is_turned: bool = False

    @property
    def stretch(self) -> float:
        """Outputs over inputs."""
        columns = (self.stop - self.start) // self.rows
        return columns / self.rows if self.is_turned else self.rows / columns


def orthogonalise(matrices: Tensor, steps: int = STEPS) -> Tensor:
    """Bring the singular values of matrices near 1 by Newton-Schulz steps; their singular vectors stay.

    Each step maps a singular value s to 3.4445 s - 4.775 s³ + 2.0315 s⁵; after five, values between 0.005 and 1 times the
    norm lie in [0.65, 1.25].

    Args:
        matrices: (S, R, C) of bfloat16, float32 or float64.
        steps: how often; 5 is usual.
    Returns: the same shape.
    """
    a, b, c = COEFFICIENTS
    is_tall = matrices.shape[-2] > matrices.shape[-1]
    found = matrices.mT if is_tall else matrices
    found = found / (torch.linalg.matrix_norm(found, keepdim=True) + EPSILON)
    for _ in range(steps):
        gram = found @ found.mT
        found = torch.baddbmm(found, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), found, beta=a)
    return found.mT if is_tall else found


class Muon(torch.optim.Optimizer):
    """Muon (Jordan et al., 2024, kellerjordan.github.io/posts/muon), as `torch.optim.Muon` with its original rate.

    A parameter of two and more axes is a matrix with one row an output (a filter of a convolution is one row). Its
    momentum is made orthogonal and, where it has more rows than columns, scaled by the root of their ratio. Parameters of
    one axis, and what a group gives to AdamW, are stepped by AdamW with betas 0.9 and 0.999. Both decouple weight decay.

    Args:
        groups: each with one flat tensor (S, P) as `params`, and `lr`, `weight_decay`, `momentum`, `nesterov`, `half`
            (whether the momentum is made orthogonal in bf16), `matrices` and `others`, the cuts of what Muon and of what
            AdamW steps.
    """

    def __init__(self, groups: Sequence[dict[str, Any]]) -> None:
        super().__init__([dict(group) for group in groups], {})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Take one step with the gradients that are there; no closure."""
        if closure is not None:
            raise ValueError("Muon takes no closure; compute the gradient before the step.")
        for group in self.param_groups:
            (flat,) = group["params"]
            if flat.grad is None:
                continue
            state = self.state[flat]
            if not state:
                state.update(_fresh(flat, group))
            if group["matrices"]:
                _step_matrices(flat, state["momentum"], group)
            if group["others"]:
                _step_others(flat, state, group)


def _fresh(flat: Tensor, group: dict[str, Any]) -> dict[str, Tensor]:
    def zeros(cuts: Sequence[Cut]) -> Tensor:
        return flat.new_zeros(len(flat), sum(cut.stop - cut.start for cut in cuts))

    found = {"momentum": zeros(group["matrices"])} if group["matrices"] else {}
    if group["others"]:
        names = ("exp_avg", "exp_avg_sq")
        found |= {name: zeros(group["others"]) for name in names} | {"step": torch.zeros(())}
    return found


def _placed(cuts: Sequence[Cut]) -> Iterator[tuple[Cut, slice]]:
    """Give each cut its place in the state, where the cuts lie side by side."""
    start = 0
    for cut in cuts:
        stop = start + cut.stop - cut.start
        yield cut, slice(start, stop)
        start = stop


def _step_matrices(flat: Tensor, momentum: Tensor, group: dict[str, Any]) -> None:
    rate, beta = group["lr"], group["momentum"]
    for cut, place in _placed(group["matrices"]):
        own, gradient = flat[:, cut.start : cut.stop], flat.grad[:, cut.start : cut.stop]  # type: ignore[index]
        average = momentum[:, place]
        average.lerp_(gradient, 1 - beta)
        update = gradient.lerp(average, beta) if group["nesterov"] else average
        matrix = update.reshape(len(flat), cut.rows, -1)
        update = orthogonalise(matrix.bfloat16() if group["half"] else matrix)
        size = rate * math.sqrt(max(1.0, cut.stretch))
        own.mul_(1 - rate * group["weight_decay"])
        own.add_(update.reshape(own.shape), alpha=-size)


def _step_others(flat: Tensor, state: dict[str, Tensor], group: dict[str, Any]) -> None:
    rate, (first, second) = group["lr"], BETAS
    state["step"] += 1
    taken = float(state["step"])
    bias, root = 1 - first**taken, math.sqrt(1 - second**taken)
    for cut, place in _placed(group["others"]):
        own, gradient = flat[:, cut.start : cut.stop], flat.grad[:, cut.start : cut.stop]  # type: ignore[index]
        mean, square = state["exp_avg"][:, place], state["exp_avg_sq"][:, place]
        mean.lerp_(gradient, 1 - first)
        square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
        own.mul_(1 - rate * group["weight_decay"])
        own.addcdiv_(mean, (square.sqrt() / root).add_(ADAM_EPSILON), value=-rate / bias)
