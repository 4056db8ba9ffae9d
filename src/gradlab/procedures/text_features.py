"""Features of texts from a frozen encoder, computed once (`TextFeatures`), and classical heads on them (`TextHead`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from gradlab._configuration import dataclass
from gradlab.lab.designing.procedure import DataName, Input, Procedure
from gradlab.lab.judging.results import Results
from gradlab.lab.kinds import Column, Kind, Outcome
from gradlab.lab.records.record import BULK, Record
from gradlab.lab.running.desk import Progress
from gradlab.language.pooling import Pooling
from gradlab.procedures._costs import COSTS
from gradlab.procedures._embedding import plane_of, shown_rows
from gradlab.procedures.fit_head import FIT_HEAD, PARTS, WEIGHTS, head_outcome
from gradlab.procedures.text_encoder import SOFTWARE, need_encoder
from gradlab.transfer.heads import Head
from gradlab.types import STRICT, Count, UserError

if TYPE_CHECKING:
    from gradlab.data import TextDataset
    from gradlab.lab.running.desk import Desk, Job

LONGEST = 128
"""Tokens of a text at most, where a procedure says nothing else."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TextFeatures(Procedure):
    """Compute the features of all texts of a data set once, for every head; nothing in it is random.

    Attributes:
        net: the frozen encoder. data: texts with train, validation and test.
        layers: of whose outputs: 0 is the embeddings, -1 the last; of each the first token's vector and the mean over tokens.
        max_length: tokens of a text at most, with the two at its ends.
    """

    kind: Literal["text-features"] = "text-features"
    net: Input
    data: DataName
    layers: tuple[int, ...] = (-1,)
    max_length: Annotated[Count, Field(ge=3)] = LONGEST

    def __post_init__(self) -> None:
        if not self.layers or len(set(self.layers)) < len(self.layers):
            raise UserError(f"layers names at least one layer, each once, got {self.layers}; -1 is the last.")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TextHead(Procedure):
    """Fit a classical head to features of texts; nothing in it is random.

    Attributes:
        net: the features. data: the texts that they are of. head: the head, and what is tried on validation.
        layer: one of the features' layers. pooling: "cls", the first token's vector, or "mean", over all tokens.
    """

    kind: Literal["text-head"] = "text-head"
    net: Input
    data: DataName
    head: Annotated[Head, Field(discriminator="kind")]
    layer: int = -1
    pooling: Pooling = "mean"


def _texts(desk: Desk, name: str) -> TextDataset:
    data: Any = desk.data(name)
    missing = [role for role in PARTS if role not in data.splits or not hasattr(data.splits[role], "texts")]
    if missing:
        raise UserError(
            f"'{data.name}' has no {missing[0]} texts here; choose data with texts, such as rotten-tomatoes."
        )
    return data  # type: ignore[no-any-return]


def _work(procedure: TextFeatures, jobs: Sequence[Job], desk: Desk) -> Iterator[Outcome]:
    from gradlab.language import all_features

    data = _texts(desk, procedure.data)
    for job in jobs:
        encoder = need_encoder(job.network())
        length = min(procedure.max_length, encoder.max_length)

        def part(number: int, encoder: Any = encoder, length: int = length) -> Mapping[str, Any]:
            split = data.splits[PARTS[number]]  # type: ignore[index]
            found = all_features(
                encoder,
                split,
                layers=procedure.layers,
                max_length=length,
                precision=desk.precision,  # type: ignore[arg-type]
            )
            desk.tell(Progress((number + 1) / 3, f"features of {PARTS[number]} texts", given=number / 3))
            return {f"{PARTS[number]}/{layer}/{pooling}": one for (layer, pooling), one in found.items()}

        parts = desk.in_parts(f"features-{job.spec['inputs']['net']}", 3, part)
        bulk = {name: one for found in parts for name, one in found.items()}
        splits: Any = data.splits
        tokens = {role: encoder.tokenizer.encode(list(splits[role].texts), length) for role in PARTS}
        facts = {
            "status": "finished",
            "note": None,
            "parameters": sum(one.numel() for one in encoder.parameters()),
            "features": encoder.hidden_size,
            "layers": encoder.layers,
            "cut_off": {role: one.truncated for role, one in tokens.items()},
        }
        table = {
            "part": np.array([role for role, one in tokens.items() for _ in range(len(one))], dtype=str),
            "tokens": np.concatenate([one.lengths.numpy() for one in tokens.values()]).astype(np.int32),
        }
        yield Outcome(facts, {"lengths": table}, bulk=bulk)


def _head_work(procedure: TextHead, jobs: Sequence[Job], desk: Desk) -> Iterator[Outcome]:
    data = _texts(desk, procedure.data)
    labels = [data.splits[role].labels.cpu().numpy() for role in PARTS]  # type: ignore[index]
    for job in jobs:
        parts = _features(procedure, job, desk)
        desk.tell(Progress(0.5, "features read"))
        outcome = head_outcome(procedure.head, parts, labels, data, desk, "texts")
        rows = shown_rows(labels[2])
        outcome.tables["embedding"] = plane_of(parts[2][rows], labels[2], rows)
        yield outcome


def _features(procedure: TextHead, job: Job, desk: Desk) -> list[np.ndarray]:
    """Read the features of all parts from the record that the head rests on."""
    record = job.inputs["net"]
    path = record.file(BULK) if isinstance(record, Record) else None
    if path is None or not isinstance(record, Record) or record.spec["procedure"]["kind"] != "text-features":
        raise UserError("a head on texts rests on their features; give net=TextFeatures(...).")
    if record.spec["content"][record.spec["procedure"]["data"]] != job.spec["content"][procedure.data]:
        raise UserError(
            f"the features are those of '{record.spec['procedure']['data']}', not of '{procedure.data}'."
        )
    found = desk.toolbox.unpack(path)
    names = [f"{role}/{procedure.layer}/{procedure.pooling}" for role in PARTS]
    if names[0] not in found:
        layers = sorted({int(name.split("/")[1]) for name in found})
        raise UserError(
            f"there are features of the layers {', '.join(map(str, layers))}, not of {procedure.layer}; name it in layers=."
        )
    return [found[name].numpy() for name in names]


def _describe(procedure: TextFeatures, run: Results) -> dict[str, Any]:
    layers = ", ".join(map(str, procedure.layers))
    return {
        "parameters": run.facts["parameters"],
        "layers": f"{run.facts['features']:,} features of the layers {layers} of {run.facts['layers']}",
        "recipe": f"frozen; texts of {procedure.max_length} tokens at most",
    }


def _describe_head(procedure: TextHead, run: Results) -> dict[str, Any]:
    told = FIT_HEAD.describe(procedure, run)
    pooled = "first token" if procedure.pooling == "cls" else "mean over tokens"
    layer = "the last layer" if procedure.layer == -1 else f"layer {procedure.layer}"
    return told | {"layers": f"{run.facts['features']:,} features: {pooled} of {layer}"}


def _flags(label: str, runs: Sequence[Results]) -> list[str]:
    """Say how many texts lost their end."""
    cut = runs[0].facts["cut_off"]
    told = ", ".join(f"{count:,} of {role}" for role, count in cut.items() if count)
    return [f"{label}: texts longer than the limit lost their end: {told}"] if told else []


def _cost(procedure: TextFeatures, counts: Mapping[str, Mapping[str, int]]) -> float:
    return 0.5 * sum(counts[procedure.data].values())


def _head_cost(procedure: TextHead, counts: Mapping[str, Mapping[str, int]]) -> float:
    return WEIGHTS.get(procedure.head.kind, 2.0) * counts[procedure.data].get("train", 1) / 128


TEXT_FEATURES = Kind(
    name="text-features",
    title="features of texts",
    configuration=TextFeatures,
    reads="text",
    work=_work,
    tables={"lengths": {"part": Column("part"), "tokens": Column("tokens of a text")}},
    measures={one.name: one for one in COSTS},
    describe=_describe,
    flags=_flags,
    draws=False,
    software=SOFTWARE,
    cost=_cost,
)
TEXT_HEAD = replace(
    FIT_HEAD,
    name="text-head",
    title="a head on features of texts",
    configuration=TextHead,
    reads="text",
    work=_head_work,
    describe=_describe_head,
    software=("torch", "scikit-learn"),
    cost=_head_cost,
)
"""Heads on texts are judged as those on images are."""
