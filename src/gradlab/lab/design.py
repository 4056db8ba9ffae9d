"""What a study returns: arms, claims, tables and figures as data, so that anybody can recompute them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from gradlab.models.mlp import MLP
from gradlab.statistics import Contrast
from gradlab.training.recipe import Recipe
from gradlab.types import STRICT, PositiveFloat, UserError

Factor = str | int | float


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Custom:
    """A user's own module in a spec: known by its name and the digest of its code and initial weights."""

    name: str
    digest: str


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Arm:
    """One condition of a study.

    Attributes:
        name: unique, short: "plain-32". label: for people: "plain, depth 32".
        factors: what sets it apart: {"kind": "plain", "depth": 32}; figures and tables use these.
        model: the network. recipe: how it is trained.
    """

    name: str
    label: str
    factors: dict[str, Factor]
    model: MLP | Custom
    recipe: Recipe


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
    """A statement fixed before the runs; with several parts it holds only if every part does."""

    id: str
    statement: str
    parts: tuple[Part, ...]
    published: Published | None = None
    predicts: Literal["supported", "refuted", "equivalent"] = "supported"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Table:
    """One row an arm: its factors, then each measure with its interval and the value of every seed."""

    name: str
    title: str
    caption: str
    measures: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Line:
    """A measure against a factor, one line for each value of `by`."""

    name: str
    title: str
    caption: str
    x: str
    y: str
    by: str
    x_scale: Literal["linear", "log", "category"] = "linear"
    kind: Literal["line"] = "line"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Curve:
    """A column of the epoch log or of the gradient log against another, one line for each value of `by`."""

    name: str
    title: str
    caption: str
    source: Literal["epochs", "gradients"]
    x: str
    y: str
    by: str
    panel: str
    y_scale: Literal["linear", "log"] = "linear"
    where: dict[str, Factor] = field(default_factory=dict)
    kind: Literal["curve"] = "curve"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Confusion:
    """The confusion matrix of one arm, counts summed over its seeds."""

    name: str
    title: str
    caption: str
    arm: str
    kind: Literal["confusion"] = "confusion"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Gallery:
    """The test images that one arm got wrong with the most confidence, over its seeds, each image once."""

    name: str
    title: str
    caption: str
    arm: str
    count: int = 10
    kind: Literal["gallery"] = "gallery"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Twins:
    """Two arms that differ in what is named and in nothing else."""

    a: str
    b: str


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Design:
    """A study with its parameters filled in: everything but the seeds and the data.

    Attributes:
        setting_text: net and recipe in one sentence. corrections: of faults in the published protocol, which do not make
            another setting of it. deviations: how it differs from the published setting; empty
            means that the publication's claims are judged in their own setting.
    """

    study: str
    title: str
    question: str
    background: str
    setting: str
    setting_text: str
    deviations: tuple[str, ...]
    parameters: dict[str, Any]
    arms: tuple[Arm, ...]
    claims: tuple[Claim, ...]
    tables: tuple[Table, ...]
    figures: tuple[Line | Curve | Confusion | Gallery, ...]
    twins: tuple[Twins, ...] = ()
    corrections: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = [arm.name for arm in self.arms]
        if len(set(names)) != len(names):
            raise UserError(f"arms of a study need different names, got {names}.")
        for claim in self.claims:
            for part in claim.parts:
                missing = set(part.contrast.weights) - set(names)
                if missing:
                    raise UserError(
                        f"claim {claim.id} compares arm(s) {sorted(missing)} that the study does not have."
                    )


_DESIGN = TypeAdapter(Design)


def dump_design(design: Design) -> dict[str, Any]:
    """Return the design as plain JSON data."""
    return _DESIGN.dump_python(design, mode="json")  # type: ignore[no-any-return]


def read_design(data: Mapping[str, Any]) -> Design:
    """Rebuild a design from what `dump_design` returned."""
    return _DESIGN.validate_python(dict(data))
