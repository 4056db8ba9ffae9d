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
from gradlab.types import STRICT, Count, PositiveFloat, UserError, later

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
        train_images: how many of the training images, drawn afresh for every seed; None for all.
        probe_steps: optimiser steps after which all layers are probed.
    """

    name: str
    label: str
    factors: dict[str, Factor]
    model: MLP | Custom
    recipe: Recipe
    train_images: Count | None = later(None)
    probe_steps: tuple[int, ...] = later(())


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Chosen:
    """What tuning arrives at: in every seed the run with the lowest validation loss among several arms.

    Each seed chooses for itself, so that the spread over seeds holds that of the choice.

    Attributes:
        name, label, factors: as of an arm. among: the arms to choose from.
    """

    name: str
    label: str
    factors: dict[str, Factor]
    among: tuple[str, ...]


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


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Table:
    """One row an arm: its factors, then each measure with its interval and the value of every seed.

    Attributes:
        arms: the rows, by name; all arms where none is named.
    """

    name: str
    title: str
    caption: str
    measures: tuple[str, ...]
    arms: tuple[str, ...] = later(())


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Line:
    """A measure against a factor (or against "parameters"), one line for each value of `by`.

    Attributes:
        panel: a factor with a panel for each of its values. where: values of factors that an arm must have.
    """

    name: str
    title: str
    caption: str
    x: str
    y: str
    by: str
    x_scale: Literal["linear", "log", "category"] = "linear"
    kind: Literal["line"] = "line"
    panel: str | None = later(None)
    where: dict[str, Factor] = later({})


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Curve:
    """A column of the epoch log, the gradient log or the probes against another, one line for each value of `by`."""

    name: str
    title: str
    caption: str
    source: Literal["epochs", "gradients", "probes"]
    x: str
    y: str
    by: str
    panel: str
    y_scale: Literal["linear", "log"] = "linear"
    where: dict[str, Factor] = field(default_factory=dict)
    kind: Literal["curve"] = "curve"
    x_scale: Literal["linear", "log"] = later("linear")


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
    chosen: tuple[Chosen, ...] = later(())

    @property
    def shown(self) -> tuple[Arm | Chosen, ...]:
        """All that tables, figures and claims can speak of."""
        return (*self.arms, *self.chosen)

    def __post_init__(self) -> None:
        names = [arm.name for arm in self.shown]
        if len(set(names)) != len(names):
            raise UserError(f"arms of a study need different names, got {names}.")
        for choice in self.chosen:
            if not choice.among or not set(choice.among) <= {arm.name for arm in self.arms}:
                raise UserError(f"'{choice.name}' chooses among arms of the study, got {list(choice.among)}.")
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
