"""Claims as data: statements fixed before the runs."""

from __future__ import annotations

from typing import Literal

from pydantic.dataclasses import dataclass

from gradlab.statistics import Contrast
from gradlab.types import STRICT, PositiveFloat, later


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Part:
    """One comparison inside a claim: a contrast of a measure against the smallest effect that matters."""

    label: str
    measure: str
    contrast: Contrast
    delta: PositiveFloat


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Published:
    """What a publication says, and what was wrong with how it was obtained."""

    value: str
    source: str
    protocol: str


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Claim:
    """A statement fixed before the runs; with several parts it holds only if every part does.

    Attributes:
        deviations: how this claim's arms differ from its published setting, where that is not the whole study's matter.
    """

    id: str
    statement: str
    parts: tuple[Part, ...]
    published: Published | None = None
    predicts: Literal["supported", "refuted", "equivalent"] = "supported"
    deviations: tuple[str, ...] | None = later(None)
