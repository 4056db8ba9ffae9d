"""Groups of parameters that train at a rate or with a decay of their own, as data."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

from pydantic import Field

from gradlab._configuration import dataclass
from gradlab.types import STRICT, NonNegativeFloat, PositiveFloat, UserError, later


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Group:
    """Parameters that train otherwise than the rest; each belongs to the first group that takes it.

    `Group(shape="vectors", decay=0)` takes weight decay off norms and biases; `Group(match="stem.*", rate=0.1)` trains
    the stem ten times more slowly.

    Attributes:
        match: names of parameters, as in `model.named_parameters()`, with * for anything.
        shape: only "vectors", of at most one axis (biases, weights of norms), only "matrices", of two and more, or only the
            "head", the weight of the last linear layer.
        rate: what the recipe's learning rate is multiplied by.
        decay: in the place of the recipe's weight decay; left out: the recipe's.
        optimizer: of matrices in a recipe with muon: muon, or adamw, which suits embeddings and the last layer.
    """

    match: Annotated[str, Field(min_length=1)] = "*"
    shape: Literal["any", "vectors", "matrices", "head"] = "any"
    rate: PositiveFloat = 1.0
    decay: NonNegativeFloat | None = None
    optimizer: Literal["muon", "adamw"] = later("muon")

    def takes(self, name: str, axes: int, *, is_head: bool = False) -> bool:
        """Whether a parameter of this name, with so many axes in one network, belongs here."""
        shapes = {"any": True, "vectors": axes <= 1, "matrices": axes >= 2, "head": is_head}
        return shapes[self.shape] and fnmatch.fnmatchcase(name, self.match)

    def describe(self) -> str:
        """Say the group in words, such as "vectors with weight decay 0"."""
        what = "" if self.shape == "any" else self.shape
        named = "" if self.match == "*" else f"'{self.match}'"
        own = [f"rate × {self.rate:.3g}"] if self.rate != 1 else []
        own += [f"weight decay {self.decay:g}"] if self.decay is not None else []
        own += ["AdamW"] if self.optimizer == "adamw" else []
        subject = " ".join(part for part in (what, named) if part) or "all"
        return f"{subject} with {' and '.join(own) or 'nothing of their own'}"


def group_numbers(
    groups: Sequence[Group], parameters: Iterable[tuple[str, int]]
) -> tuple[list[int], list[int]]:
    """Divide parameters among groups.

    Args:
        groups: of the recipe. parameters: name and number of axes of every trained parameter.

    Returns: for every parameter the number of its flat tensor; for every flat tensor the number of its group, with
        len(groups) for the parameters that no group takes. Flat tensors are numbered in the order of the groups.

    Raises:
        UserError: a group that takes no parameter.
    """
    known = list(parameters)
    head = next((name for name, axes in reversed(known) if axes == 2), None)
    own = [
        next(
            (number for number, group in enumerate(groups) if group.takes(name, axes, is_head=name == head)),
            len(groups),
        )
        for name, axes in known
    ]
    for number, group in enumerate(groups):
        if number not in own:
            names = ", ".join(name for name, _ in known[:4])
            raise UserError(
                f"no trained parameter is left for the group of {group.describe()}; parameters are called {names}, …: "
                "change the group's match and shape, or put it before the group that takes them."
            )
    used = sorted(set(own))
    return [used.index(number) for number in own], used
