"""Fine-tuning the network of another run on other classes: `FineTune`, what its runs write, and the work."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from gradlab._configuration import dataclass
from gradlab.lab.designing.procedure import DataName, Input, Procedure
from gradlab.lab.judging.results import Results
from gradlab.lab.kinds import Kind, Measure, Outcome
from gradlab.procedures import _fits
from gradlab.procedures._costs import COSTS
from gradlab.procedures._embedding import EMBEDDING, embedding
from gradlab.procedures._pace import IMAGES, pass_cost
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
from gradlab.transfer.policies import Policy
from gradlab.types import STRICT, UserError

if TYPE_CHECKING:
    from torch import nn

    from gradlab.data import Dataset
    from gradlab.lab.records.record import Record, Store
    from gradlab.lab.running.desk import Desk, Job
    from gradlab.transfer import FineTuned

SHARES = {"head": 0.5, "last-block": 0.6, "gradual": 0.9}
"""Time of an epoch as a share of that of training everything."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FineTune(Procedure):
    """Give a network a new head for other classes and train it on by a policy.

    Attributes:
        net: whose network; nothing but its shape and normalisation is kept where the policy starts from scratch.
        data: with train, validation and test. policy: what trains, when and at which rate. recipe: of all stages together.
    """

    kind: Literal["fine-tune"] = "fine-tune"
    net: Input
    data: DataName
    policy: Annotated[Policy, Field(discriminator="kind")]
    recipe: Recipe


def _work(procedure: FineTune, jobs: Sequence[Job], desk: Desk) -> Iterator[Outcome]:
    from gradlab.transfer import fine_tune

    data = desk.data(procedure.data)
    if data.test is None:
        raise UserError(
            f"'{data.name}' has no test images here, so its runs cannot be judged; choose data with a test part."
        )
    for job in jobs:
        folder = desk.checkpoint.with_suffix(".parts") / f"fine-tune-{job.seed}"
        folder.mkdir(parents=True, exist_ok=True)
        tuned = fine_tune(
            job.network(),
            data.to(desk.device),
            procedure.policy,
            procedure.recipe,
            seed=job.seed or 0,
            device=desk.device,
            precision=procedure.recipe.precision or desk.precision,  # type: ignore[arg-type]
            folder=folder,
            checkpoint_seconds=_fits.CHECKPOINT_SECONDS,
            listeners=[lambda epoch: desk.tell(_fits.progress_of(epoch))],
            progress=False,
        )
        yield _outcome(procedure, tuned, data, desk)


def _outcome(procedure: FineTune, tuned: FineTuned, data: Dataset, desk: Desk) -> Outcome:
    from gradlab.procedures._gallery import most_confident_errors
    from gradlab.training.predict import predict_logits

    begun, fit = time.perf_counter(), tuned.fit
    assert data.test is not None  # checked above
    precision: Any = procedure.recipe.precision or desk.precision
    logits = predict_logits(fit.model, data.test, precision=precision).float().cpu().numpy()
    labels = data.test.labels.cpu().numpy()
    facts = _fits.facts_of(fit, procedure.recipe, _fits.start_digest(tuned.start)) | {
        "parameters": tuned.trained,
        "frozen": vars(tuned.frozen) | {},
        "class_names": list(data.class_names),
        "test": scores(logits, labels),
        **_fits.network_facts(fit.model, data),
    }
    tables = {
        "epochs": _fits.epochs_of(fit),
        "predictions": prediction_table(logits, labels),
        "errors": most_confident_errors(usable_logits(logits), data.test),
        "embedding": embedding(fit.model, data.test),
    }
    spent = fit.seconds + time.perf_counter() - begun
    return Outcome(facts, tables, _fits.weights_of(fit), seconds=spent)


def _frozen(run: Results) -> float:
    """Share of the parameters that were frozen and are proven to be; none where a single tensor changed."""
    frozen = run.facts["frozen"]
    return float(frozen["share"]) if frozen["unchanged"] == frozen["tensors"] else 0.0


FROZEN = Measure("frozen", "fraction", "neither", _frozen, range=(0, 1), on="train", learns=False)


def describe_tuned(procedure: Any, run: Results) -> dict[str, Any]:
    """Say what trained, and what was frozen and is proven to be."""
    frozen = run.facts["frozen"]
    kept = f"{frozen['unchanged']} of {frozen['tensors']} frozen tensors bit-equal after training"
    return {
        "parameters": run.facts["parameters"],
        "layers": procedure.policy.describe() + (f"; {kept}" if frozen["tensors"] else ""),
        "recipe": procedure.recipe.describe(),
    }


def _network(record: Record, desk: Desk, _store: Store) -> nn.Module:
    from gradlab.procedures._networks import network_of

    return network_of(record, desk.modules)


def _cost(procedure: FineTune, counts: Mapping[str, Mapping[str, int]]) -> float:
    images = procedure.recipe.epochs * counts[procedure.data].get("train", 1)
    return SHARES.get(procedure.policy.kind, 1.0) * images / IMAGES * pass_cost(procedure.net)


def _seconds(procedure: FineTune, jobs: Sequence[Job], desk: Desk) -> float:
    from gradlab.training.timing import time_steps
    from gradlab.transfer import parts_of, with_new_head
    from gradlab.transfer.parts import train_only

    data, seed = desk.data(procedure.data), jobs[0].seed or 0
    start = with_new_head(jobs[0].network(), data.num_classes, seed=seed, fresh=procedure.policy.fresh)
    whole = 0.0
    for stage in procedure.policy.stages(parts_of(start), procedure.recipe):
        whole += time_steps(
            [train_only(start, stage.trains)],
            data,
            stage.recipe,
            seeds=[seed],
            device=desk.device,
            precision=procedure.recipe.precision or desk.precision,  # type: ignore[arg-type]
        )
    return whole * len(jobs)


FINE_TUNE = Kind(
    name="fine-tune",
    title="fine-tuning",
    configuration=FineTune,
    reads="images",
    work=_work,
    tables={"epochs": _fits.EPOCHS, "predictions": PREDICTIONS, "errors": {}, "embedding": EMBEDDING},
    measures={
        one.name: one
        for one in (
            *SCORES,
            *OF_EPOCHS,
            FROZEN,
            *COSTS,
        )
    },
    learned=has_learned,
    check=wrong_predictions,
    describe=describe_tuned,
    network=_network,
    cost=_cost,
    time=_seconds,
    may_stop=lambda procedure: procedure.recipe.stopping is not None,
)
