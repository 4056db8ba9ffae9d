"""Pre-training the text tower of a CLIP on training sentences: `TextTowerPretrain`, which shares the work of `TextPretrain`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from gradlab import language
from gradlab._configuration import dataclass
from gradlab.lab.designing.procedure import DataName, Procedure
from gradlab.lab.kinds import Column, Outcome
from gradlab.language.transformer import TextTransformer
from gradlab.procedures import _fits
from gradlab.procedures.text_encoder import TOKENIZER
from gradlab.procedures.text_pretrain import (
    ACCURACY,
    BEST,
    LOSS,
    TEXT_PRETRAIN,
    Pretraining,
    pretrain_encoder,
    seconds_of,
)
from gradlab.training.recipe import Recipe
from gradlab.types import STRICT, Count, UserError

if TYPE_CHECKING:
    from gradlab.lab.running.desk import Desk, Job


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TextTowerPretrain(Procedure):
    """Train a vocabulary and the text tower of a CLIP to guess next tokens, and at its end the words of a text.

    It reads the same sentences as `TextPretrain`, and is done once as well. `ClipPretrain(text=...)` starts from it.

    Attributes:
        data: texts with train, validation and test. model: of the family "clip", as `SmallCLIP.text_tower()` returns it.
        recipe: how it is trained, by the validation loss. vocab_size: tokens of the WordPiece vocabulary at most.
        initial_seed: of weights, order and places.
    """

    kind: Literal["text-tower-pretrain"] = "text-tower-pretrain"
    data: tuple[DataName, ...]
    model: TextTransformer
    recipe: Recipe
    vocab_size: Count = 8000
    initial_seed: Annotated[int, Field(ge=0)] = 0

    def __post_init__(self) -> None:
        if not self.data or self.model.family != "clip":
            raise UserError(
                "the text tower of a CLIP is pre-trained on at least one data set of texts and has the family clip, got "
                f"{len(self.data)} data sets and the family {self.model.family}; take SmallCLIP(...).text_tower()."
            )


def _next_token(encoder: language.TextEncoder, _seed: int) -> Pretraining:
    return Pretraining(language.NextTokenModel(encoder), language.NextToken())


def _work(procedure: TextTowerPretrain, jobs: Sequence[Job], desk: Desk) -> Iterator[Outcome]:
    return pretrain_encoder(procedure, jobs, desk, how=_next_token)


def _seconds(procedure: TextTowerPretrain, jobs: Sequence[Job], desk: Desk) -> float:
    return seconds_of(procedure, jobs, desk, how=_next_token)


TEXT_TOWER_PRETRAIN = replace(
    TEXT_PRETRAIN,
    name="text-tower-pretrain",
    title="next-token pre-training",
    configuration=TextTowerPretrain,
    work=_work,
    tables={
        "epochs": {
            "train_loss": Column("training loss of next tokens and words"),
            "validation_loss": Column("validation loss of next tokens and words"),
            "validation_accuracy": Column("next validation tokens guessed", **_fits.FRACTION),
        },
        "tokenizer": TOKENIZER,
    },
    measures={one.name: one for one in (LOSS, replace(ACCURACY, name="next-token accuracy"), BEST)},
    time=_seconds,
)
