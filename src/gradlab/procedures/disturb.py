"""How maps of a network move when images are attacked, or disturbed as much in other ways: `Disturb` and the work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from gradlab import attacks
from gradlab._configuration import dataclass
from gradlab.attacks.every_step import every_step
from gradlab.attacks.registry import Attack as By
from gradlab.explain.registry import Explanation
from gradlab.lab.designing.procedure import DataName, Input, Procedure
from gradlab.lab.judging.results import Results
from gradlab.lab.kinds import Column, Kind, Outcome
from gradlab.lab.running.desk import Progress
from gradlab.procedures._disturb_measures import MEASURES, pairs
from gradlab.procedures._pace import IMAGES, pass_cost, pass_seconds
from gradlab.procedures._predictions import wrong_under_attack
from gradlab.types import STRICT, Count, PixelEps, UserError, later

if TYPE_CHECKING:
    from torch import Tensor

    from gradlab.data import Dataset
    from gradlab.lab.running.desk import Desk, Job

CHANGES = ("attack", "noise", "reversed")
TARGETS = ("predicted", "before")
PART = 500
"""Images between two moments at which killed work can go on."""
FEW = 20
"""Pairs of maps below which little can be said of them."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Disturb(Procedure):
    """Compare maps of test images before and after a change; arms are slices.

    The changes are the attack; "noise", the attack's own change with the sign of every number drawn anew, so that both
    norms are the same; and "reversed", the same attack towards the class that is predicted already, brought to the same L2
    norm. Pairs of maps of which one is empty, the same at all pixels, are counted and left out of the means. A slice is such as
    `at={"change": "noise", "target": "predicted", "group": "fooled"}`: "predicted" explains the class predicted after the
    change, "before" the one before it; the group is that of images whose prediction the attack changes, or the others.

    Attributes:
        net: whose network is explained. data: whose test images. method: of the maps. by: the attack; its own eps gives way, and
            it takes every step, since its reverse is at its goal from the start.
        eps: radius on the [0, 1] pixel scale. images: how many, drawn once with the class shares of the whole; None for all.
        pictures: whether the maps of the first images that the attack fools are kept as pictures.
    """

    kind: Literal["disturb"] = "disturb"
    net: Input
    data: DataName
    method: Annotated[Explanation, Field(discriminator="kind")]
    by: Annotated[By, Field(discriminator="kind")]
    eps: PixelEps
    images: Count | None = None
    pictures: bool = later(False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by", every_step(self.by))
        if not self.eps:
            raise UserError(
                "Disturb compares maps before and after a change, and eps 0 changes nothing; take 8/255."
            )


def _work(procedure: Disturb, jobs: Sequence[Job], desk: Desk) -> Iterator[Outcome]:
    from gradlab.procedures._explaining import chosen_images

    data = desk.data(procedure.data)
    rows, images, labels, _ = chosen_images(data, procedure.data, procedure.images, desk.device)
    for job in jobs:
        yield _disturb(procedure, job, desk, data, rows, images, labels)


def _disturb(
    procedure: Disturb,
    job: Job,
    desk: Desk,
    data: Dataset,
    rows: np.ndarray,
    images: Tensor,
    labels: np.ndarray,
) -> Outcome:
    import torch

    from gradlab.procedures import _disturbing
    from gradlab.procedures._networks import refuse_misfit

    network = job.network()
    refuse_misfit(network, data)
    blocks = np.array_split(np.arange(len(rows)), max(1, -(-len(rows) // PART)))
    (by,) = attacks.over_eps(procedure.by, (procedure.eps,)).values()

    def part(number: int) -> Mapping[str, Tensor]:
        desk.tell(Progress(number / len(blocks), f"attacking with {by.kind}", given=number / len(blocks)))
        some = images[torch.from_numpy(blocks[number]).to(desk.device)]
        shown = procedure.pictures and number == 0
        found = _disturbing.moved(
            network, procedure.method, by, some, lambda *of: job.generator(*of, number), shown=shown
        )
        desk.tell(Progress((number + 1) / len(blocks), "compared maps", given=number / len(blocks)))
        return found

    parts = desk.in_parts(f"moved-{job.seed}", len(blocks), part)
    wide = _disturbing.WIDE
    names = (*wide, "logits", "clean_logits")
    joined = {name: torch.cat([one[name] for one in parts], -1 if name in wide else 0) for name in names}
    arrays = {name: value.numpy() for name, value in joined.items()}
    tables = _disturbing.moved_tables(CHANGES, TARGETS, rows, labels, arrays)
    shown = parts[0] if procedure.pictures else None
    tables["pictures"] = _disturbing.pictures_table(CHANGES, shown, rows, labels)
    return Outcome(_facts(data, network, len(rows)), tables)


def _facts(data: Dataset, network: Any, count: int) -> dict[str, Any]:
    return {
        "status": "finished",
        "note": None,
        "parameters": sum(one.numel() for one in network.parameters()),
        "class_names": list(data.class_names),
        "images": count,
    }


def _check(run: Results) -> list[str]:
    """Name what does not follow from the logits and predictions."""
    table, moved = run.run.table("attacked"), run.run.table("moved")
    wrong = wrong_under_attack(table)
    if "clean" in table and "prediction" in table:
        fooled = np.tile(table["clean"] != table["prediction"], len(CHANGES) * len(TARGETS))
        wrong += [] if np.array_equal(fooled, moved["fooled"]) else ["fooled"]
    return wrong


def _flags(label: str, runs: Sequence[Results]) -> list[str]:
    """Say where an attack fools hardly any image, or hardly any is left."""
    few = [int(pairs(run).sum()) for run in runs if set(run.at) == {"change", "target", "group"}]
    if not few or min(few) >= FEW:
        return []
    if not min(few):
        return [
            f"{label}: no pair of maps of its group in one of the runs; take another --eps, or more images"
        ]
    return [
        f"{label}: only {min(few)} pairs of maps of its group in one of the runs, so the means say little"
    ]


def _describe(procedure: Disturb, run: Results) -> dict[str, Any]:
    return {
        "parameters": run.facts["parameters"],
        "layers": f"{run.facts['images']:,} images",
        "recipe": f"{procedure.method.kind}, {procedure.by.kind.upper()} at eps {procedure.eps * 255:.3g}/255",
    }


def _cost(procedure: Disturb, counts: Mapping[str, Mapping[str, int]]) -> float:
    images = procedure.images or counts[procedure.data].get("test", 1)
    passes = 2 * getattr(procedure.by, "steps", 1) + 2 * len(CHANGES)
    return images * passes / IMAGES * pass_cost(procedure.net)


DISTURB = Kind(
    name="disturb",
    version=2,
    title="maps under attack",
    configuration=Disturb,
    reads="images",
    work=_work,
    tables={
        "attacked": {"prediction": Column("predicted class under attack"), "label": Column("true class")},
        "moved": {
            "overlap": Column("overlap of the top 20 %", "fraction", (0, 1)),
            "rank": Column("rank correlation"),
            "shift": Column("shift of the centre", "fraction", (0, 1)),
            "growth": Column("growth of the area", "fraction"),
        },
        "pictures": {},
    },
    measures={measure.name: measure for measure in MEASURES},
    check=_check,
    flags=_flags,
    describe=_describe,
    cost=_cost,
    pace=pass_seconds,
)
