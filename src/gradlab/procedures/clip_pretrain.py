"""Contrastive pre-training of a small CLIP: `ClipPretrain`, what its runs write, and the work."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from gradlab._configuration import dataclass
from gradlab.clip.small import SmallCLIP
from gradlab.lab.designing.procedure import DataName, Input, Procedure
from gradlab.lab.judging.results import Results
from gradlab.lab.kinds import Column, Kind, Outcome
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
from gradlab.procedures.pretrained_clip import SOFTWARE, test_of
from gradlab.training.recipe import Recipe
from gradlab.types import STRICT, later

if TYPE_CHECKING:
    from gradlab.clip import CLIP
    from gradlab.data import Dataset
    from gradlab.lab.records.record import Record, Store
    from gradlab.lab.running.desk import Desk, Job
    from gradlab.language import TextEncoder
    from gradlab.training.fit import Fit


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ClipPretrain(Procedure):
    """Pre-train a small CLIP on labelled images, whose captions are made from the names of their classes.

    It is one network, with a seed of its own that counts as a setting, so that all seeds of a study share it.

    Attributes:
        data: with train, validation and test. model: the network. recipe: how it is trained.
        flips: whether images may be mirrored, which digits must not. initial_seed: of initial weights, order, captions and flips.
        text: a `TextTowerPretrain`, whose weights and tokenizer the text tower starts from; left out: from random values, and a
            tokenizer trained on the captions. frozen_epochs: first epochs, in which the text tower stays as it is.
    """

    kind: Literal["clip-pretrain"] = "clip-pretrain"
    data: DataName
    model: SmallCLIP
    recipe: Recipe
    flips: bool = True
    initial_seed: Annotated[int, Field(ge=0)] = 0
    text: Input | None = later(None)
    frozen_epochs: Annotated[int, Field(ge=0)] = later(0)


def _work(procedure: ClipPretrain, jobs: Sequence[Job], desk: Desk) -> Iterator[Outcome]:
    from gradlab.clip import build_small, pretrain

    data, seed = desk.data(procedure.data), procedure.initial_seed
    test_of(data)
    for job in jobs:
        start = build_small(procedure.model, data, seed=seed, text=_text_of(job, procedure))
        done = pretrain(
            start,
            data.to(desk.device),
            procedure.recipe,
            flips=procedure.flips,
            frozen_epochs=procedure.frozen_epochs,
            seed=seed,
            device=desk.device,
            precision=procedure.recipe.precision or desk.precision,  # type: ignore[arg-type]
            checkpoint=desk.checkpoint,
            checkpoint_seconds=_fits.CHECKPOINT_SECONDS,
            listeners=[lambda epoch: desk.tell(_fits.progress_of(epoch))],
            progress=False,
        )
        yield _outcome(procedure, start, done, data, desk)


def _text_of(job: Job, procedure: ClipPretrain) -> TextEncoder | None:
    from gradlab.procedures.text_encoder import need_encoder

    return None if procedure.text is None else need_encoder(job.network("text"))


def _outcome(procedure: ClipPretrain, start: CLIP, fit: Fit, data: Dataset, desk: Desk) -> Outcome:
    from gradlab.clip import CLIPClassifier
    from gradlab.clip.prompts import described
    from gradlab.training.predict import predict_logits

    begun, clip, test = time.perf_counter(), fit.model, test_of(data)
    classifier = CLIPClassifier(clip, [described(name) for name in data.class_names])  # type: ignore[arg-type]
    precision: Any = procedure.recipe.precision or desk.precision
    logits = predict_logits(classifier, test, precision=precision).float().cpu().numpy()
    labels = test.labels.cpu().numpy()
    facts = _fits.facts_of(fit, procedure.recipe, _fits.start_digest(start)) | {
        "class_names": list(data.class_names),
        "size": start.preprocessing.size,
        "mean": list(start.preprocessing.mean),
        "std": list(start.preprocessing.std),
        "test": scores(logits, labels),
    }
    tables = {
        "epochs": _fits.epochs_of(fit),
        "predictions": prediction_table(logits, labels),
        "tokenizer": {"json": np.array([start.tokenizer.backend_tokenizer.to_str()], dtype=str)},
    }
    return Outcome(facts, tables, _fits.weights_of(fit), seconds=fit.seconds + time.perf_counter() - begun)


def _network(record: Record, _desk: Desk, _store: Store) -> CLIP:
    from pydantic import TypeAdapter
    from safetensors.torch import load_file

    from gradlab.clip.pretrain import assemble
    from gradlab.lab.records.record import WEIGHTS
    from gradlab.types import UserError

    model = TypeAdapter(SmallCLIP).validate_python(record.spec["procedure"]["model"])
    path, facts = record.file(WEIGHTS), record.facts
    if path is None:
        raise UserError(f"record {record.hash} holds no weights; run its study again.")
    words = str(record.table("tokenizer")["json"][0])
    clip = assemble(model, words, facts["size"], facts["mean"], facts["std"], seed=0)
    clip.load_state_dict(
        {name: one for name, one in load_file(path).items() if not name.startswith("epoch-")}
    )
    return clip


def _describe(procedure: ClipPretrain, run: Results) -> dict[str, Any]:
    return {
        "parameters": run.facts["parameters"],
        "layers": procedure.model.describe() + _start_told(procedure),
        "recipe": procedure.recipe.describe(),
    }


def _start_told(procedure: ClipPretrain) -> str:
    """Say how the text tower began, where that is not as usual."""
    begun = "" if procedure.text is None else "; text tower pre-trained on sentences"
    kept = procedure.frozen_epochs
    return begun + (f"; text tower frozen in the first {kept} epochs" if kept else "")


def _cost(procedure: ClipPretrain, counts: Mapping[str, Mapping[str, int]]) -> float:
    steps = procedure.recipe.epochs * counts[procedure.data].get("train", 1) / procedure.recipe.batch_size
    return 40.0 * steps * procedure.model.layers


def _seconds(procedure: ClipPretrain, jobs: Sequence[Job], desk: Desk) -> float:
    from gradlab.clip import Contrastive, build_small
    from gradlab.clip.pretrain import pair_feeds
    from gradlab.training.timing import time_steps

    data = desk.data(procedure.data)
    clip = build_small(procedure.model, data, seed=procedure.initial_seed)
    train, validation = pair_feeds(clip, data, flips=procedure.flips)
    one = time_steps(
        [clip],
        train,
        procedure.recipe,
        validation=validation,
        objective=Contrastive(),
        seeds=[procedure.initial_seed],
        device=desk.device,
        precision=procedure.recipe.precision or desk.precision,  # type: ignore[arg-type]
    )
    return one * len(jobs)


CLIP_PRETRAIN = Kind(
    name="clip-pretrain",
    title="contrastive pre-training",
    configuration=ClipPretrain,
    reads="images",
    work=_work,
    tables={"epochs": _fits.EPOCHS, "predictions": PREDICTIONS, "tokenizer": {"json": Column("tokenizer")}},
    measures={one.name: one for one in (*SCORES, *OF_EPOCHS, *COSTS)},
    learned=has_learned,
    check=wrong_predictions,
    describe=_describe,
    network=_network,
    draws=False,
    cost=_cost,
    time=_seconds,
    software=SOFTWARE,
    may_stop=lambda procedure: procedure.recipe.stopping is not None,
)
