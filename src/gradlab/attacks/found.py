"""What an attack found for each image, and how every configuration of an attack is called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from gradlab._torch import torch
from gradlab.attacks._checks import stream_of


@dataclass(frozen=True)
class Found:
    """The images that an attack found, and what the first success cost.

    Attributes:
        images: (N, C, H, W) float in [0, 1], within the attack's radius; no gradient attached.
        iterations: (N,) int64: iterations until the first image that the goal was reached at (0: the start itself),
            -1 where it never was. What an iteration is the attack says; mostly a step.
        queries: (N,) int64: forward passes of the model spent on this image until its first success, or all of them.
    """

    images: torch.Tensor
    iterations: torch.Tensor
    queries: torch.Tensor


class Explorer:
    """What every configuration of an attack has: `explore` tells all, calling it gives the images alone.

    The settings of the function `attack` are the configuration's fields, under the same names.
    """

    attack: ClassVar[Callable[..., Found]]
    takes_generator: ClassVar[bool] = True

    @property
    def is_random(self) -> bool:
        """Whether it draws."""
        return self.takes_generator

    def settings(self) -> dict[str, Any]:
        """Return what the function is told."""
        return {name: value for name, value in vars(self).items() if name != "kind"}

    def explore(
        self,
        model: torch.nn.Module,
        images: torch.Tensor,
        labels: torch.Tensor,
        *,
        targets: torch.Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Found:
        """Attack images (N, C, H, W) in [0, 1] with labels (N,); see the function of the same name."""
        if not hasattr(self, "attack"):
            raise NotImplementedError(
                f"{type(self).__name__} names no function as its `attack`; see gradlab/attacks/fgsm.py."
            )
        stream_of(generator)  # refuses a seed also where nothing is drawn
        more = {"generator": generator} if self.takes_generator else {}
        return type(self).attack(model, images, labels, **self.settings(), targets=targets, **more)

    def __call__(
        self,
        model: torch.nn.Module,
        images: torch.Tensor,
        labels: torch.Tensor,
        *,
        targets: torch.Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> torch.Tensor:
        """Return the images that `explore` finds."""
        return self.explore(model, images, labels, targets=targets, generator=generator).images


@dataclass
class Tally:
    """Counts of N images while they are attacked; see `Found`."""

    iterations: torch.Tensor
    queries: torch.Tensor

    @classmethod
    def of(cls, images: torch.Tensor) -> Tally:
        """Start at no query and no success."""
        queries = torch.zeros(len(images), dtype=torch.int64, device=images.device)
        return cls(queries - 1, queries)

    @property
    def is_done(self) -> torch.Tensor:
        """(N,) bool: the goal has been reached at least once."""
        return self.iterations >= 0

    def count(self, rows: torch.Tensor, is_reached: torch.Tensor, iteration: int, queries: int = 1) -> None:
        """Add what a look at these rows (n,) cost and showed (n,); ended counts stay as they are."""
        going = ~self.is_done[rows]
        self.queries[rows[going]] += queries
        self.iterations[rows[going & is_reached]] = iteration
