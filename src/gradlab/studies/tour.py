"""How easily is a small CNN fooled, and does it notice what it does not know?"""

from __future__ import annotations

from gradlab.attacks import FGSM, PGD
from gradlab.detection import MaxLogit, MaxSoftmax
from gradlab.lab.designing.design import OWN, Arm, Design
from gradlab.lab.designing.procedure import Procedure
from gradlab.lab.designing.shown import Figure, Reference, Table
from gradlab.procedures.attack import Attack
from gradlab.procedures.score import Score
from gradlab.studies._nets import small_cnn
from gradlab.studies._ood_shown import heat
from gradlab.studies._shared import accuracy_table, mistakes_of
from gradlab.studies._tour_claims import claims_of
from gradlab.studies.setup import Network, Setup
from gradlab.types import Count, PixelEps, UserError

BACKGROUND = (
    "One small convolutional network, trained several times, is asked two questions. First: every pixel of a test image may "
    "change by at most eps, and an attack chooses how; FGSM takes one step along the gradient's sign, PGD up to ten smaller "
    "ones until the image is fooled. Second: the network sees images of classes that it never learned, "
    "patches of two photographs, and noise; "
    "a score says how foreign each looks, and AUROC is the chance that a foreign image scores higher than a familiar one. "
    "Attack and scores come from the same trained networks; nothing is trained twice."
)
DETECTORS = (MaxSoftmax(), MaxLogit())
ATTACKS: dict[str, FGSM | PGD] = {"fgsm": FGSM(), "pgd": PGD(steps=10)}


def tour(
    setup: Setup,
    *,
    eps: tuple[PixelEps, ...] | None = None,
    images: Count | None = None,
    epochs: Count | None = None,
    model: Network | None = None,
) -> Design:
    """How easily is a small CNN fooled, and does it notice what it does not know?

    Args:
        setup: preset and data.
        eps: radii of the attacks, as fractions of the pixel range such as 8/255; the data's own by default.
        images: test images that are attacked; all, or 500 of larger data sets (150 in the preset quick), by default.
        epochs: of training; the data's own by default.
        model: a network of your own instead of a trained CNN; the whole data are then in-distribution.
    """
    if setup.class_count < 4:
        raise UserError(
            f"tour leaves two classes out as foreign ones and needs at least four, got {setup.class_count}."
        )
    inside, near = _sets(setup) if model is None else (setup.data, None)
    net = small_cnn(setup, inside, epochs=epochs) if model is None else model
    radii = tuple(dict.fromkeys((0.0, *(eps or _radii(setup)))))
    count = images or (None if setup.is_small else 150 if setup.preset == "quick" else 500)
    shape = f"@{setup.image_size}:{'grey' if setup.channels == 1 else 'rgb'}"
    foreign = {
        **({near: "classes left out"} if near else {}),
        f"photos{shape}": "photographs",
        f"noise{shape}": "noise",
    }
    arms = (
        *_net_arms(net, model),
        *_attack_arms(net, inside, radii, count),
        *_score_arms(net, inside, foreign),
    )
    return Design(
        study="tour",
        title="A tour: train, attack, detect",
        question="How easily is a small CNN fooled, and does it notice what it does not know?",
        background=BACKGROUND,
        setting=OWN,
        setting_text=f"{'Small CNN' if model is None else 'A given network'}; in-distribution: {inside}; "
        f"radii {', '.join(_in_levels(one) for one in radii[1:])}; PGD with 10 steps.",
        deviations=(),
        parameters={
            "eps": list(radii),
            "images": count,
            "epochs": epochs,
            "model": None if model is None else model.kind,
        },
        arms=arms,
        claims=claims_of(radii, list(foreign.values())),
        tables=_tables(arms),
        figures=_figures(arms, net),
    )


def _sets(setup: Setup) -> tuple[str, str]:
    """In-distribution data without the last two classes, and these two."""
    last = setup.class_count - 1
    return f"{setup.data}[0-{last - 2}]", f"{setup.data}[{last - 1},{last}]"


def _radii(setup: Setup) -> tuple[float, ...]:
    """Radii at which the curve falls: larger ones for small images with strong contrast."""
    levels = (4, 8, 16, 32) if setup.channels == 1 else (1, 2, 4, 8)
    return tuple(level / 255 for level in levels)


def _in_levels(eps: float) -> str:
    return f"{eps * 255:.3g}/255"


def _net_arms(net: Procedure, model: Procedure | None) -> tuple[Arm, ...]:
    return (
        ()
        if model is not None
        else (Arm(name="net", label="the trained network", factors={"net": "small CNN"}, procedure=net),)
    )


def _attack_arms(net: Procedure, data: str, radii: tuple[float, ...], images: int | None) -> list[Arm]:
    return [
        Arm(
            name=f"{name}-{eps * 255:.3g}",
            label=f"{name.upper()}, eps {_in_levels(eps)}",
            factors={"attack": name.upper(), "eps": eps},
            procedure=Attack(net=net, data=data, by=by, eps=radii, images=images),
            at={"eps": eps},
        )
        for name, by in ATTACKS.items()
        for eps in radii
    ]


def _score_arms(net: Procedure, data: str, foreign: dict[str, str]) -> list[Arm]:
    procedure = Score(net=net, data=data, out=tuple(foreign), detectors=DETECTORS)
    return [
        Arm(
            name=f"{detector.kind} {told}",
            label=f"{detector.kind.replace('-', ' ')}, {told}",
            factors={"detector": detector.kind.replace("-", " "), "set": told},
            procedure=procedure,
            at={"detector": detector.kind, "set": name},
        )
        for detector in DETECTORS
        for name, told in foreign.items()
    ]


def _tables(arms: tuple[Arm, ...]) -> tuple[Table, ...]:
    attacks = tuple(arm.name for arm in arms if arm.procedure.kind == "attack")
    scores = tuple(arm.name for arm in arms if arm.procedure.kind == "score")
    trained = (accuracy_table(arms=("net",), title="The trained network"),) if arms[0].name == "net" else ()
    return (
        *trained,
        Table(
            name="attacks",
            title="Accuracy under attack",
            caption="Robust accuracy: share of all attacked images that are classified correctly before and after. Success: "
            "share of the images classified correctly before that are not any more. Means over seeds with 95 % intervals "
            "that hold the variance of seeds and of images.",
            measures=("robust accuracy", "attack success"),
            arms=attacks,
        ),
        Table(
            name="detection",
            title="Detection of foreign images",
            caption="AUROC: chance that a foreign image scores higher than a familiar one; 50 % is guessing. Its interval "
            "holds the variance of seeds, of familiar and of foreign images. FPR: share of foreign images accepted where "
            "95 % of the familiar ones are, with an interval of the seeds alone.",
            measures=("AUROC", "FPR at 95 % TPR", "AUPR, foreign as positive"),
            arms=scores,
        ),
    )


def _figures(arms: tuple[Arm, ...], net: Procedure) -> tuple[Figure, ...]:
    curve = Figure(
        name="accuracy-by-eps",
        title="Accuracy under attack against the radius",
        caption="Each dot is one seed; the line is the mean with its 95 % interval. At eps 0 nothing is attacked.",
        x="eps",
        y="robust accuracy",
        by="attack",
    )
    roc = Figure(
        name="roc",
        title="ROC curves of both scores",
        caption="Share of familiar images that are accepted against the share of foreign ones that slip through with them, as "
        "the threshold moves: mean over the seeds with a 95 % band. The diagonal is guessing.",
        table="roc",
        x="fpr",
        y="tpr",
        by="detector",
        panel="set",
        reference=(Reference(axis="diagonal", label="guessing"),),
    )
    histogram = Figure(
        name="scores",
        title="How foreign images look to the network",
        caption="Maximum-logit score of familiar and foreign images, all seeds together; larger is more foreign. Where two "
        "hills overlap, no threshold tells them apart.",
        mark="histogram",
        table="scores",
        x="score",
        by="set",
        where={"detector": "max logit"},
    )
    trained = mistakes_of(arms[0]) if net.kind == "train" else ()
    return (curve, roc, heat(), histogram, *trained)
