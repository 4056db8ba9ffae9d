"""How far do frozen features of a text encoder go, and which of its layers, poolings and heads go furthest?"""

from __future__ import annotations

from typing import Any

from gradlab.lab.designing.design import Arm, Design
from gradlab.lab.designing.procedure import Procedure
from gradlab.lab.designing.shown import Figure, Table
from gradlab.procedures.text_encoder import PretrainedEncoder
from gradlab.studies._shared import ACCURACY, PROTOCOL, chance_line, mistakes_of
from gradlab.studies._text_features_arms import build_arms, told_layer
from gradlab.studies._text_features_claims import claims_of
from gradlab.studies._text_nets import (
    copies_of,
    copies_table,
    encoder_name,
    layers_of,
    shared_encoder,
    told_copies,
)
from gradlab.studies.setup import Network, Setup, TextSetup
from gradlab.types import UserError

BACKGROUND = (
    "An encoder turns every word into numbers that depend on the words around it. It stays as it is; a classical classifier is "
    "fitted to one vector a sentence: what a layer gives for the first token, or the mean over all tokens. Beside it stands the "
    "same architecture with random weights and the same vocabulary, since even random features tell which words are there. All "
    "settings, layers included where one is chosen, are chosen on validation sentences. What is pre-trained here has read no "
    "sentence that stands in a validation or test part of any data set it reads; of other encoders nobody can tell here, and "
    "`gradlab data overlap` counts the copies between two data sets: most test sentences of Rotten Tomatoes stand in SST-2."
)


def text_features(
    setup: TextSetup,
    *,
    model: Network | None = None,
    layers: tuple[int, ...] | None = None,
    trained_on: tuple[str, ...] = (),
) -> Design:
    """How far do frozen features of a text encoder go, and which of its layers, poolings and heads go furthest?

    Args:
        setup: preset and data, which hold texts, such as rotten-tomatoes.
        model: an encoder: a folder or a name of Hugging Face's, or a record of a pre-training; by default a small one is
            pre-trained here, and DistilBERT is taken in the preset full.
        layers: of whose outputs; 0 is the embeddings, -1 the last, which is always there; all of a small encoder by default.
        trained_on: data sets on whose training sentences a given model was trained, such as sst2; the test sentences that stand
            there are counted and said first.
    """
    copies = copies_of(setup, model, trained_on)
    encoder = shared_encoder(setup, model)
    chosen = _layers(encoder, layers)
    arms = build_arms(setup, encoder, chosen)
    published = isinstance(encoder, PretrainedEncoder) and setup.data == "rotten-tomatoes"
    deviations = (
        ()
        if published and "distilbert-base-uncased" in encoder_name(encoder)
        else _deviations(setup, encoder)
    )
    return Design(
        study="text-features",
        title="Frozen features of texts",
        question="How far do frozen features of a text encoder go, and which of its layers, poolings and heads go furthest?",
        background=BACKGROUND,
        setting="000, 001, 003 and 004",
        setting_text=f"Encoder: {encoder_name(encoder)}; texts of {setup.data}.{told_copies(model, trained_on)}",
        corrections=PROTOCOL,
        deviations=deviations,
        parameters={"layers": list(chosen)} | ({"trained_on": list(trained_on)} if trained_on else {}),
        arms=(*copies, *arms),
        claims=claims_of(setup.class_count, deviations),
        tables=(*copies_table(copies), *_tables(arms)),
        figures=_figures(setup, arms, chosen),
    )


def _layers(encoder: Procedure, asked: tuple[int, ...] | None) -> tuple[int, ...]:
    if asked is None:
        return layers_of(encoder)
    if len(set(asked)) < len(asked):
        raise UserError(f"layers names each layer once, got {asked}.")
    return asked if -1 in asked else (*asked, -1)


def _deviations(setup: Setup, encoder: Procedure) -> tuple[str, ...]:
    data = () if setup.data == "rotten-tomatoes" else (f"data {setup.data} instead of rotten-tomatoes",)
    return (*data, f"{encoder_name(encoder)} instead of distilbert-base-uncased")


def _tables(arms: tuple[Arm, ...]) -> tuple[Table, ...]:
    return (
        Table(
            name="accuracy",
            title="Accuracy of every head",
            caption="Mean over seeds with a 95 % interval that includes the variance of seeds, where something is random, and of "
            "test sentences. Only random weights have seeds: of one encoder all heads are the same every time.",
            measures=(ACCURACY, "macro F1", "validation accuracy"),
            arms=tuple(arm.name for arm in arms),
        ),
    )


def _figures(setup: Setup, arms: tuple[Arm, ...], layers: tuple[int, ...]) -> tuple[Figure, ...]:
    chance, caption = (
        chance_line(setup.class_count),
        "Each small dot is one seed, the large one their mean with its 95 % interval.",
    )
    common: dict[str, Any] = {
        "mark": "points",
        "caption": caption,
        "y": ACCURACY,
        "reference": chance,
        "x_scale": "category",
    }
    of_heads = sorted({str(arm.factors["head"]) for arm in arms})
    return (
        Figure(
            name="accuracy-by-layer", title="A linear SVM on the mean over tokens, by layer", x="layer", by="weights",
            where={"head": ["linear-svm"], "pooling": ["mean"]},
            ordered=(*(told_layer(layer) for layer in layers), "chosen"), **common,
        ),
        Figure(
            name="accuracy-by-head", title="Heads on the last layer", x="head", by="pooling",
            where={"head": of_heads, "weights": ["pre-trained"], "layer": ["last"]}, **common,
        ),
        mistakes_of(arms[0], of="sentences")[0],
    )  # fmt: skip
