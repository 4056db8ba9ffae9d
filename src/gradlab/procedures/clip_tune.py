"""Teaching a CLIP classes by adapters or a learned prompt: `ClipTune`, what its runs write, and the work."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from gradlab._configuration import dataclass
from gradlab.clip.methods import Method
from gradlab.clip.prompts import PHOTO
from gradlab.lab.designing.procedure import DataName, Input, Procedure
from gradlab.lab.judging.results import Results
from gradlab.lab.kinds import Kind, Outcome
from gradlab.procedures import _fits
from gradlab.procedures._costs import COSTS
from gradlab.procedures._predictions import (
    PREDICTIONS,
    SCORES,
    has_learned,
    prediction_table,
    scores,
    wrong_predictions,
)
from gradlab.procedures._training_measures import OF_EPOCHS
from gradlab.procedures.pretrained_clip import SOFTWARE, clip_below, need_clip, source_of, test_of
from gradlab.training.recipe import Recipe
from gradlab.types import STRICT

if TYPE_CHECKING:
    from gradlab.clip import CLIP, Tuned
    from gradlab.data import Dataset
    from gradlab.lab.records.record import Record, Store
    from gradlab.lab.running.desk import Desk, Job

AnyMethod = Annotated[Method, Field(discriminator="kind")]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ClipTune(Procedure):
    """Train what a method adds to a frozen CLIP on labelled images; the record keeps what was trained, and nothing else.

    Attributes:
        net: the CLIP. data: with train, validation and test. method: what trains. recipe: how.
        templates: of the classes' prompts; a learned prompt has its own.
    """

    kind: Literal["clip-tune"] = "clip-tune"
    net: Input
    data: DataName
    method: AnyMethod
    recipe: Recipe
    templates: tuple[str, ...] = PHOTO


def _work(procedure: ClipTune, jobs: Sequence[Job], desk: Desk) -> Iterator[Outcome]:
    from gradlab.clip import tune

    data = desk.data(procedure.data)
    test_of(data)
    for job in jobs:
        tuned = tune(
            need_clip(job),
            data.to(desk.device),
            procedure.method,
            procedure.recipe,
            templates=procedure.templates,
            seed=job.seed or 0,
            device=desk.device,
            precision=procedure.recipe.precision or desk.precision,  # type: ignore[arg-type]
            checkpoint=desk.checkpoint,
            checkpoint_seconds=_fits.CHECKPOINT_SECONDS,
            listeners=[lambda epoch: desk.tell(_fits.progress_of(epoch))],
            progress=False,
        )
        yield _outcome(procedure, job, tuned, data, desk)


def _outcome(procedure: ClipTune, job: Job, tuned: Tuned, data: Dataset, desk: Desk) -> Outcome:
    from gradlab.training.predict import predict_logits

    begun, fit, test = time.perf_counter(), tuned.fit, test_of(data)
    precision: Any = procedure.recipe.precision or desk.precision
    logits = predict_logits(fit.model, test, precision=precision).float().cpu().numpy()
    labels = test.labels.cpu().numpy()
    trained = {name for name, one in tuned.start.named_parameters() if one.requires_grad}
    facts = _fits.facts_of(fit, procedure.recipe, _fits.start_digest(tuned.start)) | {
        "frozen": {"tensors": tuned.frozen, "unchanged": tuned.unchanged},
        "class_names": list(data.class_names),
        "source": source_of(job),
        "test": scores(logits, labels),
    }
    tables = {"epochs": _fits.epochs_of(fit), "predictions": prediction_table(logits, labels)}
    weights = {name: one for name, one in _fits.weights_of(fit).items() if name in trained}
    return Outcome(facts, tables, weights, seconds=fit.seconds + time.perf_counter() - begun)


def _network(record: Record, desk: Desk, store: Store) -> CLIP:
    """Build the CLIP again: the one below, with what was added and trained."""
    from pydantic import TypeAdapter
    from safetensors.torch import load_file

    from gradlab.clip import CLIP
    from gradlab.lab.records.record import WEIGHTS
    from gradlab.types import UserError

    path = record.file(WEIGHTS)
    if path is None:
        raise UserError(f"record {record.hash} holds no weights; run its study again.")
    method: Any = TypeAdapter(AnyMethod).validate_python(record.spec["procedure"]["method"])
    start = method.start(clip_below(record, desk, store), 0)
    assert isinstance(start, CLIP)  # as every method says
    found = {name.removeprefix("clip."): one for name, one in load_file(path).items()}
    unknown = start.load_state_dict(found, strict=False).unexpected_keys
    if unknown:
        raise UserError(
            f"record {record.hash} holds '{unknown[0]}', which its CLIP does not have; run its study again."
        )
    return start.eval()


def _describe(procedure: ClipTune, run: Results) -> dict[str, Any]:
    frozen = run.facts["frozen"]
    kept = f"{frozen['unchanged']} of {frozen['tensors']} frozen tensors bit-equal after training"
    return {
        "parameters": run.facts["parameters"],
        "layers": f"{procedure.method.describe()}; {kept}",
        "recipe": procedure.recipe.describe(),
    }


def _cost(procedure: ClipTune, counts: Mapping[str, Mapping[str, int]]) -> float:
    steps = procedure.recipe.epochs * counts[procedure.data].get("train", 1) / procedure.recipe.batch_size
    return 100.0 * steps


CLIP_TUNE = Kind(
    name="clip-tune",
    title="tuning of a CLIP",
    configuration=ClipTune,
    reads="images",
    work=_work,
    tables={"epochs": _fits.EPOCHS, "predictions": PREDICTIONS},
    measures={one.name: one for one in (*SCORES, *OF_EPOCHS, *COSTS)},
    learned=has_learned,
    check=wrong_predictions,
    describe=_describe,
    network=_network,
    cost=_cost,
    software=SOFTWARE,
    more_software=lambda procedure: ("peft",) if procedure.method.kind == "lora" else (),
    may_stop=lambda procedure: procedure.recipe.stopping is not None,
)
