"""Does a classifier of sentences notice sentences of another kind?"""

from __future__ import annotations

from gradlab.data import parse
from gradlab.detection import KNN, Energy, Mahalanobis, MaxSoftmax, names_of
from gradlab.lab.designing.design import OWN, Arm, Design
from gradlab.lab.designing.procedure import Procedure
from gradlab.lab.designing.shown import Figure, Table
from gradlab.procedures.score import Score
from gradlab.procedures.text_finetune import TextFineTune
from gradlab.procedures.text_pretrain import TextPretrain
from gradlab.studies._shared import ACCURACY
from gradlab.studies._text_finetuning_arms import POLICIES, data_of, encoder_of, named, recipe_of
from gradlab.studies._text_ood_claims import claims_of
from gradlab.studies.setup import Network, TextSetup
from gradlab.types import Count

BACKGROUND = (
    "A classifier of reviews calls any sentence good or bad. A detector says how foreign a sentence looks, so that it can be "
    "refused instead: from the logits, or from the features before the last layer. Foreign are questions, which share "
    "hardly a word with reviews, and sentences that tell what happens in a film, which share most of them. All detectors look at "
    "the networks of text-finetuning that were trained whole. AUROC is the chance that a foreign sentence scores higher than a "
    "familiar one.{read} With two classes the maximum softmax, the entropy and the margin order sentences "
    "alike, so one of them is shown."
)
READ = (
    " The encoder that is pre-trained here has read training sentences of the foreign sets as well, without labels: what is "
    "foreign is so to the classifier."
)
FAR, NEAR = "questions", "plots of films"
FILMS = {"trec": FAR, "subj[objective]": NEAR}
"""Foreign to reviews. The other half of SUBJ are sentences of reviews, as those of Rotten Tomatoes, and so not foreign."""
OTHERS: dict[str, dict[str, str]] = {
    "trec": {"rotten-tomatoes": "reviews", "subj[objective]": NEAR},
    "subj": {"trec": FAR},
}
"""Foreign to other data, the farthest first."""


def text_ood(setup: TextSetup, *, model: Network | None = None, epochs: Count | None = None) -> Design:
    """Does a classifier of sentences notice sentences of another kind?

    Args:
        setup: preset and data, which hold texts, such as rotten-tomatoes.
        model: an encoder, by folder or name, instead of the preset's own.
        epochs: of fine-tuning; the preset's own by default.
    """
    encoder, recipe, data = encoder_of(setup, model), recipe_of(setup, epochs), data_of(setup)
    sets = OTHERS.get(parse(setup.data)[0], FILMS)
    net = TextFineTune(net=encoder, data=data, policy=POLICIES["all"][1], recipe=recipe)
    arms = _arms(net, data, sets)
    return Design(
        study="text-ood",
        title="Foreign sentences",
        question="Does a classifier of sentences notice sentences of another kind?",
        background=BACKGROUND.format(read=READ if _has_read(encoder, sets) else ""),
        setting=OWN,
        setting_text=f"{named(encoder.kind)}; {recipe.describe()}. Foreign: "
        + ", ".join(f"{told} ({name})" for name, told in sets.items())
        + ".",
        deviations=(),
        parameters={"model": None if model is None else model.kind, "epochs": recipe.epochs},
        arms=(Arm(name="net", label="the classifier", factors={"set": data}, procedure=net), *arms),
        claims=claims_of(list(sets.values())),
        tables=_tables(arms),
        figures=_figures(arms),
    )


def _has_read(encoder: Procedure, sets: dict[str, str]) -> bool:
    """Whether the encoder's own pre-training is here and holds a foreign set."""
    known = encoder.data if isinstance(encoder, TextPretrain) else ()
    return any(parse(name)[0] in known for name in sets)


def _arms(net: Procedure, data: str, sets: dict[str, str]) -> tuple[Arm, ...]:
    """Return an arm for every detector and set; one record a seed holds them all."""
    detectors = (MaxSoftmax(), Energy(), Mahalanobis(), KNN(k=10))
    scored = Score(net=net, data=data, out=tuple(sets), detectors=detectors)
    return tuple(
        Arm(
            name=f"{detector} {told}",
            label=f"{detector.replace('-', ' ')}, {told}",
            factors={"detector": detector.replace("-", " "), "set": told},
            procedure=scored,
            at={"detector": detector, "set": name},
        )
        for detector in names_of(detectors)
        for name, told in sets.items()
    )


def _tables(arms: tuple[Arm, ...]) -> tuple[Table, ...]:
    return (
        Table(
            name="network",
            title="The classifier",
            caption="Mean over seeds with a 95 % interval that includes the variance of seeds and of test sentences.",
            measures=(ACCURACY, "macro F1", "validation accuracy"),
            arms=("net",),
        ),
        Table(
            name="detection",
            title="Detection of foreign sentences",
            caption="AUROC: chance that a foreign sentence scores higher than a familiar one; 50 % is guessing. Its interval "
            "holds the variance of seeds, of familiar and of foreign sentences. FPR at 95 % TPR: share of foreign sentences "
            "accepted where 95 % of the familiar ones are; its interval is of the seeds alone.",
            measures=("AUROC", "FPR at 95 % TPR"),
            arms=tuple(arm.name for arm in arms),
        ),
    )


def _figures(arms: tuple[Arm, ...]) -> tuple[Figure, ...]:
    return (
        Figure(
            name="auroc",
            title="AUROC of every score on every set",
            caption="Each small dot is one seed, the large one their mean with its 95 % interval; 50 % is guessing.",
            mark="points",
            x="detector",
            y="AUROC",
            by="set",
            x_scale="category",
            where={"detector": sorted({str(arm.factors["detector"]) for arm in arms})},
        ),
    )
