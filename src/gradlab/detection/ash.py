"""Activation shaping: most features are dropped and the rest scaled up before the energy is taken."""

from __future__ import annotations

from dataclasses import dataclass as plain
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from gradlab._configuration import dataclass
from gradlab.detection._features import checked_features
from gradlab.detection.energy import energy
from gradlab.detection.head import Head
from gradlab.metrics.arrays import Floats
from gradlab.types import STRICT, UserError

Variant = Literal["s", "b"]


def shaped(features: Any, share: float, variant: Variant = "s") -> Floats:
    """Drop the smallest features of every image and reshape the rest (Djurisic et al., 2023, arXiv:2209.09858, alg. 1-3).

    Args:
        features: (N, D) finite numbers, none negative, as after a ReLU.
        share: p in [0, 1): round(p D) features of every image are set to 0.
        variant: "s" multiplies the rest by exp(sum before / sum after); "b" puts sum before / number kept in their place.
    Returns: (N, D) float64.

    Raises:
        UserError: no such features, or negative ones.
    """
    values = checked_features(features)
    if (values < 0).any():
        raise UserError(
            "ASH reads features that are not negative, as after a ReLU; leave it out for this network."
        )
    width = values.shape[1]
    kept = max(1, width - round(width * share))
    place = np.argpartition(values, width - kept, axis=1)[:, width - kept :]
    rest = np.take_along_axis(values, place, axis=1)
    before, after = (one.sum(axis=1, keepdims=True) for one in (values, rest))
    if variant == "b":
        rest = np.broadcast_to(before / kept, rest.shape)
    else:
        rest = rest * np.exp(np.divide(before, after, out=np.ones_like(before), where=after > 0))
    result = np.zeros_like(values)
    np.put_along_axis(result, place, rest, axis=1)
    return result


def ash(features: Any, head: Head, share: float, variant: Variant = "s") -> Floats:
    """Free energy of shaped features; see `shaped`.

    Args:
        features: (N, D) finite numbers, none negative. head: the last linear layer. share, variant: as for `shaped`.
    Returns: (N,) float64; larger = more out-of-distribution.

    Raises:
        UserError: no such features, or negative ones.
    """
    return energy(head.logits(shaped(features, share, variant)))


@plain(frozen=True, eq=False)
class FittedASH:
    """The head that reads the shaped features."""

    head: Head
    share: float
    variant: Variant

    def score(self, features: Any) -> Floats:
        """Score (N, D) features; see `ash`."""
        return ash(features, self.head, self.share, self.variant)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ASH:
    """Free energy of shaped features (Djurisic et al., 2023), applied to what the last linear layer reads.

    Attributes:
        share: of the features of an image that are dropped. variant: "s" scales the rest, "b" makes them equal.
    """

    needs: ClassVar[tuple[str, ...]] = ("features",)
    fits: ClassVar[tuple[str, ...]] = ("head",)
    kind: Literal["ash"] = "ash"
    share: Annotated[float, Field(ge=0, lt=1)] = 0.9
    variant: Variant = "s"

    def fit(self, head: Head) -> FittedASH:
        """Take the head; nothing is fitted to images."""
        return FittedASH(head, self.share, self.variant)
