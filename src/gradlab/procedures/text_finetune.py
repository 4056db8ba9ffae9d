"""Fine-tuning an encoder of texts as a classifier: `TextFineTune`, what its runs write, and the work."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from gradlab import language
from gradlab._configuration import dataclass
from gradlab.lab.designing.procedure import DataName, Input, Procedure
from gradlab.lab.kinds import Kind, Outcome
from gradlab.procedures import _fits
from gradlab.procedures._costs import COSTS
from gradlab.procedures._predictions import has_learned
from gradlab.procedures._text_judged import JUDGED, PADDING, TABLES, judged, splits_of, wrong_judged
from gradlab.procedures._training_measures import OF_EPOCHS
from gradlab.procedures.fine_tune import FROZEN, SHARES, describe_tuned
from gradlab.procedures.text_encoder import (
    TOKENIZER,
    encoder_facts,
    encoder_table,
    need_encoder,
    tokenizer_of,
)
from gradlab.training.recipe import Recipe
from gradlab.transfer.lora import LoRA
from gradlab.transfer.policies import Policy
from gradlab.types import STRICT, Count, UserError

if TYPE_CHECKING:
    from torch import nn

    from gradlab.data import Dataset, TextSplit
    from gradlab.lab.records.record import Record, Store
    from gradlab.lab.running.desk import Desk, Job
    from gradlab.language import TextEncoder, TokenFeed, Tokenizer
    from gradlab.transfer import FineTuned
    from gradlab.transfer.policies import Stage

TextPolicy = Annotated[Policy | LoRA, Field(discriminator="kind")]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TextFineTune(Procedure):
    """Put a new head on an encoder of texts and train by a policy; weights are chosen on validation texts.

    Attributes:
        net: the encoder; nothing but its shape and tokenizer is kept where the policy starts from scratch.
        data: texts with train, validation and test. policy: what trains, when and at which rate; LoRA adds adapters.
        recipe: of all stages together.
        max_length: tokens of a text at most, with those at its ends; fewer where the encoder reads fewer.
    """

    kind: Literal["text-finetune"] = "text-finetune"
    net: Input
    data: DataName
    policy: TextPolicy
    recipe: Recipe
    max_length: Count = 128


def start_of(policy: Policy | LoRA, encoder: TextEncoder, class_names: Sequence[str], seed: int) -> nn.Module:
    """Return the classifier before its first step: encoder, new head, and the adapters where the policy is LoRA."""
    from gradlab.transfer import add_lora

    if policy.fresh:
        encoder = language.build_encoder(encoder.facts(), encoder.tokenizer, seed=seed)
    model: Any = language.text_classifier(encoder, class_names, seed=seed)
    if isinstance(policy, LoRA):
        return add_lora(model, policy, seed=seed, head=language.head_modules(model), task="SEQ_CLS")  # type: ignore[no-any-return]
    return model  # type: ignore[no-any-return]


def stages_of(policy: Policy | LoRA, start: nn.Module, recipe: Recipe) -> tuple[Stage, ...]:
    """Return the fits that a policy asks for; of LoRA one, of the adapters and the head."""
    from gradlab.transfer import Part
    from gradlab.transfer.policies import Stage

    if isinstance(policy, LoRA):
        return (Stage(tuple(name for name, one in start.named_parameters() if one.requires_grad), recipe),)
    parts = [Part(name, own) for name, own in language.classifier_parts(start)]
    return policy.stages(parts, recipe)


def _work(procedure: TextFineTune, jobs: Sequence[Job], desk: Desk) -> Iterator[Outcome]:
    from gradlab.transfer import tune

    data: Any = desk.data(procedure.data)
    splits = splits_of(data)
    for job in jobs:
        encoder = need_encoder(job.network())
        feeds = {role: encoder.feed(split, procedure.max_length) for role, split in splits.items()}
        start = start_of(procedure.policy, encoder, data.class_names, job.seed or 0)
        folder = desk.checkpoint.with_suffix(".parts") / f"text-finetune-{job.seed}"
        folder.mkdir(parents=True, exist_ok=True)
        tuned = tune(
            start,
            stages_of(procedure.policy, start, procedure.recipe),
            feeds["train"],
            procedure.recipe,
            validation=feeds["validation"],
            seed=job.seed or 0,
            device=desk.device,
            precision=procedure.recipe.precision or desk.precision,  # type: ignore[arg-type]
            folder=folder,
            checkpoint_seconds=_fits.CHECKPOINT_SECONDS,
            listeners=[lambda epoch: desk.tell(_fits.progress_of(epoch))],
            progress=False,
        )
        yield _outcome(procedure, tuned, data, encoder, feeds, desk)


def _outcome(
    procedure: TextFineTune,
    tuned: FineTuned,
    data: Dataset,
    encoder: TextEncoder,
    feeds: Mapping[str, TokenFeed],
    desk: Desk,
) -> Outcome:
    begun, fit = time.perf_counter(), tuned.fit
    facts, tables = judged(fit.model, feeds, procedure.recipe.precision or desk.precision)
    facts |= _fits.facts_of(fit, procedure.recipe, _fits.start_digest(tuned.start)) | {
        "parameters": tuned.trained,
        "frozen": vars(tuned.frozen) | {},
        "class_names": list(data.class_names),
        "padding": feeds["train"].padding(procedure.recipe.batch_size),
        **encoder_facts(encoder),
    }
    spent = fit.seconds + time.perf_counter() - begun
    tables |= {"epochs": _fits.epochs_of(fit), "tokenizer": encoder_table(encoder)}
    return Outcome(facts, tables, _fits.weights_of(fit), seconds=spent)


def _network(record: Record, _desk: Desk, _store: Store) -> nn.Module:
    """Return the classifier of a record, in eval mode: its encoder, head and adapters, with the weights that it kept."""
    return classifier_of(record)[0]


def classifier_of(record: Record) -> tuple[nn.Module, Tokenizer]:
    """Return the classifier of a record and its tokenizer.

    Raises:
        UserError: the record holds no weights.
    """
    from safetensors.torch import load_file

    from gradlab.lab.records.record import WEIGHTS

    path = record.file(WEIGHTS)
    if path is None:
        raise UserError(f"record {record.hash} holds no weights; run its study again.")
    policy: Any = TypeAdapter(TextPolicy).validate_python(record.spec["procedure"]["policy"])
    tokenizer = tokenizer_of(record)
    encoder = language.build_encoder(record.facts["transformer"], tokenizer, seed=0)
    model = start_of(policy, encoder, record.facts["class_names"], 0)
    weights = {name: one for name, one in load_file(path).items() if not name.startswith("epoch-")}
    model.load_state_dict(weights)
    return model.eval(), tokenizer


def reading_of(job: Job, network: nn.Module) -> tuple[Tokenizer, int]:
    """Return the tokenizer of the classifier of sentences that a job rests on, and the tokens that it reads of a text at most.

    Args:
        network: that classifier.

    Raises:
        UserError: the job rests on something else, such as a classifier of images.
    """
    from gradlab.lab.running.desk import Source
    from gradlab.language.text_encoder import longest

    found: Any = job.inputs["net"]
    if isinstance(found, Source) and found.procedure.kind == "record":
        found = job.store.get(found.procedure.record)  # type: ignore[attr-defined]
    kind = found.procedure.kind if isinstance(found, Source) else found.spec["procedure"]["kind"]
    if kind != "text-finetune":
        raise UserError(
            f"this needs a classifier of texts that text-finetune trained, got one of kind '{kind}'; give net=TextFineTune(...) "
            "or the record of one."
        )
    return tokenizer_of(found), min(found.spec["procedure"]["max_length"], longest(network.config))


def reader_of(job: Job, network: nn.Module) -> Callable[[TextSplit], TokenFeed]:
    """Return what encodes texts as the classifier of sentences that a job rests on read them in its training.

    Args: as `reading_of`.

    Raises:
        UserError: as `reading_of`.
    """
    tokenizer, length = reading_of(job, network)
    return lambda split: language.token_feed(split, tokenizer, max_length=length)


def _cost(procedure: TextFineTune, counts: Mapping[str, Mapping[str, int]]) -> float:
    steps = procedure.recipe.epochs * counts[procedure.data].get("train", 1) / procedure.recipe.batch_size
    return SHARES.get(procedure.policy.kind, 1.0) * 160.0 * steps


def _seconds(procedure: TextFineTune, jobs: Sequence[Job], desk: Desk) -> float:
    from gradlab.training.timing import time_steps
    from gradlab.transfer.parts import train_only

    data, seed = desk.data(procedure.data), jobs[0].seed or 0
    encoder = need_encoder(jobs[0].network())
    train, validation = (
        encoder.feed(splits_of(data)[role], procedure.max_length) for role in ("train", "validation")
    )
    start = start_of(procedure.policy, encoder, data.class_names, seed)
    whole = 0.0
    for stage in stages_of(procedure.policy, start, procedure.recipe):
        whole += time_steps(
            [train_only(start, stage.trains)],
            train,
            stage.recipe,
            validation=validation,
            seeds=[seed],
            device=desk.device,
            precision=procedure.recipe.precision or desk.precision,  # type: ignore[arg-type]
        )
    return whole * len(jobs)


TEXT_FINETUNE = Kind(
    name="text-finetune",
    title="fine-tuning on texts",
    configuration=TextFineTune,
    reads="text",
    version=2,
    work=_work,
    tables={"epochs": _fits.EPOCHS, **TABLES, "tokenizer": TOKENIZER},
    measures={one.name: one for one in (*JUDGED, *OF_EPOCHS, FROZEN, PADDING, *COSTS)},
    learned=has_learned,
    check=wrong_judged,
    describe=describe_tuned,
    network=_network,
    cost=_cost,
    time=_seconds,
    software=("torch", "transformers", "tokenizers", "peft"),
    may_stop=lambda procedure: procedure.recipe.stopping is not None,
)
