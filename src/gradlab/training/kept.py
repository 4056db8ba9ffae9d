"""What remains of every network: the weights of its best or last epoch, and those of the epochs that a recipe names."""

from __future__ import annotations

import math

from gradlab.training.objective import Objective
from gradlab.training.recipe import Recipe
from gradlab.training.stopping import best_epoch, should_stop
from gradlab.training.weights import Weights


class Kept:
    """Weights by network; None for one that has finished no epoch, whose initial weights then remain.

    Args:
        networks: how many. recipe: says what to keep. objective: says which way the selected metric goes.
    """

    def __init__(self, networks: int, recipe: Recipe, objective: Objective) -> None:
        self.weights: list[Weights | None] = [None] * networks
        self.snapshots: list[dict[int, Weights]] = [{} for _ in range(networks)]
        self._recipe = recipe
        self._sign = 1.0 if objective.validation[recipe.select] == "less" else -1.0

    def offer(self, index: int, history: list[dict[str, float]], weights: Weights) -> None:
        """Keep the weights of network `index` after the last epoch of `history` if the recipe says so; they are copied."""
        if self._recipe.keep == "last" or self.epoch(history) == len(history):
            kept = self.weights[index]
            if kept is None:
                self.weights[index] = weights.clone()
            else:
                kept.copy_(weights)
        if len(history) in self._recipe.snapshots:
            self.snapshots[index][len(history)] = weights.clone()

    def epoch(self, history: list[dict[str, float]], *, diverged: bool = False) -> int:
        """Return the epoch whose weights are kept; 0 is the start."""
        if self._recipe.keep == "last":
            return len(history) - 1 if diverged else len(history)
        return best_epoch(self._selected(history)) or 0

    def stops(self, history: list[dict[str, float]]) -> bool:
        """Whether the recipe's rule ends this training."""
        return should_stop(self._recipe.stopping, self._selected(history))

    def _selected(self, history: list[dict[str, float]]) -> list[float]:
        """The selected metric by epoch, turned so that less is better."""
        name = f"validation_{self._recipe.select}"
        return [self._sign * row.get(name, math.nan) for row in history]
