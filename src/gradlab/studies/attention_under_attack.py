"""Does a network look elsewhere when an attack fools it?"""

from __future__ import annotations

from gradlab.attacks import PGD
from gradlab.explain import GradCAM
from gradlab.lab.designing.design import OWN, Arm, Design
from gradlab.lab.designing.procedure import Procedure
from gradlab.procedures.disturb import Disturb
from gradlab.studies._attention_claims import claims_of
from gradlab.studies._attention_shown import figures_of, tables_of
from gradlab.studies._nets import shared_net
from gradlab.studies.setup import Network, Setup
from gradlab.types import Count, PixelEps

BACKGROUND = (
    "Pictures in reports show that attention scatters under attack. Ten pictures prove nothing, and a change of the image "
    "moves the map even when nobody attacks. So maps of all images are compared with their maps after an attack, after "
    "noise whose every number is as large as the attack's, and after the reverse attack, which makes the network more "
    "confident in its prediction and is brought to the same L2 norm. The map is that of the class predicted after the "
    "change, and once more that of the class before: the first moves also because another class is explained. Images that "
    "the attack fools are told from the others."
)
ATTACK = PGD(steps=10, stop_at_success=False)
"""The map of the strongest image is compared, and not of one that has just crossed the border."""
FEW = 100
"""Test images among which those are looked for whose maps are shown."""
CHANGES = {"attack": "attack", "noise": "noise of its size", "reversed": "reverse attack"}
ARMS = (
    *((change, "predicted", "fooled") for change in CHANGES),
    *((change, "before", "fooled") for change in CHANGES),
    ("attack", "predicted", "not fooled"),
    ("noise", "predicted", "not fooled"),
)


def attention_under_attack(
    setup: Setup,
    *,
    eps: PixelEps | None = None,
    images: Count | None = None,
    epochs: Count | None = None,
    model: Network | None = None,
) -> Design:
    """Does a network look elsewhere when an attack fools it?

    Args:
        setup: preset and data.
        eps: radius of the attack, a fraction of the pixel range such as 2/255; one that fools some images and not all.
        images: test images; all, or 2,500 (500 in the preset quick) of larger data, by default.
        epochs: of training; the data's own by default.
        model: a network of your own instead of a trained CNN.
    """
    radius = eps or (24 / 255 if setup.channels == 1 else 2 / 255)
    count = images or (
        None if setup.is_small or setup.preset == "full" else 500 if setup.preset == "quick" else 2_500
    )
    net = shared_net(setup, setup.data, epochs=epochs) if model is None else model
    arms = (*_arms(net, setup.data, radius, count), *_shown(net, setup.data, radius))
    return Design(
        study="attention-under-attack",
        title="Attention under attack",
        question="Does a network look elsewhere when an attack fools it?",
        background=BACKGROUND,
        setting=OWN,
        setting_text=f"{'A CNN' if model is None else 'A given network'} of {setup.data}; Grad-CAM; PGD with 10 steps at "
        f"eps {radius * 255:.3g}/255; {'all' if count is None else f'{count:,}'} test images.",
        corrections=(
            "attacked images are clipped to [0, 1] before normalisation (lab 002 clips the normalised image, which alone "
            "destroys it)",
            "all images instead of ten, beside noise and an attack that does not fool",
        ),
        deviations=(),
        parameters={
            "eps": radius,
            "images": count,
            "epochs": epochs,
            "model": None if model is None else model.kind,
        },
        arms=arms,
        claims=claims_of(is_known=model is None and setup.data == "cifar10"),
        tables=tables_of(tuple(arm_name(*one) for one in ARMS)),
        figures=figures_of(),
    )


def arm_name(change: str, target: str, group: str) -> str:
    """Name an arm: "attack", "attack before", "attack not fooled"."""
    words = (change, "before" if target == "before" else "", "not fooled" if group == "not fooled" else "")
    return " ".join(one for one in words if one)


def _arms(net: Procedure, data: str, eps: float, images: int | None) -> tuple[Arm, ...]:
    procedure = Disturb(net=net, data=data, method=GradCAM(), by=ATTACK, eps=eps, images=images)
    classes = {"predicted": "class predicted then", "before": "class before"}
    return tuple(
        Arm(
            name=arm_name(change, target, group),
            label=f"{CHANGES[change]}, {classes[target]}, {group}",
            factors={"change": CHANGES[change], "class": classes[target], "images": group},
            procedure=procedure,
            at={"change": change, "target": target, "group": group},
        )
        for change, target, group in ARMS
    )


def _shown(net: Procedure, data: str, eps: float) -> tuple[Arm, ...]:
    """Return the arms of which only pictures are shown: a few images, so that they cost next to nothing."""
    procedure = Disturb(net=net, data=data, method=GradCAM(), by=ATTACK, eps=eps, images=FEW, pictures=True)
    return tuple(
        Arm(
            name=f"shown {change}",
            label=word,
            factors={"change": word, "images": "shown"},
            procedure=procedure,
            at={"change": change, "target": "predicted", "group": "fooled"},
        )
        for change, word in CHANGES.items()
    )
