"""An attack at several radii, with one search where one serves them all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from gradlab._torch import torch
from gradlab.attacks._closest import Closest, MinimumNorm
from gradlab.attacks.found import Found
from gradlab.attacks.over_eps import over_eps
from gradlab.attacks.registry import Attack
from gradlab.metrics.arrays import to_numpy


def each_eps(attack: Attack, eps: float | str | Sequence[float | str]) -> dict[float, Callable[..., Found]]:
    """Return the attack at each radius, to be called as `explore` is, on one model.

    A minimum-norm attack looks for the nearest success of some images once, and every radius takes from it what lies within.

    Args:
        attack: a configuration. eps: radii of its norm on the [0, 1] pixel scale, each once.

    Raises:
        UserError: as `over_eps` does.
    """
    attacks = over_eps(attack, eps)
    if not isinstance(attack, MinimumNorm):
        return {radius: one.explore for radius, one in attacks.items()}
    memory: dict[str, Closest] = {}

    def closest(model: torch.nn.Module, *batch: torch.Tensor | None) -> Closest:
        digest = hashlib.sha256()
        for one in batch:
            digest.update(b"-" if one is None else to_numpy(one).tobytes())
        key = digest.hexdigest()
        if key not in memory:
            images, labels, targets = batch
            assert images is not None
            assert labels is not None
            memory[key] = attack.closest(model, images, labels, targets=targets)
        return memory[key]

    def at(radius: float) -> Callable[..., Found]:
        def explore(
            model: torch.nn.Module,
            images: torch.Tensor,
            labels: torch.Tensor,
            *,
            targets: torch.Tensor | None = None,
            generator: torch.Generator | None = None,  # noqa: ARG001 - every attack is called alike
        ) -> Found:
            return closest(model, images, labels, targets).found(radius)

        return explore

    return {radius: at(radius) for radius in attacks}
