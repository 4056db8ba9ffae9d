"""Arms of the study of frozen features of texts: heads, layers and poolings, and the same with random weights."""

from __future__ import annotations

from gradlab.lab.designing.design import Arm
from gradlab.lab.designing.procedure import Pick, Procedure
from gradlab.lab.designing.shown import Factor
from gradlab.procedures.text_encoder import Untrained
from gradlab.procedures.text_features import TextFeatures, TextHead
from gradlab.studies.setup import Setup
from gradlab.transfer.heads import RBFSVM, Head, LinearSVM, LogisticRegression, NearestNeighbours

HEADS: dict[str, tuple[str, Head]] = {
    "linear-svm": ("linear SVM", LinearSVM()),
    "rbf-svm": ("RBF SVM", RBFSVM()),
    "logistic-regression": ("logistic regression", LogisticRegression()),
    "nearest-neighbours": ("nearest neighbours", NearestNeighbours()),
}


def build_arms(setup: Setup, encoder: Procedure, layers: tuple[int, ...]) -> tuple[Arm, ...]:
    made = {
        "pre-trained": TextFeatures(net=encoder, data=setup.data, layers=layers),
        "random": TextFeatures(net=Untrained(net=encoder), data=setup.data, layers=layers),
    }
    heads = {name: one for name, one in HEADS.items() if setup.preset != "quick" or name != "rbf-svm"}
    arms = [_arm(setup, made["pre-trained"], name, told, head) for name, (told, head) in heads.items()]
    arms.append(
        _arm(setup, made["pre-trained"], "cls", "linear SVM on the first token", LinearSVM(), pooling="cls")
    )
    for weights, features in made.items():
        every = [
            _arm(
                setup,
                features,
                f"{weights}-{_named(layer)}",
                f"{weights}, {told_layer(layer)}",
                LinearSVM(),
                layer,
                weights,
            )
            for layer in layers
        ]
        arms += (
            every if weights == "random" else [one for one in every if one.factors["layer"] != told_layer(-1)]
        )
        picked = Pick(among=tuple(one.procedure for one in every), by="validation accuracy")
        factors: dict[str, Factor] = {
            "weights": weights,
            "layer": "chosen",
            "pooling": "mean",
            "head": "linear-svm",
        }
        arms.append(Arm(name=weights, label=f"{weights}, layer chosen", factors=factors, procedure=picked))
    return tuple(arms)


def _arm(
    setup: Setup, features: TextFeatures, name: str, label: str, head: Head, layer: int = -1,
    weights: str = "pre-trained", pooling: str = "mean",
) -> Arm:  # fmt: skip
    procedure = TextHead(net=features, data=setup.data, head=head, layer=layer, pooling=pooling)  # type: ignore[arg-type]
    factors: dict[str, Factor] = {
        "weights": weights,
        "layer": told_layer(layer),
        "pooling": pooling,
        "head": head.kind,
    }
    return Arm(name=name, label=label, factors=factors, procedure=procedure)


def _named(layer: int) -> str:
    return "last" if layer == -1 else f"{-layer}-from-the-end" if layer < 0 else f"layer-{layer}"


def told_layer(layer: int) -> str:
    """Name a layer in words; 0 is the embeddings, -1 the last."""
    return "embeddings" if layer == 0 else _named(layer).replace("-", " ")
