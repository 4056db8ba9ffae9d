"""Attacking the network of another run: `Attack`, what its runs write, and the work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from gradlab import attacks
from gradlab._configuration import dataclass
from gradlab.attacks.choose_targets import Targets
from gradlab.attacks.numbers import NUMBERS, Number, is_success
from gradlab.attacks.registry import Attack as By
from gradlab.lab.designing.procedure import DataName, Input, Procedure
from gradlab.lab.judging.results import Results
from gradlab.lab.kinds import Column, Kind, Measure, Outcome
from gradlab.lab.records.columns import Columns
from gradlab.procedures._pace import IMAGES, pass_cost, pass_seconds
from gradlab.procedures._predictions import wrong_under_attack
from gradlab.types import STRICT, Count, Radius, UserError, later

if TYPE_CHECKING:
    from gradlab.data import Dataset
    from gradlab.lab.running.desk import Desk, Job

ROUNDING = 1e-6
"""By which a norm may exceed its budget: that of storing it."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Attack(Procedure):
    """Attack test images within several radii; the arms of a study are slices of it, `at={"eps": 8/255}`.

    Attributes:
        net: whose network is attacked. data: whose test images. by: the attack; its own eps gives way to these.
        eps: radii of its norm on the [0, 1] pixel scale, such as 8/255. images: how many, drawn once with the class shares of the
            whole; None for all.
        targets: the class that every image shall become (those of that class are left out), "least-likely": for each
            image the one that the network finds least likely, "random": any other; None to leave the true class.
    """

    kind: Literal["attack"] = "attack"
    net: Input
    data: DataName
    by: Annotated[By, Field(discriminator="kind")]
    eps: tuple[Radius, ...]
    images: Count | None = None
    targets: Targets | None = later(None)

    def __post_init__(self) -> None:
        attacks.over_eps(self.by, self.eps)  # refuses none, and one that is there twice


def _work(procedure: Attack, jobs: Sequence[Job], desk: Desk) -> Iterator[Outcome]:
    from gradlab.procedures._attacking import attack_network

    data = desk.data(procedure.data)
    if data.test is None:
        raise UserError(f"'{data.name}' has no test images here to attack; choose data with a test part.")
    rows = chosen_rows(data, procedure.images)
    if isinstance(procedure.targets, int):
        if procedure.targets >= len(data.class_names):
            raise UserError(
                f"'{data.name}' has the classes 0 to {len(data.class_names) - 1}, got the target {procedure.targets}."
            )
        rows = rows[data.test.labels.cpu().numpy()[rows] != procedure.targets]
    for job in jobs:
        yield attack_network(procedure, job, desk, data, rows)


def chosen_rows(data: Dataset, count: int | None) -> np.ndarray:
    """Return the rows of the test images that are attacked, the same for every seed."""
    from gradlab.data import draw

    assert data.test is not None  # checked by the caller
    if count is None or count >= len(data.test):
        return np.arange(len(data.test))
    return np.sort(draw(data.test.labels, count, seed=0).cpu().numpy())


def _measure(number: Number) -> Measure:
    """Return a number over attacked images as a measure of a run, along the axis of its images."""
    return Measure(
        number.name,
        number.unit,
        number.better,
        lambda run: number.value(run.table("attacked")),
        lambda run: {run.axis("test", run.table("attacked")["index"]): number.samples(run.table("attacked"))},
        range=number.range,
        exact=number.over is None,
        counted=_counted(number),
    )


def _counted(number: Number) -> Callable[[Results], np.ndarray] | None:
    """Return which images count, of a share of some of them: success is 0 or 1 for each of those."""
    if number.over is None or number.name != "attack success":
        return None
    return lambda run: number.parts(run.table("attacked"))[1]


MEASURES = tuple(_measure(number) for number in NUMBERS)
"""What `gradlab.attacks.robustness` tells as well; ratios have linearised intervals."""


def fooled_view(run: Results) -> Columns:
    """The successes: true class and prediction under attack, which for a targeted attack is the target."""
    table = run.table("attacked")
    rows = is_success(table) > 0
    return {name: table[name][rows] for name in ("label", "prediction")}


def _check(run: Results) -> list[str]:
    """Name what contradicts the logits, or the budget."""
    table = run.table("attacked")
    if "linf" not in table or "eps" not in table:
        return []
    over = (table["linf"] > table["eps"] + ROUNDING).any()
    return (["linf"] if over else []) + wrong_under_attack(table)


def _flags(label: str, runs: Sequence[Results]) -> list[str]:
    """Say where gradients showed the attack no direction, so that it proves little."""
    blind = [float(run.table("attacked")["blind"].mean()) for run in runs if "blind" in run.table("attacked")]
    share = max(blind, default=0.0)
    if share < 0.01:
        return []
    return [f"{label}: the gradient is zero at {share:.0%} of the images, so the attack shows little there"]


def _describe(procedure: Attack, run: Results) -> dict[str, Any]:
    radii = ", ".join(f"{round(eps * 255, 2):g}/255" for eps in procedure.eps)
    return {
        "parameters": run.facts["parameters"],
        "layers": f"{run.facts['images']:,} test images attacked",
        "recipe": f"{_told(procedure.by)} at eps {radii}{_goal(procedure.targets)}",
    }


def _goal(targets: Targets | None) -> str:
    if targets is None:
        return ""
    return f", towards {f'class {targets}' if isinstance(targets, int) else f'{targets} classes'}"


def _told(by: By) -> str:
    """Say an attack's settings in one line, without the radius."""
    rest = {
        name: value for name, value in vars(by).items() if name not in ("kind", "eps") and value is not None
    }
    shown = [f"{name.replace('_', ' ')} {str(value).lower()}" for name, value in rest.items()]
    return ", ".join([by.kind.upper(), *shown])


def _cost(procedure: Attack, counts: Mapping[str, Mapping[str, int]]) -> float:
    images = procedure.images or counts[procedure.data].get("test", 1)
    return len(procedure.eps) * images * _passes(procedure.by) / IMAGES * pass_cost(procedure.net)


def _passes(by: By) -> float:
    """Return about how many passes forward and back an attack takes; one forward alone is a third."""
    asked = getattr(by, "population", 1) * getattr(by, "generations", 1) * getattr(by, "draws", 1)
    if not hasattr(by, "steps"):
        asked *= getattr(by, "queries", 1)
    return float(getattr(by, "steps", 1)) if asked == 1 else asked / 3


ATTACK = Kind(
    name="attack",
    title="attack",
    version=2,
    configuration=Attack,
    reads="images",
    work=_work,
    tables={
        "attacked": {
            "eps": Column("eps"),
            "linf": Column("largest change of a pixel"),
            "prediction": Column("predicted class under attack"),
            "label": Column("true class"),
        },
        "examples": {},
        "fooled": {"prediction": Column("predicted class under attack"), "label": Column("true class")},
    },
    measures={measure.name: measure for measure in MEASURES},
    views={"fooled": fooled_view},
    check=_check,
    flags=_flags,
    describe=_describe,
    cost=_cost,
    pace=pass_seconds,
)
