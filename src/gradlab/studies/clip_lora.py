"""Which tower of a CLIP should adapters be put in, and does it forget classes that it was not tuned on?"""

from __future__ import annotations

from dataclasses import replace

from gradlab.data import parse
from gradlab.lab.designing.design import Design
from gradlab.lab.designing.procedure import Procedure
from gradlab.lab.designing.shown import Figure, Table
from gradlab.studies._clip_arms import METHODS, build_arms
from gradlab.studies._clip_claims import lora_claims
from gradlab.studies._clip_data import classes_of, few, small_clip
from gradlab.studies._clip_text import TextStart, start_told, text_start
from gradlab.studies._shared import ACCURACY, PROTOCOL, learning_curves
from gradlab.studies.setup import Network, PairsSetup, Setup
from gradlab.training.recipe import Recipe
from gradlab.training.schedule import OneCycle
from gradlab.types import Count, PositiveFloat

BACKGROUND = (
    "A CLIP is taught some classes by labelled pictures: by small adapters in its image tower, its text tower or both (LoRA), by "
    "learned vectors in the place of a prompt's words (CoOp), or by a linear classifier on its frozen features. All else is "
    "frozen, and checked to be bit-identical after training. Each is judged on the classes it learned and on as many others; "
    "a linear classifier knows no others. Logits are scaled, normalised similarities in training and evaluation alike."
)


def clip_lora(
    setup: PairsSetup,
    *,
    model: Network | None = None,
    r: Count = 2,
    epochs: Count | None = None,
    learning_rate: PositiveFloat | None = None,
    pretrain_epochs: Count | None = None,
    text: TextStart | None = None,
) -> Design:
    """Which tower of a CLIP should adapters be put in, and does it forget other classes?

    Args:
        setup: preset and data.
        model: folder or name of a CLIP, or a record of one; left out: the small one of clip-zero-shot.
        r: rank of the adapters.
        epochs: of every method; the preset's own by default.
        learning_rate: highest of every method; 2e-4 of a given model as in CLIP-LoRA, more for a small one.
        pretrain_epochs: of the small CLIP; the preset's own by default.
        text: from what its text tower starts: random values, or one that is pre-trained on the sentences of the text data sets;
            left out: the latter on cifar100 in the presets standard and full, where they are here.
    """
    start = text_start(setup, model, text)
    net, trained, novel = _data(setup, model, pretrain_epochs, start)
    recipe = Recipe(
        optimizer="adamw",
        learning_rate=learning_rate or (2e-4 if model is not None else 3e-3),
        weight_decay=0.01,
        batch_size=32,
        epochs=epochs or (3 if setup.preset == "quick" else 5),
        schedule=OneCycle(),
    )
    arms = build_arms(net, trained, novel, recipe, r)
    return Design(
        study="clip-lora",
        title="Adapters and prompts for CLIP",
        question="Which tower of a CLIP should adapters be put in, and does it forget other classes?",
        background=BACKGROUND,
        setting="003",
        setting_text=f"{'A given CLIP' if model is not None else 'A small CLIP'}; rank {r}; {recipe.describe()}."
        + start_told(setup, net),
        corrections=(
            *PROTOCOL,
            "one template in training and evaluation",
            "batches instead of single images",
        ),
        deviations=(
            f"data {setup.data} instead of Tiny ImageNet",
            *(() if model is not None else ("a small CLIP instead of ViT-B/16",)),
        ),
        parameters={
            "model": model.kind if model is not None else None,
            "r": r,
            "epochs": recipe.epochs,
            "learning_rate": recipe.learning_rate,
            "pretrain_epochs": pretrain_epochs,
            **({"text": text} if text is not None else {}),
        },
        arms=arms,
        claims=lora_claims(small=setup.is_small),
        tables=_tables(),
        figures=_figures(),
    )


def _data(
    setup: Setup, model: Procedure | None, epochs: int | None, text: TextStart
) -> tuple[Procedure, str, str]:
    """Return the CLIP, the data that it learns, and the data of other classes; those of a given model are halves."""
    if model is None:
        classes = classes_of(setup)
        return small_clip(setup, classes.seen, epochs, text), few(setup, classes.trained), classes.novel
    base, derived = parse(setup.data)
    half, last = setup.class_count // 2, setup.class_count - 1
    first, second = (
        f"{base}{replace(derived, classes=(one,))}" for one in (f"0-{half - 1}", f"{half}-{last}")
    )
    return model, first, second


def _tables() -> tuple[Table, ...]:
    return (
        Table(
            name="accuracy",
            title="Accuracy on classes that were learned, and on others",
            caption="Mean over seeds with a 95 % interval that includes the variance of seeds and of test images. Zero-shot and "
            "the linear probe have no seed.",
            measures=(ACCURACY, "macro F1"),
        ),
        Table(
            name="costs",
            title="What each cost",
            caption="Wall time and peak memory of a run on the machine that made it: reported, but no claim rests on it.",
            measures=("seconds", "peak memory"),
            arms=("linear", *METHODS),
        ),
    )


def _figures() -> tuple[Figure, ...]:
    return (
        Figure(
            name="accuracy-by-method",
            title="Accuracy on classes that were learned, and on others",
            caption="Each small dot is one seed, the large one their mean with its 95 % interval.",
            mark="points",
            x="method",
            y=ACCURACY,
            by="classes",
            x_scale="category",
        ),
        learning_curves(by="method", panel="classes", where={"arm": list(METHODS)}),
    )
