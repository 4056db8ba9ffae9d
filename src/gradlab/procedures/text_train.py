"""Training a classifier of texts from scratch: `TextTrain`, what its runs write, and the work."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gradlab import language
from gradlab._configuration import dataclass
from gradlab.lab.designing.procedure import DataName, Procedure
from gradlab.lab.judging.results import Results
from gradlab.lab.kinds import Column, Kind, Outcome
from gradlab.language.transformer import TextTransformer
from gradlab.procedures import _fits
from gradlab.procedures._predictions import (
    PREDICTIONS,
    SCORES,
    has_learned,
    prediction_table,
    scores,
    wrong_predictions,
)
from gradlab.procedures._training_measures import OF_EPOCHS
from gradlab.training.recipe import Recipe
from gradlab.types import STRICT, Count, UserError

if TYPE_CHECKING:
    from gradlab.data import TextDataset
    from gradlab.lab.running.desk import Desk, Job
    from gradlab.language import TokenFeed
    from gradlab.training.fit import Fit


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TextTrain(Procedure):
    """Train a tokenizer and a small transformer on the training texts alone, choose weights on the validation texts.

    Attributes:
        data: texts with train, validation and test. model: the network. recipe: how it is trained.
        vocab_size: tokens of the WordPiece vocabulary at most.
    """

    kind: Literal["text-train"] = "text-train"
    data: DataName
    model: TextTransformer
    recipe: Recipe
    vocab_size: Count = 8000


def _work(procedure: TextTrain, jobs: Sequence[Job], desk: Desk) -> Iterator[Outcome]:
    from gradlab.training.fit import fit_stacked

    data, feeds, tokenizer = _feeds(procedure, desk)
    for job in jobs:
        network = procedure.model.build(data.num_classes, seed=job.seed or 0, vocab=len(tokenizer))
        start = _fits.start_digest(network)
        (done,) = fit_stacked(
            [network],
            feeds["train"],
            procedure.recipe,
            validation=feeds["validation"],
            seeds=[job.seed or 0],
            device=desk.device,
            precision=procedure.recipe.precision or desk.precision,  # type: ignore[arg-type]
            checkpoint=desk.checkpoint,
            checkpoint_seconds=_fits.CHECKPOINT_SECONDS,
            listeners=[lambda epoch: desk.tell(_fits.progress_of(epoch))],
            progress=False,
        )
        yield _outcome(procedure, done, start, data, feeds, tokenizer, desk)


def _feeds(procedure: TextTrain, desk: Desk) -> tuple[TextDataset, dict[str, TokenFeed], language.Tokenizer]:
    data: Any = desk.data(procedure.data)
    if data.test is None or not hasattr(data.test, "texts"):
        raise UserError(
            f"'{data.name}' has no test texts here; choose data with texts, such as rotten-tomatoes."
        )
    tokenizer = language.WordPiece(vocab_size=procedure.vocab_size).train(data)
    length = procedure.model.max_length
    feeds = {
        role: language.token_feed(split, tokenizer, max_length=length) for role, split in data.splits.items()
    }
    return data, feeds, tokenizer


def _outcome(
    procedure: TextTrain,
    fit: Fit,
    start: str,
    data: TextDataset,
    feeds: Mapping[str, TokenFeed],
    tokenizer: language.Tokenizer,
    desk: Desk,
) -> Outcome:
    from gradlab.training.predict import predict_logits

    begun = time.perf_counter()
    precision: Any = procedure.recipe.precision or desk.precision
    logits = predict_logits(fit.model, feeds["test"], precision=precision).float().cpu().numpy()
    labels = feeds["test"].labels.cpu().numpy()
    facts = _fits.facts_of(fit, procedure.recipe, start) | {
        "class_names": list(data.class_names),
        "tokens": len(tokenizer),
        "tokenizer": tokenizer.digest,
        "padding": feeds["train"].padding(procedure.recipe.batch_size),
        "cut_off": {role: feed.tokens.truncated for role, feed in feeds.items()},
        "test": scores(logits, labels),
    }
    tables = {
        "epochs": _fits.epochs_of(fit),
        "predictions": prediction_table(logits, labels),
        "vocabulary": {"token": np.array(tokenizer.vocabulary, dtype=str)},
    }
    spent = fit.seconds + time.perf_counter() - begun
    return Outcome(facts, tables, _fits.weights_of(fit), seconds=spent)


def _describe(procedure: TextTrain, run: Results) -> dict[str, Any]:
    return {
        "parameters": run.facts["parameters"],
        "layers": procedure.model.describe(run.facts["tokens"], len(run.facts["class_names"])),
        "recipe": procedure.recipe.describe(),
    }


def _cost(procedure: TextTrain, counts: Mapping[str, Mapping[str, int]]) -> float:
    steps = procedure.recipe.epochs * counts[procedure.data].get("train", 1) / procedure.recipe.batch_size
    return 40.0 * steps * procedure.model.layers


def _seconds(procedure: TextTrain, jobs: Sequence[Job], desk: Desk) -> float:
    from gradlab.training.timing import time_steps

    data, feeds, tokenizer = _feeds(procedure, desk)
    network = procedure.model.build(data.num_classes, seed=jobs[0].seed or 0, vocab=len(tokenizer))
    one = time_steps(
        [network],
        feeds["train"],
        procedure.recipe,
        validation=feeds["validation"],
        seeds=[jobs[0].seed or 0],
        device=desk.device,
        precision=procedure.recipe.precision or desk.precision,  # type: ignore[arg-type]
    )
    return one * len(jobs)


TEXT_TRAIN = Kind(
    name="text-train",
    title="training on texts",
    configuration=TextTrain,
    reads="text",
    work=_work,
    tables={"epochs": _fits.EPOCHS, "predictions": PREDICTIONS, "vocabulary": {"token": Column("token")}},
    measures={measure.name: measure for measure in (*SCORES, *OF_EPOCHS)},
    learned=has_learned,
    check=wrong_predictions,
    describe=_describe,
    cost=_cost,
    time=_seconds,
    software=("torch", "transformers", "tokenizers"),
)
