"""Policies of fine-tuning as data: which parts of a network train, when, and at which rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass as plain
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

from gradlab._configuration import dataclass
from gradlab.training.groups import Group
from gradlab.training.recipe import Recipe
from gradlab.types import STRICT, Count, PositiveFloat, UserError

if TYPE_CHECKING:
    from gradlab.transfer.parts import Part


@plain(frozen=True)
class Stage:
    """One fit of a policy: names of the parameters that train, all others being frozen, and the recipe."""

    trains: tuple[str, ...]
    recipe: Recipe


@dataclass(frozen=True, kw_only=True, config=STRICT)
class HeadOnly:
    """A new head on a frozen network: linear probing by gradient descent."""

    fresh: ClassVar[bool] = False
    kind: Literal["head"] = "head"

    def stages(self, parts: Sequence[Part], recipe: Recipe) -> tuple[Stage, ...]:
        """Return the one fit of the head."""
        return (Stage(_names(parts[-1:]), recipe),)

    def describe(self) -> str:
        """Say it in words."""
        return "head alone"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LastBlock:
    """The last blocks and a new head train, everything before them is frozen.

    Attributes:
        blocks: how many of the parts before the head train.
    """

    fresh: ClassVar[bool] = False
    kind: Literal["last-block"] = "last-block"
    blocks: Count = 1

    def stages(self, parts: Sequence[Part], recipe: Recipe) -> tuple[Stage, ...]:
        """Return the one fit of the last parts.

        Raises:
            UserError: there are not so many parts.
        """
        if self.blocks >= len(parts):
            raise UserError(
                f"the network has {len(parts) - 1} parts before its head, got blocks={self.blocks}; take fewer of them."
            )
        return (Stage(_names(parts[-1 - self.blocks :]), recipe),)

    def describe(self) -> str:
        """Say it in words."""
        return "last block and head" if self.blocks == 1 else f"last {self.blocks} blocks and head"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class GradualUnfreezing:
    """The head trains first, then one part more in every further epoch (Howard & Ruder, 2018, arXiv:1801.06146).

    Once all parts train, they do so for the remaining epochs. Every stage is a fit of its own, whose optimiser starts anew;
    its schedule covers the stage. With fewer epochs than parts, as many parts at once as it takes.
    """

    fresh: ClassVar[bool] = False
    kind: Literal["gradual"] = "gradual"

    def stages(self, parts: Sequence[Part], recipe: Recipe) -> tuple[Stage, ...]:
        """Return the fits one after the other.

        Raises:
            UserError: snapshots, whose epochs would be those of a stage.
        """
        if recipe.snapshots:
            raise UserError(
                "gradual unfreezing trains in stages, whose epochs snapshots cannot name; leave snapshots out."
            )
        count = min(len(parts), recipe.epochs)
        found = []
        for number in range(1, count + 1):
            trained = -(-len(parts) * number // count) if number > 1 else 1  # rounded up
            epochs = 1 if number < count else recipe.epochs - count + 1
            found.append(Stage(_names(parts[-trained:]), replace(recipe, epochs=epochs)))
        return tuple(found)

    def describe(self) -> str:
        """Say it in words."""
        return "gradual unfreezing"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AllLayers:
    """The whole network and a new head train at one rate."""

    fresh: ClassVar[bool] = False
    kind: Literal["all"] = "all"

    def stages(self, parts: Sequence[Part], recipe: Recipe) -> tuple[Stage, ...]:
        """Return the one fit of everything."""
        return (Stage(_names(parts), recipe),)

    def describe(self) -> str:
        """Say it in words."""
        return "all layers"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class DiscriminativeRates:
    """All train, each part at a lower rate than the one after it (Howard & Ruder, 2018, arXiv:1801.06146).

    Attributes:
        factor: by which the rate falls from part to part, from the head towards the input.
    """

    fresh: ClassVar[bool] = False
    kind: Literal["discriminative"] = "discriminative"
    factor: PositiveFloat = 2.6

    def stages(self, parts: Sequence[Part], recipe: Recipe) -> tuple[Stage, ...]:
        """Return the one fit, with a group of parameters for every part but the head.

        Raises:
            UserError: a recipe that has groups of its own, or names that a group cannot match.
        """
        if recipe.groups:
            raise UserError(
                "discriminative rates are groups of parameters themselves; leave the recipe's groups out."
            )
        groups = [
            Group(match=name, rate=self.factor**-place)
            for place, part in enumerate(reversed(parts))
            if place
            for name in part.parameters
        ]
        return (Stage(_names(parts), replace(recipe, groups=tuple(groups))),)

    def describe(self) -> str:
        """Say it in words."""
        return f"all layers, rates falling by {self.factor:g} from part to part"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FromScratch:
    """The control: the same network, nothing kept of its weights."""

    fresh: ClassVar[bool] = True
    kind: Literal["scratch"] = "scratch"

    def stages(self, parts: Sequence[Part], recipe: Recipe) -> tuple[Stage, ...]:
        """Return the one fit of everything."""
        return (Stage(_names(parts), recipe),)

    def describe(self) -> str:
        """Say it in words."""
        return "from scratch"


Policy = HeadOnly | LastBlock | GradualUnfreezing | AllLayers | DiscriminativeRates | FromScratch
"""Configuration of a policy; the discriminator is `kind`, and `fresh` says that no weight is kept."""
POLICIES: dict[str, type[Policy]] = {
    "head": HeadOnly,
    "last-block": LastBlock,
    "gradual": GradualUnfreezing,
    "all": AllLayers,
    "discriminative": DiscriminativeRates,
    "scratch": FromScratch,
}


def _names(parts: Sequence[Part]) -> tuple[str, ...]:
    return tuple(name for part in parts for name in part.parameters)
