"""Claims as data: statements fixed before the runs."""

from __future__ import annotations

from typing import Literal

from pydantic.dataclasses import dataclass

from gradlab.statistics import Contrast
from gradlab.types import STRICT, PositiveFloat, later

Kind = Literal["more", "same", "not less"]
Verdict = Literal["supported", "refuted", "open"]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Part:
    """One comparison inside a claim: a contrast of a measure against the smallest effect that matters.

    Attributes:
        kind: "more" says that the contrast is above delta, "same" that it lies within it, "not less" above its negative.
        better: "neither" where the reading shall say larger and smaller instead of better and worse.
    """

    label: str
    measure: str
    contrast: Contrast
    delta: PositiveFloat
    kind: Kind = "more"
    better: Literal["neither"] | None = later(None)


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
        predicts: the verdict that the publication's wording leads one to expect.
        deviations: how this claim's arms differ from its published setting, where that is not the whole study's matter.
        says: verdict -> sentence of the study's answer. {arm} becomes the mean of that arm, {estimate} and {size} that of
            the contrast, with and without its sign, and {low} and {high} the ends of its interval. Claims without a
            sentence for their verdict add nothing to the answer.
        means: for learners, what the claim is about. figure: name of the figure that shows it.
    """

    id: str
    statement: str
    parts: tuple[Part, ...]
    published: Published | None = None
    predicts: Literal["supported", "refuted"] = "supported"
    deviations: tuple[str, ...] | None = later(None)
    says: dict[Verdict, str] = later({})
    means: str = later("")
    figure: str = later("")
