"""Text encoders that runs rest on: `PretrainedEncoder`, which was published, and `Untrained`, one with random weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gradlab import language
from gradlab._configuration import dataclass
from gradlab.lab.designing.procedure import Input, Procedure, WeightsName
from gradlab.lab.kinds import Column, Kind, Outcome
from gradlab.lab.running.desk import Progress
from gradlab.language.encoder_files import DEFAULT, EncoderFiles, find_encoder
from gradlab.types import STRICT, UserError

if TYPE_CHECKING:
    from gradlab.lab.judging.results import Results
    from gradlab.lab.records.record import Record, Store
    from gradlab.lab.running.desk import Desk, Job

SOFTWARE = ("torch", "transformers", "tokenizers")
"""What the bits of an encoder depend on."""
TOKENIZER = {"json": Column("tokenizer")}


@dataclass(frozen=True, kw_only=True, config=STRICT)
class PretrainedEncoder(Procedure):
    """An encoder of Hugging Face's that lies here; `encoder_source` finds its files by folder or name.

    Attributes:
        config, weights, tokenizer: paths of its files, as in `gradlab.language.EncoderFiles`; what they hold counts.
    """

    kind: Literal["encoder"] = "encoder"
    config: WeightsName
    weights: tuple[WeightsName, ...]
    tokenizer: tuple[WeightsName, ...]

    @property
    def files(self) -> EncoderFiles:
        """The files."""
        return EncoderFiles(
            Path(self.config), tuple(map(Path, self.weights)), tuple(map(Path, self.tokenizer))
        )


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Untrained(Procedure):
    """The architecture and the tokenizer of an encoder with fresh random weights: what pre-training is compared with.

    Attributes:
        net: the encoder that it is like.
    """

    kind: Literal["untrained"] = "untrained"
    net: Input


def encoder_source(place: str | Path = DEFAULT) -> PretrainedEncoder:
    """Return how a spec knows a published encoder, given by folder or name.

    Raises:
        UserError: it is not here and cannot be had, or is none; says what to do.
    """
    files = find_encoder(place)
    return PretrainedEncoder(
        config=str(files.config),
        weights=tuple(map(str, files.weights)),
        tokenizer=tuple(map(str, files.tokenizer)),
    )


def encoder_facts(encoder: language.TextEncoder) -> dict[str, Any]:
    """Return what rebuilds an encoder but for its weights and its tokenizer's JSON."""
    return {"transformer": encoder.facts(), "special_tokens": list(encoder.tokenizer.special)}


def encoder_table(encoder: language.TextEncoder) -> dict[str, np.ndarray]:
    """Return the tokenizer as the table that records of encoders keep."""
    return {"json": np.array([encoder.tokenizer.json], dtype=str)}


def tokenizer_of(record: Record) -> language.Tokenizer:
    """Return the tokenizer of a record of an encoder, or of a classifier over one."""
    text = str(record.table("tokenizer")["json"][0])
    return language.Tokenizer(text, tuple(record.facts["special_tokens"]))


def encoder_of(record: Record, seed: int = 0) -> language.TextEncoder:
    """Return the encoder of a record, with the random weights of `seed` where the record keeps none."""
    from safetensors.torch import load_file

    from gradlab.lab.records.record import WEIGHTS

    encoder = language.build_encoder(record.facts["transformer"], tokenizer_of(record), seed=seed)
    path = record.file(WEIGHTS)
    if path is not None:
        encoder.load_state_dict(load_file(path))
    return encoder


def need_encoder(network: Any) -> language.TextEncoder:
    """Return a network that is an encoder of texts.

    Raises:
        UserError: it is something else, such as a classifier of images.
    """
    if not isinstance(network, language.TextEncoder):
        raise UserError(
            f"this needs an encoder of texts, got {type(network).__name__}; give the folder or name of one, such as {DEFAULT}, "
            "or a record of text-pretrain."
        )
    return network


def _published(source: PretrainedEncoder, _desk: Desk, _store: Store) -> language.TextEncoder:
    return language.load_encoder(source.files)


def _work(_procedure: Untrained, jobs: Sequence[Job], desk: Desk) -> Iterator[Outcome]:
    for job in jobs:
        known = need_encoder(job.network())
        desk.tell(Progress(0.5, "architecture and tokenizer read"))
        count = sum(one.numel() for one in known.parameters())
        desk.tell(Progress(1.0, f"{count:,} random numbers named by their seed", given=0.5))
        facts = {"status": "finished", "note": None, "parameters": count} | encoder_facts(known)
        yield Outcome(facts, {"tokenizer": encoder_table(known)})


def _random(record: Record, _desk: Desk, _store: Store) -> language.TextEncoder:
    return encoder_of(record, record.spec["seed"])


def _describe(_procedure: Untrained, run: Results) -> dict[str, Any]:
    return {
        "parameters": run.facts["parameters"],
        "layers": f"{run.facts['transformer']['model_type']} with random weights",
        "recipe": "not trained",
    }


ENCODER = Kind(
    name="encoder",
    title="a published encoder",
    configuration=PretrainedEncoder,
    network=_published,
    draws=False,
    software=SOFTWARE,
)
UNTRAINED = Kind(
    name="untrained",
    title="an encoder with random weights",
    configuration=Untrained,
    work=_work,
    tables={"tokenizer": TOKENIZER},
    network=_random,
    describe=_describe,
    software=SOFTWARE,
)
