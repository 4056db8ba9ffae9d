"""Explaining the network of another run, and judging the maps: `Explain`, what its runs write, and the work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from gradlab._configuration import dataclass
from gradlab.explain.registry import Explanation
from gradlab.lab.designing.procedure import DataName, Input, Procedure
from gradlab.lab.judging.results import Results
from gradlab.lab.kinds import Column, Kind, Outcome
from gradlab.lab.records.columns import Columns
from gradlab.lab.running.desk import Progress
from gradlab.procedures._explain_measures import MEASURES
from gradlab.procedures._pace import IMAGES, pass_cost, pass_seconds
from gradlab.procedures._predictions import PREDICTIONS, logits_of, prediction_table, usable_logits
from gradlab.types import STRICT, Count, UserError, later

if TYPE_CHECKING:
    from torch import Tensor, nn

    from gradlab.data import Dataset
    from gradlab.lab.running.desk import Desk, Job

BASELINES = ("random", "edges")
"""Maps that know nothing of the network; every run judges them beside its methods."""
DRAWS = 3
"""Draws of random weights for each seed, the same for all methods."""
PASSES = 60
"""Passes over an image that judging one map takes."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Explain(Procedure):
    """Explain test images and judge the maps; arms are slices, `at={"method": "grad-cam"}`, "random" and "edges" included.

    Maps explain the class that the network predicts. Where the data have a planted patch, pointing at it is measured.

    Attributes:
        net: whose network is explained. data: whose test images. methods: each once.
        images: how many, drawn once with the class shares of the whole; None for all.
        untrained: draw all weights of the network anew first, as a control.
        mosaic: also explain images that are classified correctly, 50 at most, within a 2×2 mosaic of such, for networks that
            take any size, and measure the share of the map on its own cell.
        faithfulness: also judge by deletion and insertion, ROAD, the drop, and against random weights, which takes most of
            the time; without it, maps are judged by where they lie alone.
    """

    kind: Literal["explain"] = "explain"
    net: Input
    data: DataName
    methods: tuple[Annotated[Explanation, Field(discriminator="kind")], ...]
    images: Count | None = None
    untrained: bool = False
    mosaic: bool = later(False)
    faithfulness: bool = later(True)

    def __post_init__(self) -> None:
        names = [one.kind for one in self.methods]
        if not names or len(set(names)) < len(names):
            raise UserError(f"Explain takes one or more methods, each once, got {names}.")


def _work(procedure: Explain, jobs: Sequence[Job], desk: Desk) -> Iterator[Outcome]:
    from gradlab.procedures._explaining import chosen_images

    data = desk.data(procedure.data)
    rows, images, labels, masks = chosen_images(data, procedure.data, procedure.images, desk.device)
    for job in jobs:
        yield _explain(procedure, job, desk, data, rows, images, labels, masks)


def _explain(
    procedure: Explain,
    job: Job,
    desk: Desk,
    data: Dataset,
    rows: np.ndarray,
    images: Tensor,
    labels: np.ndarray,
    masks: Tensor | None,
) -> Outcome:
    from gradlab.explain import randomise
    from gradlab.procedures import _explaining
    from gradlab.procedures._networks import refuse_misfit

    network = _explaining.own_copy(job)
    refuse_misfit(network, data)
    if procedure.untrained:
        randomise(network, job.seed or 0)
    logits = _explaining.logits_of_images(network, images)
    classes = logits.argmax(1)
    mosaic = None
    if procedure.mosaic:
        mosaic = _explaining.in_mosaics(images, classes, labels, job.generator("mosaic"))
    draws = range(DRAWS if procedure.faithfulness else 0)
    weights = [int(job.generator("weights", draw).initial_seed()) for draw in draws]
    names = [*(one.kind for one in procedure.methods), *BASELINES]
    by_name: dict[str, Callable[..., Tensor]] = {one.kind: one for one in procedure.methods}

    def part(number: int) -> Mapping[str, Tensor]:
        name = names[number]
        judged = _explaining.judged(
            network,
            by_name.get(name, name),
            images,
            classes,
            masks,
            mosaic,
            lambda *of: job.generator(name, *of),
            weights=weights,
        )
        share = (number + 1) / len(names)
        desk.tell(Progress(share, f"judged {name}", given=number / len(names)))
        return judged

    found = desk.in_parts(f"maps-{job.seed}", len(names), part)
    table = {**prediction_table(logits.cpu().numpy(), labels), "index": rows.astype(np.int32)}
    tables: dict[str, Columns] = {
        "predictions": table,
        "maps": _maps(names, found, rows),
        "pictures": _explaining.pictures(names, found, images, table),
    }
    facts = _facts(data, network, masks is not None, procedure.mosaic, len(rows))
    return Outcome(facts | ({} if procedure.faithfulness else {"faithfulness": False}), tables)


def _maps(names: list[str], found: Sequence[Mapping[str, Tensor]], rows: np.ndarray) -> Columns:
    """Return a row for every method and image."""
    columns = sorted(name for name in found[0] if name != "shown")
    table = {
        name: np.concatenate([one[name].numpy() for one in found]).astype(np.float32) for name in columns
    }
    gap = {"gap": table["insertion"] - table["deletion"]} if "insertion" in table else {}
    return {
        "method": np.repeat(np.array(names, dtype=str), len(rows)),
        "index": np.tile(rows, len(names)).astype(np.int32),
        **table,
        **gap,
    }


def _facts(
    data: Dataset, network: nn.Module, has_masks: bool, has_mosaic: bool, count: int
) -> dict[str, Any]:
    return {
        "status": "finished",
        "note": None,
        "parameters": sum(one.numel() for one in network.parameters()),
        "class_names": list(data.class_names),
        "images": count,
        "masks": has_masks,
        "mosaic": has_mosaic,
    }


def _check(run: Results) -> list[str]:
    """Name what does not follow from the logits, or from deletion and insertion."""
    raw, maps = run.run.table("predictions"), run.run.table("maps")
    logits, wrong = logits_of(raw), []
    predicted = None if logits is None else usable_logits(logits).argmax(1)
    if predicted is not None and not np.array_equal(predicted, raw["prediction"]):
        wrong.append("prediction")
    both = "deletion" in maps and "insertion" in maps and "gap" in maps
    if both and not np.array_equal(maps["insertion"] - maps["deletion"], maps["gap"]):
        wrong.append("gap")
    return wrong


def _describe(procedure: Explain, run: Results) -> dict[str, Any]:
    named = ", ".join(one.kind for one in procedure.methods)
    return {
        "parameters": run.facts["parameters"],
        "layers": f"{run.facts['images']:,} images",
        "recipe": f"{named}{', all weights drawn anew' if procedure.untrained else ''}",
    }


def _cost(procedure: Explain, counts: Mapping[str, Mapping[str, int]]) -> float:
    images = procedure.images or counts[procedure.data].get("test", 1)
    passes = PASSES if procedure.faithfulness else PASSES / 3
    return (len(procedure.methods) + len(BASELINES)) * images * passes / 3 / IMAGES * pass_cost(procedure.net)


EXPLAIN = Kind(
    name="explain",
    version=3,
    title="explanation",
    configuration=Explain,
    reads="images",
    work=_work,
    tables={
        "predictions": {name: PREDICTIONS[name] for name in ("label", "prediction")},
        "maps": {
            "method": Column("method"),
            "gap": Column("insertion minus deletion", "fraction", always=False),
            "row": Column("centre of mass, from above", "fraction", (0, 1)),
            "column": Column("centre of mass, from the left", "fraction", (0, 1)),
        },
        "pictures": {},
    },
    measures={measure.name: measure for measure in MEASURES},
    check=_check,
    describe=_describe,
    cost=_cost,
    pace=pass_seconds,
)
