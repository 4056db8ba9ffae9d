"""Pre-training a small encoder on training sentences without their labels: `TextPretrain`, what its run writes, and the work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import Field

from gradlab import language
from gradlab._configuration import dataclass
from gradlab.lab.designing.procedure import DataName, Procedure
from gradlab.lab.judging.results import Results
from gradlab.lab.kinds import Column, Kind, Outcome
from gradlab.language.transformer import TextTransformer
from gradlab.procedures import _fits
from gradlab.procedures._training_measures import OF_EPOCHS
from gradlab.procedures.text_encoder import SOFTWARE, TOKENIZER, encoder_facts, encoder_of, encoder_table
from gradlab.training.recipe import Recipe
from gradlab.types import STRICT, Count, UserError

if TYPE_CHECKING:
    from torch import nn

    from gradlab.lab.records.record import Record, Store
    from gradlab.lab.running.desk import Desk, Job
    from gradlab.language import TokenFeed
    from gradlab.training.fit import Fit
    from gradlab.training.objective import Objective

    How = Callable[[language.TextEncoder, int], "Pretraining"]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TextPretrain(Procedure):
    """Train a vocabulary and an encoder to guess masked tokens (Devlin et al., 2019, arXiv:1810.04805).

    It reads the training sentences of all sets, each once, without labels, and none that stands in a validation or test part
    of any of them. It is done once: whoever rests on it shares the record, whatever their seeds.

    Attributes:
        data: texts with train, validation and test. model: the encoder. recipe: how it is trained, by the validation loss.
        vocab_size: tokens of the WordPiece vocabulary at most. initial_seed: of weights, order and masks.
    """

    kind: Literal["text-pretrain"] = "text-pretrain"
    data: tuple[DataName, ...]
    model: TextTransformer
    recipe: Recipe
    vocab_size: Count = 8000
    initial_seed: Annotated[int, Field(ge=0)] = 0

    def __post_init__(self) -> None:
        if not self.data:
            raise UserError(
                "an encoder is pre-trained on at least one data set of texts, such as rotten-tomatoes."
            )
        if self.model.family == "clip":
            raise UserError(
                "the text tower of a CLIP reads from left to right, so that it guesses next tokens and no masked ones; use "
                "TextTowerPretrain."
            )


class Pretraining(NamedTuple):
    """An encoder with what trains it: the network around it, and what it is asked for."""

    network: Any
    objective: Objective


def masked_language(encoder: language.TextEncoder, seed: int) -> Pretraining:
    """Return what guesses masked tokens."""
    words = encoder.tokenizer
    network = language.MaskedLanguageModel(encoder, seed=seed)
    return Pretraining(network, language.MaskedLanguage(words.special_ids, len(words)))


def pretrain_encoder(
    procedure: Any, jobs: Sequence[Job], desk: Desk, *, how: How = masked_language
) -> Iterator[Outcome]:
    """Do the work of a procedure with the fields of `TextPretrain`; `how` puts an encoder into what trains it."""
    from gradlab.training.fit import fit

    (network, objective), feeds, counts = _prepared(procedure, desk, how)
    start = _fits.start_digest(network)
    for _job in jobs:  # there is one, since nothing depends on a seed of the lab's
        done = fit(
            network,
            feeds["train"],
            procedure.recipe,
            seed=procedure.initial_seed,
            validation=feeds["validation"],
            device=desk.device,
            precision=procedure.recipe.precision or desk.precision,  # type: ignore[arg-type]
            objective=objective,
            checkpoint=desk.checkpoint,
            listeners=[lambda epoch: desk.tell(_fits.progress_of(epoch))],
            progress=False,
        )
        yield _outcome(procedure, done, start, feeds, counts)


def _prepared(
    procedure: Any, desk: Desk, how: How
) -> tuple[Pretraining, dict[str, TokenFeed], dict[str, int]]:
    sets: list[Any] = [desk.data(name) for name in procedure.data]
    corpus = language.pretraining_corpus(sets)
    tokenizer = language.WordPiece(vocab_size=procedure.vocab_size).train(corpus.train)
    encoder = language.build_encoder(procedure.model, tokenizer, seed=procedure.initial_seed)
    length = procedure.model.max_length
    feeds = {
        "train": encoder.feed(corpus.train, length),
        "validation": encoder.feed(corpus.validation, length),
    }
    return how(encoder, procedure.initial_seed), feeds, corpus.counts


def _outcome(
    procedure: Any, fit: Fit, start: str, feeds: Mapping[str, TokenFeed], counts: Mapping[str, int]
) -> Outcome:
    network: Any = fit.model
    encoder: language.TextEncoder = network.encoder
    facts = _fits.facts_of(fit, procedure.recipe, start) | {
        "encoder_parameters": sum(one.numel() for one in encoder.parameters()),
        "sentences": dict(counts) | {"validation": len(feeds["validation"])},
        "tokens": {role: int(feed.tokens.lengths.sum()) for role, feed in feeds.items()},
        "cut_off": {role: feed.tokens.truncated for role, feed in feeds.items()},
        "padding": feeds["train"].padding(procedure.recipe.batch_size),
    }
    weights = {name: value.detach().cpu().contiguous() for name, value in encoder.state_dict().items()}
    tables = {"epochs": _fits.epochs_of(fit), "tokenizer": encoder_table(encoder)}
    return Outcome(facts | encoder_facts(encoder), tables, weights, seconds=fit.seconds)


def _network(record: Record, _desk: Desk, _store: Store) -> nn.Module:
    return encoder_of(record)


def _describe(procedure: TextPretrain, run: Results) -> dict[str, Any]:
    known = run.facts["sentences"]
    return {
        "parameters": run.facts["parameters"],
        "layers": procedure.model.describe(run.facts["transformer"]["vocab_size"], 2).split(", head")[0],
        "recipe": f"{procedure.recipe.describe()}; {known['kept']:,} training sentences of {', '.join(procedure.data)}",
    }


def _flags(label: str, runs: Sequence[Results]) -> list[str]:
    """Say which sentences were left out, and why."""
    known = runs[0].facts["sentences"]
    return [
        f"{label}: of {known['found']:,} training sentences {known['copies']:,} are copies, {known['in test']:,} stand in a test "
        f"part and {known['in validation']:,} in a validation part; they were left out"
    ]


def _cost(procedure: TextPretrain, counts: Mapping[str, Mapping[str, int]]) -> float:
    sentences = sum(counts[name].get("train", 1) for name in procedure.data)
    return 60.0 * procedure.recipe.epochs * sentences / procedure.recipe.batch_size * procedure.model.layers


def seconds_of(procedure: Any, jobs: Sequence[Job], desk: Desk, *, how: How = masked_language) -> float:
    """Estimate the time of `pretrain_encoder` from a few steps."""
    from gradlab.training.timing import time_steps

    (network, objective), feeds, _ = _prepared(procedure, desk, how)
    one = time_steps(
        [network],
        feeds["train"],
        procedure.recipe,
        validation=feeds["validation"],
        seeds=[procedure.initial_seed],
        device=desk.device,
        precision=procedure.recipe.precision or desk.precision,  # type: ignore[arg-type]
        objective=objective,
    )
    return one * len(jobs)


LOSS, ACCURACY, BEST, _ = OF_EPOCHS
TEXT_PRETRAIN = Kind(
    name="text-pretrain",
    title="masked-language pre-training",
    configuration=TextPretrain,
    reads="text",
    work=pretrain_encoder,
    tables={
        "epochs": {
            "train_loss": Column("training loss of masked tokens"),
            "validation_loss": Column("validation loss of masked tokens"),
            "validation_accuracy": Column("masked validation tokens guessed", **_fits.FRACTION),
        },
        "tokenizer": TOKENIZER,
    },
    measures={one.name: one for one in (LOSS, replace(ACCURACY, name="masked accuracy"), BEST)},
    network=_network,
    flags=_flags,
    describe=_describe,
    draws=False,
    software=SOFTWARE,
    cost=_cost,
    time=seconds_of,
    may_stop=lambda procedure: procedure.recipe.stopping is not None,
)
"""It has no seed of its own, so that all that rests on it shares one encoder."""
