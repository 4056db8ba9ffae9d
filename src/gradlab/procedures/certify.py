"""The robustness certificate of another run's network: `Certify`, what its runs write, and the work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from gradlab._configuration import dataclass
from gradlab.attacks.effort import EFFORTS, Norm, radius_of
from gradlab.lab.designing.procedure import DataName, Input, Procedure
from gradlab.lab.judging.results import Results
from gradlab.lab.kinds import Column, Kind, Measure, Outcome
from gradlab.procedures._pace import IMAGES, pass_cost, pass_seconds
from gradlab.procedures.attack import chosen_rows
from gradlab.types import STRICT, Count, Radius, UserError

if TYPE_CHECKING:
    from gradlab.lab.running.desk import Desk, Job

WITHSTOOD = -1
"""In the column `fooled_by`; 0 is an image that needed no attack, and 1, 2, … are the attacks."""
WORDS = ("finding", "reasons", "fooled by")
"""Facts that a table of a study shows in words."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Certify(Procedure):
    """Examine a network as `gradlab.attacks.certify` does: valid, suspect or invalid, and accuracy in the worst case.

    Images, random starts and noise are those of seed 0, whichever network is examined.

    Attributes:
        net: whose network is examined. data: whose test images. eps: radius on the [0, 1] pixel scale, such as 8/255.
        norm: of the radius. quick: 200 images and 20 steps of PGD instead of 1,000 and 50. images: how many instead, drawn
            once with the class shares of the whole. twin: the same network trained without a defence; images that fool it
            are tried as well. net_seed: examine the network of this seed alone, once for all seeds of a study; None to
            examine that of every seed.
    """

    kind: Literal["certify"] = "certify"
    net: Input
    data: DataName
    eps: Radius
    norm: Norm = "linf"
    quick: bool = False
    images: Count | None = None
    twin: Input | None = None
    net_seed: Annotated[int, Field(ge=0)] | None = None

    def __post_init__(self) -> None:
        radius_of(self.eps, self.norm)  # refuses 0, and more than the norm's range


def _work(procedure: Certify, jobs: Sequence[Job], desk: Desk) -> Iterator[Outcome]:
    from gradlab.procedures._certifying import certify_network

    data = desk.data(procedure.data)
    if data.test is None:
        raise UserError(f"'{data.name}' has no test images here to attack; choose data with a test part.")
    rows = chosen_rows(data, procedure.images or EFFORTS[_effort(procedure)].images)
    for job in jobs:
        yield certify_network(procedure, EFFORTS[_effort(procedure)], job, desk, data, rows)


def _effort(procedure: Certify) -> str:
    return "quick" if procedure.quick else "standard"


def _share(name: str, counts: Callable[[np.ndarray], np.ndarray]) -> Measure:
    """Return the share of the images of which `counts` is true, by what fooled them."""

    def right(run: Results) -> np.ndarray:
        return counts(run.table("certified")["fooled_by"]).astype(np.float64)

    return Measure(
        name,
        "fraction",
        "higher",
        lambda run: float(right(run).mean()),
        lambda run: {run.axis("test", run.table("certified")["index"]): right(run)},
        range=(0, 1),
        exact=True,
    )


MEASURES = (
    _share("robust accuracy", lambda fooled_by: fooled_by == WITHSTOOD),
    _share("accuracy under PGD", lambda fooled_by: (fooled_by != 0) & (fooled_by != 1)),
    _share("clean accuracy", lambda fooled_by: fooled_by != 0),
)
"""In the worst case over all attacks; under the first of them alone; and without one."""


def finding_of(findings: Sequence[str]) -> str:
    """Return the gravest finding of the checks; "valid" where all were passed."""
    return next((grave for grave in ("invalid", "suspect") if grave in findings), "valid")


def told_of(attacks: Sequence[str], fooled_by: np.ndarray) -> str:
    """Say how many images each attack fooled that the ones before it did not, such as "PGD 12, square 1"."""
    counts = {name: int((fooled_by == number).sum()) for number, name in enumerate(attacks) if number}
    return ", ".join(f"{name} {count}" for name, count in counts.items() if count) or "nothing"


def _check(run: Results) -> list[str]:
    """Name what contradicts which attack fooled which image, or what the checks found."""
    fooled_by, attacks, checks = (run.table(name) for name in ("certified", "attacks", "checks"))
    wrong: list[str] = []
    if "left" in attacks:
        reached = np.where(fooled_by["fooled_by"] == WITHSTOOD, len(attacks["left"]), fooled_by["fooled_by"])
        left = [float((reached > number).mean()) for number in range(len(attacks["left"]))]
        wrong += [] if np.allclose(left, attacks["left"], rtol=0, atol=1e-12) else ["left"]
        told = told_of([str(name) for name in attacks["attack"]], fooled_by["fooled_by"])
        wrong += [] if told == run.facts["fooled by"] else ["fooled by"]
    if "finding" in checks:
        found = finding_of([str(one) for one in checks["finding"]])
        wrong += [] if found == run.facts["finding"] else ["finding"]
    return wrong


def _flags(label: str, runs: Sequence[Results]) -> list[str]:
    """Say which certificates are not valid, and why."""
    told = dict.fromkeys(
        f"{label}: the certificate is {run.facts['finding']}: {run.facts['reasons']}"
        for run in runs
        if run.facts["finding"] != "valid"
    )
    return list(told)


def _describe(procedure: Certify, run: Results) -> dict[str, Any]:
    eps = f"{procedure.eps * 255:.3g}/255" if procedure.norm == "linf" else f"{procedure.eps:.3g} in L2"
    one = "" if procedure.net_seed is None else f", the network of seed {procedure.net_seed}"
    return {
        "parameters": run.facts["parameters"],
        "layers": f"{run.facts['images']:,} test images attacked",
        "recipe": f"{_effort(procedure)} certificate at eps {eps}{one}",
    }


def _cost(procedure: Certify, counts: Mapping[str, Mapping[str, int]]) -> float:
    effort = EFFORTS[_effort(procedure)]
    images = min(procedure.images or effort.images, counts[procedure.data].get("test", 1))
    passes = effort.steps * (17 if procedure.twin is None else 21) + (effort.queries + effort.draws) / 3
    # about half of the images are left to most of the attacks
    return images * passes / 2 / IMAGES * pass_cost(procedure.net)


CERTIFY = Kind(
    name="certify",
    title="certificate",
    version=2,
    configuration=Certify,
    reads="images",
    work=_work,
    tables={
        "certified": {"fooled_by": Column("attack that fooled it")},
        "attacks": {"left": Column("images still right", unit="fraction", range=(0, 1))},
        "checks": {},
    },
    measures={measure.name: measure for measure in MEASURES},
    check=_check,
    flags=_flags,
    describe=_describe,
    draws=False,
    below=lambda procedure, seed: seed if procedure.net_seed is None else procedure.net_seed,
    cost=_cost,
    pace=pass_seconds,
)
