"""Arms of the study of transfer: heads on frozen features, policies of fine-tuning, and the control from scratch."""

from __future__ import annotations

from dataclasses import replace

from gradlab.lab.designing.design import Arm
from gradlab.procedures.fine_tune import FineTune
from gradlab.procedures.fit_head import FitHead
from gradlab.procedures.train import Train
from gradlab.studies._nets import PUBLISHED, REDUCED, SMALL
from gradlab.studies.setup import Setup
from gradlab.training.recipe import Recipe
from gradlab.transfer.heads import (
    LDA,
    RBFSVM,
    Head,
    LinearSVM,
    LogisticRegression,
    NaiveBayes,
    NearestNeighbours,
)
from gradlab.transfer.policies import (
    AllLayers,
    DiscriminativeRates,
    FromScratch,
    GradualUnfreezing,
    HeadOnly,
    LastBlock,
    Policy,
)

FROZEN, TUNED = "frozen features", "fine-tuning and control"
HEADS: dict[str, tuple[str, Head]] = {
    "linear-svm": ("linear SVM", LinearSVM()),
    "rbf-svm": ("RBF SVM", RBFSVM()),
    "nearest-neighbours": ("nearest neighbours", NearestNeighbours()),
    "logistic-regression": ("logistic regression", LogisticRegression()),
    "lda": ("LDA", LDA()),
    "naive-bayes": ("naive Bayes", NaiveBayes()),
}
BRIEF: dict[str, Head] = {
    "linear-svm": LinearSVM(c=(0.001, 0.01)),
    "rbf-svm": RBFSVM(c=(10.0,), gamma=(0.3, 1.0)),
}
"""Heads that try less where there are ten thousand images of a hundred classes."""
ON_LOGITS = ("linear-svm", "nearest-neighbours")
"""Heads that are fitted to the source network's logits as well, as lab 000 did."""
POLICIES: dict[str, tuple[str, Policy]] = {
    "head": ("head alone", HeadOnly()),
    "last-block": ("last block and head", LastBlock()),
    "gradual": ("gradual unfreezing", GradualUnfreezing()),
    "all": ("all layers, Adam", AllLayers()),
    "all-sgd": ("all layers, SGD", AllLayers()),
    "discriminative": ("discriminative rates", DiscriminativeRates()),
    "scratch": ("from scratch", FromScratch()),
}
FASTER = 10.0
"""By which the rate of a head alone exceeds that of the others: with frozen features it is a linear layer that learns."""
SGD_RATE, MOMENTUM = 0.03, 0.9


def recipe_of(setup: Setup, epochs: int | None) -> Recipe:
    """Return how every arm is fine-tuned but for what its name says."""
    if setup.is_small:
        recipe = replace(SMALL, epochs=6)
    elif setup.preset == "full":
        recipe = PUBLISHED
    else:
        recipe = replace(REDUCED, epochs=2 if setup.preset == "quick" else 5)
    return recipe if epochs is None else replace(recipe, epochs=epochs)


def build_arms(setup: Setup, source: Train, target: str, recipe: Recipe) -> tuple[Arm, ...]:
    """Return the source network, the heads and the policies; the preset full has the rates of lab 004."""
    published = setup.preset == "full"
    brief = {} if published or setup.is_small else BRIEF
    heads = [
        _head(source, target, name, label, brief.get(name, head), logits=logits)
        for logits in (False, True)
        for name, (label, head) in HEADS.items()
        if not logits or name in ON_LOGITS
    ]
    tuned = [
        _tuned(source, target, name, label, policy, _recipe(name, recipe, published=published))
        for name, (label, policy) in POLICIES.items()
    ]
    own = Arm(
        name="source",
        label="the source network",
        factors={"method": "source network", "family": "source"},
        procedure=source,
    )
    return (own, *heads, *tuned)


def _head(source: Train, target: str, name: str, label: str, head: Head, *, logits: bool) -> Arm:
    told = f"{label} on logits" if logits else label
    return Arm(
        name=f"logits-{name}" if logits else name,
        label=told,
        factors={"method": told, "family": FROZEN},
        procedure=FitHead(net=source, data=target, head=head, layer="head" if logits else None),
    )


def _tuned(source: Train, target: str, name: str, label: str, policy: Policy, recipe: Recipe) -> Arm:
    return Arm(
        name=name,
        label=label,
        factors={"method": label, "family": TUNED},
        procedure=FineTune(net=source, data=target, policy=policy, recipe=recipe),
    )


def _recipe(name: str, recipe: Recipe, *, published: bool) -> Recipe:
    if name == "all-sgd":
        rate = 0.01 if published else SGD_RATE
        return replace(recipe, optimizer="sgd", learning_rate=rate, momentum=MOMENTUM)
    if name == "head" and not published:
        return replace(recipe, learning_rate=FASTER * recipe.learning_rate)
    return recipe
