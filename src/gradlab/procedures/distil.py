"""Distilling the network of another run into a student: `Distil`, what its runs write, and the work."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gradlab._configuration import dataclass
from gradlab.lab.designing.procedure import DataName, Input, Procedure
from gradlab.lab.judging.results import Results
from gradlab.lab.kinds import Axes, Column, Kind, Measure, Outcome
from gradlab.models.registry import Model
from gradlab.procedures import _fits
from gradlab.procedures._costs import COSTS
from gradlab.procedures._pace import step_cost
from gradlab.procedures._predictions import (
    PREDICTIONS,
    SCORES,
    has_learned,
    prediction_table,
    scores,
    usable_logits,
    wrong_predictions,
)
from gradlab.procedures._training_measures import OF_EPOCHS
from gradlab.training.recipe import Recipe
from gradlab.transfer.views import View, check_views
from gradlab.types import STRICT, Fraction, PositiveFloat, UserError

if TYPE_CHECKING:
    from torch import nn

    from gradlab.data import Dataset
    from gradlab.lab.records.record import Record, Store
    from gradlab.lab.running.desk import Desk, Job
    from gradlab.training.fit import Fit


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Distil(Procedure):
    """Train a student on the labels and on what a teacher says of the same images; with alpha 1 on the labels alone.

    Attributes:
        net: the teacher. data: with train, validation and test. model: the student. recipe: how it is trained.
        temperature: by which logits are divided before the softmax. alpha: weight of the labels, in [0, 1].
        views: of every training image, one of which is shown in an epoch; the teacher runs once over each.
    """

    kind: Literal["distil"] = "distil"
    net: Input
    data: DataName
    model: Model
    recipe: Recipe
    temperature: PositiveFloat = 4.0
    alpha: Fraction = 0.5
    views: tuple[View, ...] = ("identity", "mirror")

    def __post_init__(self) -> None:
        check_views(self.views)


def _work(procedure: Distil, jobs: Sequence[Job], desk: Desk) -> Iterator[Outcome]:
    from gradlab.procedures._networks import refuse_misfit
    from gradlab.training.device import DTYPES
    from gradlab.transfer import distil

    data = desk.data(procedure.data)
    if data.test is None:
        raise UserError(
            f"'{data.name}' has no test images here, so its runs cannot be judged; choose data with a test part."
        )
    precision: Any = procedure.recipe.precision or desk.precision
    for job in jobs:
        teacher = job.network()
        refuse_misfit(teacher, data)
        student = _student(procedure, data, job).to(device=desk.device, dtype=DTYPES[precision])
        fit = distil(
            student,
            teacher,
            data.to(desk.device),
            procedure.recipe,
            temperature=procedure.temperature,
            alpha=procedure.alpha,
            views=procedure.views,
            seed=job.seed or 0,
            device=desk.device,
            precision=precision,
            checkpoint=desk.checkpoint,
            checkpoint_seconds=_fits.CHECKPOINT_SECONDS,
            listeners=[lambda epoch: desk.tell(_fits.progress_of(epoch))],
            progress=False,
        )
        yield _outcome(procedure, fit, _fits.start_digest(student), teacher, data, precision)


def _student(procedure: Distil, data: Dataset, job: Job) -> nn.Module:
    shape, mean, std = tuple(data.input_shape), tuple(data.mean), tuple(data.std)
    return procedure.model.build(shape, data.num_classes, seed=job.seed or 0, mean=mean, std=std)


def _outcome(
    procedure: Distil, fit: Fit, start: str, teacher: nn.Module, data: Dataset, precision: Any
) -> Outcome:
    from gradlab.procedures._gallery import most_confident_errors
    from gradlab.training.predict import predict_logits

    begun = time.perf_counter()
    assert data.test is not None  # checked above
    logits, taught = (
        predict_logits(one, data.test, precision=precision).float().cpu().numpy() for one in (fit.model, teacher)
    )  # fmt: skip
    labels = data.test.labels.cpu().numpy()
    facts = _fits.facts_of(fit, procedure.recipe, start) | {
        "class_names": list(data.class_names),
        "teacher": sum(one.numel() for one in teacher.parameters()),
        "test": scores(logits, labels),
        **_fits.network_facts(fit.model, data),
    }
    tables = {
        "epochs": _fits.epochs_of(fit),
        "predictions": {
            **prediction_table(logits, labels),
            "taught": usable_logits(taught).argmax(1).astype(np.int16),
        },
        "errors": most_confident_errors(usable_logits(logits), data.test),
    }
    spent = fit.seconds + time.perf_counter() - begun
    return Outcome(facts, tables, _fits.weights_of(fit), seconds=spent)


def _agrees(run: Results) -> np.ndarray:
    """Return 1 where student and teacher name one class, right or wrong."""
    table = run.table("predictions")
    return np.asarray(
        table["prediction"].astype(np.int64) == table["taught"].astype(np.int64), dtype=np.float64
    )


def _agreement_samples(run: Results) -> Axes:
    return {run.axis("test"): _agrees(run)}


def _describe(procedure: Distil, run: Results) -> dict[str, Any]:
    facts = run.facts
    softened = f"temperature {procedure.temperature:g}, weight of the labels {procedure.alpha:g}"
    what = "labels alone" if procedure.alpha == 1 else softened
    layers = procedure.model.describe(facts["input_shape"], len(facts["class_names"]))
    return {
        "parameters": facts["parameters"],
        "layers": f"{layers}; its teacher has {facts['teacher']:,} parameters",
        "recipe": f"{what}, views {' and '.join(procedure.views)}; {procedure.recipe.describe()}",
    }


def _network(record: Record, desk: Desk, _store: Store) -> nn.Module:
    from gradlab.procedures._networks import network_of

    return network_of(record, desk.modules)


def _cost(procedure: Distil, counts: Mapping[str, Mapping[str, int]]) -> float:
    steps = procedure.recipe.epochs * counts[procedure.data].get("train", 1) / procedure.recipe.batch_size
    return steps * step_cost(procedure.model)


def _seconds(procedure: Distil, jobs: Sequence[Job], desk: Desk) -> float:
    from gradlab.training.timing import time_steps
    from gradlab.transfer import ViewFeed

    data = desk.data(procedure.data)
    assert data.train is not None  # else it is refused when it runs
    judged = None if data.validation is None else ViewFeed(data.validation, ("identity",))
    one = time_steps(
        [_student(procedure, data, jobs[0])],
        ViewFeed(data.train, procedure.views),
        procedure.recipe,
        validation=judged,
        seeds=[jobs[0].seed or 0],
        device=desk.device,
        precision=procedure.recipe.precision or desk.precision,  # type: ignore[arg-type]
    )
    return one * len(jobs)


AGREEMENT = Measure(
    "agreement with the teacher",
    "fraction",
    "neither",
    lambda run: float(_agrees(run).mean()),
    _agreement_samples,
    range=(0, 1),
    exact=True,
)
DISTIL = Kind(
    name="distil",
    title="distillation",
    configuration=Distil,
    reads="images",
    work=_work,
    tables={
        "epochs": _fits.EPOCHS | {"train_agreement": Column("agreement with the teacher", **_fits.FRACTION)},
        "predictions": PREDICTIONS | {"taught": Column("class that the teacher names")},
        "errors": {},
    },
    measures={one.name: one for one in (*SCORES, *OF_EPOCHS, AGREEMENT, *COSTS)},
    learned=has_learned,
    check=wrong_predictions,
    describe=_describe,
    network=_network,
    cost=_cost,
    time=_seconds,
    may_stop=lambda procedure: procedure.recipe.stopping is not None,
)
