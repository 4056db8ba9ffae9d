"""Which attacks fool a network, and at what cost?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gradlab.attacks import (
    APGD,
    FGSM,
    PGD,
    AutoAttack,
    FewPixel,
    Genetic,
    IterativeFGSM,
    MomentumFGSM,
    Noise,
    Square,
)
from gradlab.lab.designing.design import OWN, Arm, Design
from gradlab.lab.designing.shown import Figure
from gradlab.studies._attack_claims import claims_of
from gradlab.studies._attack_shared import (
    ROBUST,
    accuracy_table,
    attack_arm,
    cost_table,
    curve,
    image_count,
    in_levels,
    net_of,
    pictures,
    radii_of,
)
from gradlab.studies.setup import Network, Setup
from gradlab.types import Count, PixelEps

IMAGES = 200
"""Of larger data in the preset standard: two searches that ask a network hundreds of times for each image."""
COSTLY = {"quick": 20, "standard": 50, "full": 100}
"""Images on which one pixel is searched."""
STRONG = 100
"""Images that AutoAttack is given."""
BACKGROUND = (
    "An attack changes an image so little that a person would not mind, and the network calls it something else. Attacks by "
    "gradients see the network's inside: FGSM takes one step, the others many. Square and GenAttack see its outputs alone and "
    "ask it often. A few-pixel attack changes one pixel by as much as it likes. Noise of the same size is the control: what it "
    "does as well is no merit of an attack. All attack the same images of the same trained networks."
)


def attacks(
    setup: Setup,
    *,
    eps: tuple[PixelEps, ...] | None = None,
    images: Count | None = None,
    model: Network | None = None,
) -> Design:
    """Which attacks fool a network, and at what cost?

    Args:
        setup: preset and data.
        eps: radii of the attacks, as fractions of the pixel range such as 8/255; the data's own by default.
        images: test images that are attacked; by default 150 (quick), all of small data, 200 (standard) or 500 (full) of larger.
        model: a network of your own instead of a trained CNN.
    """
    net, count = net_of(setup, model), image_count(setup, images, IMAGES)
    radii = tuple(dict.fromkeys((0.0, *(eps or radii_of(setup)))))
    costly, few_images = min(count or STRONG, STRONG), min(count or STRONG, COSTLY[setup.preset])
    arms: list[Arm] = []
    for name, (label, by) in _by_radius(setup).items():
        own = radii if name == "pgd" else radii[1:]  # without an attack all are alike
        own = own[-2:] if name in SEARCHES and setup.preset == "standard" else own
        arms += [attack_arm(name, label, net, setup.data, by, own, at, count) for at in own]
    few = attack_arm("few_pixel", "one pixel", net, setup.data, _few(setup), (1.0,), 1.0, few_images)
    arms.append(few)
    if setup.preset != "quick":
        strong, longest = (radii[-1],), PGD(steps=100, stop_at_success=False)
        arms.append(
            attack_arm("autoattack", "AutoAttack", net, setup.data, AutoAttack(), strong, strong[0], costly)
        )
        arms.append(
            attack_arm("pgd100", "PGD, 100 steps", net, setup.data, longest, strong, strong[0], costly)
        )
    shown = next(arm for arm in arms if arm.name == f"pgd-{radii[-1] * 255:.3g}")
    return Design(
        study="attacks",
        title="Attacks on one network",
        question="Which attacks fool a network, and at what cost?",
        background=BACKGROUND,
        setting=OWN,
        setting_text=f"{'Small CNN' if model is None else 'A given network'} on {setup.data}; radii "
        f"{', '.join(in_levels(one) for one in radii[1:])}.",
        deviations=(),
        parameters={
            "eps": list(radii[1:]),
            "images": count,
            "model": None if model is None else model.kind,
        },
        arms=tuple(arms),
        claims=claims_of(radii, with_autoattack=setup.preset != "quick"),
        tables=(accuracy_table(), cost_table()),
        figures=(_curve(arms), *pictures(shown), pictures(few)[0]),
    )


def _curve(arms: list[Arm]) -> Figure:
    """Return robust accuracy against the radius, without one pixel, which may change by all of its range."""
    shown = [*dict.fromkeys(str(arm.factors["attack"]) for arm in arms if arm.name != FEW)]
    return replace(curve(ROBUST), where={"attack": shown})


FEW = "few_pixel-255"
"""Arm that changes one pixel."""
SEARCHES = ("square", "genetic")
"""By outputs alone; within small radii they ask long and reach little."""


def _by_radius(setup: Setup) -> dict[str, tuple[str, Any]]:
    """Return name -> what it is called, and the attack; searches are short in the presets that take minutes.

    Attacks by steps take all of them, so that pictures and sizes of changes are those of the strongest image.
    """
    quick, full = setup.preset == "quick", setup.preset == "full"
    return {
        "noise": ("noise", Noise()),
        "fgsm": ("FGSM", FGSM()),
        "ifgsm": ("iterated FGSM", IterativeFGSM(steps=10, stop_at_success=False)),
        "mifgsm": ("momentum FGSM", MomentumFGSM(steps=10, stop_at_success=False)),
        "pgd": ("PGD", PGD(steps=20, stop_at_success=False)),
        "apgd": ("Auto-PGD", APGD(steps=20 if quick else 50)),
        "square": ("Square", Square(queries=100 if quick else 1000 if full else 500)),
        "genetic": ("GenAttack", Genetic(generations=20 if quick else 200 if full else 100)),
    }


def _few(setup: Setup) -> FewPixel:
    quick, full = setup.preset == "quick", setup.preset == "full"
    return FewPixel(population=40 if quick else 100, generations=10 if quick else 50 if full else 20)
