"""Claims as data: statements fixed before the runs."""

from __future__ import annotations

from typing import Literal

from gradlab._configuration import dataclass
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
    """What a publication says, and how that was obtained.

    Attributes:
        link: address of the source, https; empty where none is known.
    """

    value: str
    source: str
    protocol: str
    link: str = later("")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Claim:
    """A statement fixed before the runs; with several parts it holds only if every part does.

    Attributes:
        predicts: the verdict that the publication's wording leads one to expect.
        deviations: how this claim's arms differ from its published setting, where that is not the whole study's matter.
        says: verdict -> sentence of the study's answer; a claim without one for its verdict adds nothing to it. {arm}
            becomes the mean of any arm, of the claim's measure, and {arm: measure} that of another one. {estimate} and
            {size} become the contrast with and without its sign, {low} and {high} the ends of its interval, {reading} the
            verdict's reading, {a > b} in how many seeds arm a is above arm b, {a > any b} in how many pairs of runs,
            {opposite table: row} a count of a table of signs. {failed} are the parts that refute a claim of several, {fails}
            their words alone, {undecided} those of the parts that are open. Claims with one and the same sentence that
            contains {subjects} share it; of {does|do} the first word stands for one claim and the second for several.
        subject: what {subjects} calls this claim; it may contain arms as a sentence may.
        reach: why these data are likely to leave the claim open and what would settle it, where that is known beforehand.
        means: for learners, what the claim is about. figure: name of the figure that shows it.
    """

    id: str
    statement: str
    parts: tuple[Part, ...]
    published: Published | None = None
    predicts: Literal["supported", "refuted"] = "supported"
    deviations: tuple[str, ...] | None = later(None)
    says: dict[Verdict, str] = later({})
    subject: str = later("")
    means: str = later("")
    reach: str = later("")
    figure: str = later("")
