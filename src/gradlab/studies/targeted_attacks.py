"""Can an attack choose what a network sees?"""

from __future__ import annotations

from gradlab.attacks import FGSM, IterativeFGSM
from gradlab.attacks.choose_targets import Targets
from gradlab.lab.designing.design import Arm, Design
from gradlab.studies._attack_shared import (
    DROP,
    ITERATIONS,
    SUCCESS,
    accuracy_table,
    attack_arm,
    cost_table,
    curve,
    image_count,
    in_levels,
    net_of,
    pictures,
)
from gradlab.studies._targeted_attacks_claims import claims_of
from gradlab.studies.setup import Network, Setup
from gradlab.types import Count

BACKGROUND = (
    "An untargeted attack is content with any wrong class, a targeted one wants a certain class. Both take steps along the sign "
    "of the gradient, untargeted away from the true class, targeted towards the target: one class for all images, another class "
    "drawn for each, or for each the class that the network finds least likely. Success is over the images that were "
    "classified correctly and are not the target already."
)
CLASS = 2
"""The class of the labs: bird in CIFAR-10."""
GOALS: dict[str, tuple[str, Targets | None]] = {
    "away": ("untargeted", None),
    "class": (f"class {CLASS}", CLASS),
    "random": ("another class", "random"),
    "least": ("least likely class", "least-likely"),
}
STEPS, SINGLE = 10, 1.55
"""Lab 000's 0.03 of the normalised image is 1.55/255 of the pixel range; lab 003 takes ten steps of 0.25/255 to 2/255."""
LEVELS = (0.25, 0.5, 1, 2)


def targeted_attacks(
    setup: Setup,
    *,
    images: Count | None = None,
    model: Network | None = None,
) -> Design:
    """Can an attack choose what a network sees?

    Args:
        setup: preset and data.
        images: test images that are attacked; by default 150 in the preset quick, else all of small and 500 of larger data.
        model: a network of your own instead of a trained CNN.
    """
    net, count, times = net_of(setup, model), image_count(setup, images), 4 if setup.channels == 1 else 1
    radii = tuple(STEPS * times * level / 255 for level in LEVELS)
    single = times * SINGLE / 255
    arms: list[Arm] = []
    for name, (label, targets) in GOALS.items():
        by = IterativeFGSM(steps=STEPS, stop_at_success=True)
        arms += [attack_arm(name, label, net, setup.data, by, radii, at, count, targets) for at in radii]
    arms.append(
        attack_arm("step", "one step, class 2", net, setup.data, FGSM(), (single,), single, count, CLASS)
    )
    return Design(
        study="targeted-attacks",
        title="Targeted attacks",
        question="Can an attack choose what a network sees?",
        background=BACKGROUND,
        setting="000, 001 and 003",
        setting_text=f"{'Small CNN' if model is None else 'A given network'} on {setup.data}; ten steps within "
        f"{', '.join(map(in_levels, radii))}; one step of {in_levels(single)}.",
        corrections=(
            "six paired seeds instead of one run",
            "images of the target class are left out (lab 000: counted as successes)",
            "success over the images that were classified correctly, for targeted and untargeted attacks alike (lab 003: for one "
            "of them)",
            "images clipped to [0, 1]",
        ),
        deviations=_deviations(setup, given=model is not None),
        parameters={"images": count, "model": None if model is None else model.kind},
        arms=tuple(arms),
        claims=claims_of(radii, single),
        tables=(accuracy_table(), cost_table()),
        figures=(
            curve(SUCCESS, "success-by-eps", "Success against the radius"),
            curve(ITERATIONS, "iterations-by-eps", "Iterations until the first success, against the radius"),
            curve(DROP, "drop-by-eps", "Fall of the true class's probability against the radius"),
            *(one for name in ("least", "random") for one in pictures(_strongest(arms, name))),
        ),
    )


def _strongest(arms: list[Arm], name: str) -> Arm:
    return [arm for arm in arms if arm.name.startswith(f"{name}-")][-1]


def _deviations(setup: Setup, *, given: bool) -> tuple[str, ...]:
    found = ["a given network" if given else "the labs' networks are not published; a small CNN instead"]
    if setup.data != "cifar10":
        found.append(f"data {setup.data} instead of cifar10")
    if setup.channels == 1:
        found.append("radii four times the labs', for grey images of strong contrast")
    return tuple(found)
