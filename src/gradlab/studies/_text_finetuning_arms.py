"""Arms of the study of fine-tuning on texts: one encoder, frozen or trained by policies at one budget, and from scratch."""

from __future__ import annotations

from dataclasses import replace

from gradlab.lab.designing.design import Arm
from gradlab.lab.designing.procedure import Procedure
from gradlab.procedures.text_features import TextFeatures, TextHead
from gradlab.procedures.text_finetune import TextFineTune
from gradlab.studies._shared import other_data
from gradlab.studies._text_nets import shared_encoder
from gradlab.studies._text_words import words_of
from gradlab.studies.setup import Setup
from gradlab.training.groups import Group
from gradlab.training.recipe import Recipe
from gradlab.training.schedule import Linear
from gradlab.transfer.heads import LinearSVM
from gradlab.transfer.lora import LoRA
from gradlab.transfer.policies import AllLayers, FromScratch, HeadOnly, LastBlock, Policy

POLICIES: dict[str, tuple[str, Policy | LoRA]] = {
    "all": ("all layers", AllLayers()),
    "last-block": ("last block and head", LastBlock()),
    "lora": ("LoRA and head", LoRA()),
    "head": ("head alone", HeadOnly()),
    "mixed": ("all layers, bf16", AllLayers()),
    "scratch": ("from scratch", FromScratch()),
}
PUBLISHED = Recipe(
    optimizer="adamw",
    learning_rate=5e-5,
    weight_decay=0.01,
    batch_size=16,
    epochs=3,
    schedule=Linear(warm=0.1),
    groups=(Group(shape="vectors", decay=0.0),),
)
"""As labs 000 and 004 trained DistilBERT, with a warm-up, and no decay of biases and norms."""
REDUCED = replace(PUBLISHED, learning_rate=5e-4, batch_size=32)
"""For the small encoder, whose weights are fewer and move faster."""
FASTER = {"head": 10.0, "lora": 4.0}
"""What the rate is multiplied by where few numbers train: 2e-4 for LoRA on DistilBERT, as in lab 000."""

HARDLY = (
    " In the preset quick the encoder is tiny and has read these few sentences alone, so there is little for its frozen parts to "
    "know; standard is where the question is answered."
)


def recipe_of(setup: Setup, epochs: int | None) -> Recipe:
    """Return how every arm is trained but for what its name says."""
    recipe = PUBLISHED if setup.preset == "full" else REDUCED
    if setup.preset == "quick":
        recipe = replace(recipe, learning_rate=2e-3, batch_size=16, epochs=5)
    return replace(recipe, epochs=epochs or recipe.epochs)


def data_of(setup: Setup) -> str:
    """Return the data: some of each class in the preset quick, all else."""
    is_whole = setup.preset != "quick" or "#" in setup.data
    return setup.data if is_whole else f"{setup.data}#200"


def encoder_of(setup: Setup, model: Procedure | None) -> Procedure:
    """Return the encoder that studies of texts share, or a given one."""
    return shared_encoder(replace(setup, data=data_of(setup)), model, epochs=12)


def build_arms(setup: Setup, encoder: Procedure, recipe: Recipe) -> tuple[Arm, ...]:
    """Return an arm for every policy and a linear SVM on the first token's features, all from the same encoder.

    The last arm explains which words the network goes by of which all layers were trained.
    """
    data, label = data_of(setup), "linear SVM on frozen features"
    svm = TextHead(net=TextFeatures(net=encoder, data=data), data=data, head=LinearSVM(), pooling="cls")
    frozen = Arm(name="svm", label=label, factors={"method": label, "data": data}, procedure=svm)
    tuned = tuple(_arm(setup, encoder, name, recipe) for name in POLICIES)
    return (*tuned, frozen, words_of(tuned[0], data))


def _arm(setup: Setup, encoder: Procedure, name: str, recipe: Recipe) -> Arm:
    label, policy = POLICIES[name]
    own = replace(recipe, learning_rate=recipe.learning_rate * FASTER.get(name, 1.0))
    if name == "mixed":
        own = replace(own, precision="bf16")
    return Arm(
        name=name,
        label=label,
        factors={"method": label, "data": data_of(setup)},
        procedure=TextFineTune(net=encoder, data=data_of(setup), policy=policy, recipe=own),
    )


def named(kind: str) -> str:
    """Say what sort of encoder it is."""
    known = {
        "text-pretrain": "A small encoder, pre-trained here on sentences without labels",
        "encoder": "A published encoder",
    }
    return known.get(kind, "A given encoder")


def deviations_of(setup: Setup, kind: str) -> tuple[str, ...]:
    """Return how a study with an encoder of this kind differs from the published setting."""
    own = () if kind == "encoder" else ("a small encoder that is pre-trained here instead of DistilBERT",)
    shorter = (
        ()
        if setup.preset == "full"
        else (f"recipe of the preset {setup.preset} instead of {PUBLISHED.describe()}",)
    )
    return (*other_data(replace(setup, data=data_of(setup)), of="rotten-tomatoes"), *own, *shorter)
