"""How well does a CLIP name classes that it was never trained on, and what do prompts add?"""

from __future__ import annotations

from dataclasses import replace

from gradlab.clip.prompts import ENSEMBLE, NAME, PHOTO
from gradlab.lab.designing.design import Arm, Design
from gradlab.lab.designing.procedure import Procedure
from gradlab.lab.designing.shown import Figure
from gradlab.procedures.clip_zero_shot import ClipZeroShot
from gradlab.studies._clip_claims import zero_shot_claims
from gradlab.studies._clip_data import classes_of, small_clip
from gradlab.studies._clip_text import TextStart, start_told, text_start
from gradlab.studies._shared import ACCURACY, accuracy_table, chance_line, learning_curves, scores_table
from gradlab.studies.setup import Network, PairsSetup, Setup
from gradlab.types import Count

BACKGROUND = (
    "A CLIP learned which texts go with which pictures. To classify, a text is made of every class name, and the class whose "
    "text is most similar to the picture is named: no picture of these classes is needed. Without a model of one's own a small "
    "CLIP is pre-trained here on labelled pictures, whose captions are made from the names of their classes; it is then asked "
    "for classes that were held out of it. It is one network: intervals include the variance of the test images alone."
)
UNKNOWN = "nobody can tell here which pictures it was trained on"


def clip_zero_shot(
    setup: PairsSetup,
    *,
    model: Network | None = None,
    other: str | None = None,
    epochs: Count | None = None,
    text: TextStart | None = None,
) -> Design:
    """How well does a CLIP name classes that it was never trained on?

    Args:
        setup: preset and data.
        model: folder or name of a CLIP, or a record of one; left out: a small one is pre-trained on most of the classes.
        other: data that a given model is asked about as well, such as tiny-imagenet beside imagenette.
        epochs: of the pre-training; the preset's own by default.
        text: from what its text tower starts: random values, or one that is pre-trained on the sentences of the text data sets;
            left out: the latter on cifar100 in the presets standard and full, where they are here.
    """
    start = text_start(setup, model, text)
    given = model is not None
    pretrained, sets, told = _sets(setup, model, other, epochs, start)
    arms = _arms(pretrained, sets, given=given)
    counts = {name: count for name, (_, count, _) in sets.items()}
    return Design(
        study="clip-zero-shot",
        title="Zero-shot classification with CLIP",
        question=f"How well does a CLIP name classes {'by their names alone' if given else 'that it was never trained on'}?",
        background=BACKGROUND,
        setting="001 and 003",
        setting_text=told,
        corrections=("all test images instead of 100", "similarities are normalised and scaled in every run"),
        deviations=()
        if given and setup.preset == "full"
        else ("another CLIP than ViT-B/16 of OpenAI", f"data {setup.data}"),
        parameters={"model": model.kind if model is not None else None, "other": other, "epochs": epochs}
        | ({"text": text} if text is not None else {}),
        arms=arms,
        claims=zero_shot_claims(counts, given=given, known="" if given else classes_of(setup).known),
        tables=(replace(accuracy_table(), measures=(ACCURACY, "macro F1")), scores_table()),
        figures=_figures(arms, counts),
    )


def _sets(
    setup: Setup, model: Procedure | None, other: str | None, epochs: int | None, text: TextStart
) -> tuple[Procedure, dict[str, tuple[str, int, str]], str]:
    """Return the CLIP, and name -> (data, classes, words) of what it is asked about."""
    if model is not None:
        sets = {"main": (setup.data, setup.class_count, setup.data)}
        if other is not None:
            sets["other"] = (other, 0, other)
        return (
            model,
            sets,
            f"A given CLIP, asked about {', '.join(one for one, _, _ in sets.values())}; {UNKNOWN}.",
        )
    classes = classes_of(setup)
    net = small_clip(setup, classes.seen, epochs, text)
    sets = {
        "held": (classes.held, classes.counts["held"], "held-out classes"),
        "seen": (classes.seen, classes.counts["seen"], "seen classes"),
    }
    return (
        net,
        sets,
        f"Pre-trained on {classes.counts['seen']} classes of {setup.data}, {net.recipe.describe()}.{start_told(setup, net)}",
    )


def _arms(net: Procedure, sets: dict[str, tuple[str, int, str]], *, given: bool) -> tuple[Arm, ...]:
    """Return an arm a set and kind of prompt; a small CLIP's captions may name the group of a class."""
    prompts = {
        "name": ("class name", ClipZeroShot(net=net, data="", templates=NAME, groups=False)),
        "photo": ("one prompt", ClipZeroShot(net=net, data="", templates=PHOTO, groups=False)),
        "ensemble": ("eight prompts", ClipZeroShot(net=net, data="", templates=ENSEMBLE, groups=False)),
    }
    if not given:
        prompts["group"] = ("one prompt with the group", ClipZeroShot(net=net, data="", templates=PHOTO))
    asked = tuple(
        Arm(
            name=f"{name}-{prompt}",
            label=f"{told}, {words}",
            factors={"prompt": words, "classes": told},
            procedure=replace(procedure, data=data),
        )
        for name, (data, _, told) in sets.items()
        for prompt, (words, procedure) in prompts.items()
    )
    own = Arm(
        name="pretraining", label="the pre-training", factors={"prompt": "–", "classes": "–"}, procedure=net
    )
    return asked if given else (own, *asked)


def _figures(arms: tuple[Arm, ...], counts: dict[str, int]) -> tuple[Figure, ...]:
    asked = [arm for arm in arms if arm.procedure.kind == "clip-zero-shot"]
    first = next(iter(counts))
    bars = Figure(
        name="accuracy-by-prompt",
        title="Accuracy by prompt",
        caption="Share of the test images whose class is named, by what the classes are called. The line is guessing among the "
        f"{counts[first]} classes of {asked[0].factors['classes']}.",
        mark="points",
        x="prompt",
        y=ACCURACY,
        by="classes",
        x_scale="category",
        where={"classes": sorted({str(arm.factors["classes"]) for arm in asked})},
        reference=chance_line(counts[first]),
    )
    confusion = Figure(
        name="confusion",
        title=f"Confusions of {asked[0].factors['classes']}",
        caption="Test images by true (row) and predicted (column) class.",
        mark="matrix",
        table="predictions",
        x="prediction",
        y="label",
        where={"arm": next(arm.name for arm in reversed(asked) if arm.name.startswith(first))},
    )
    own = arms[0].procedure.kind == "clip-pretrain"
    curves = (learning_curves(by="arm", panel=None, where={"arm": "pretraining"}),) if own else ()
    return (bars, confusion, *curves)
