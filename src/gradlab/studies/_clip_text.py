"""From what the text tower of the small CLIP of the studies starts: random values, or a tower that has read sentences."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from gradlab.data import parse
from gradlab.lab.designing.procedure import Procedure
from gradlab.procedures.clip_pretrain import ClipPretrain
from gradlab.procedures.text_tower_pretrain import TextTowerPretrain
from gradlab.studies.setup import TEXTS, Setup
from gradlab.training.recipe import Recipe
from gradlab.training.schedule import OneCycle
from gradlab.types import UserError

TextStart = Literal["random", "sentences"]
HELPED = ("cifar100",)
"""Data on which a tower that had read sentences was better at unseen classes, by 2.8 points; at seen ones it lost 4."""
RECIPE = Recipe(
    optimizer="adamw",
    learning_rate=3e-3,
    weight_decay=0.01,
    batch_size=64,
    epochs=6,
    schedule=OneCycle(warm=0.1),
)


def text_start(setup: Setup, model: Procedure | None, asked: TextStart | None) -> TextStart:
    """Return from what the text tower starts: as asked, else from sentences where that helped and they are here.

    Raises:
        UserError: asked for beside a CLIP that is there already, or from sentences that are not here.
    """
    missing = _missing(setup)
    if model is not None and asked is not None:
        raise UserError(
            f"text='{asked}' says how the text tower of a CLIP begins that is pre-trained here, and model names a CLIP that is "
            "there already; leave one of them out."
        )
    if asked == "sentences" and missing:
        raise UserError(
            f"text='sentences' needs the sentences of {', '.join(missing)}, which are not here: run gradlab data get "
            f"{missing[0]}, or leave text out, so that the text tower starts from random values."
        )
    usual = model is None and _is_usual(setup) and setup.beside is not None and not missing
    return asked or ("sentences" if usual else "random")


def from_sentences(setup: Setup, made: ClipPretrain) -> ClipPretrain:
    """Return a pre-training whose text tower has read sentences, and stays as it is in the first third of the epochs."""
    names = _names(setup)
    recipe = RECIPE if names == TEXTS else replace(RECIPE, epochs=1)
    tower = TextTowerPretrain(data=names, model=made.model.text_tower(), recipe=recipe, vocab_size=8000)
    return replace(made, text=tower, frozen_epochs=max(1, made.recipe.epochs // 3))


def start_told(setup: Setup, net: Procedure) -> str:
    """Say in a sentence, with a space before it, from what a text tower starts, where there is a choice; else nothing."""
    if not isinstance(net, ClipPretrain):
        return ""
    if net.text is not None:
        return (
            " Its text tower starts from one that learned to predict the next token of the training sentences of "
            f"{', '.join(net.text.data)}, with their vocabulary, and is frozen in the first {net.frozen_epochs} epochs."
        )
    missing = _missing(setup)
    if missing and _is_usual(setup):
        return (
            f" Its text tower starts from random values: the sentences of {', '.join(missing)} are not here (gradlab data get "
            f"{missing[0]})."
        )
    return ""


def _is_usual(setup: Setup) -> bool:
    return parse(setup.data)[0] in HELPED and _names(setup) == TEXTS


def _names(setup: Setup) -> tuple[str, ...]:
    """Return the data sets whose sentences a text tower reads: one in the preset quick and for small data."""
    return TEXTS[:1] if setup.is_small or setup.preset == "quick" else TEXTS


def _missing(setup: Setup) -> list[str]:
    """Return which of them are not here; none where nobody has looked."""
    return [one for one in _names(setup) if setup.beside is not None and one not in setup.beside]
