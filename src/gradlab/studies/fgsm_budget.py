"""How does the budget of an attack by the gradient's sign decide what it reaches?"""

from __future__ import annotations

from gradlab.attacks import FGSM, PGD, IterativeFGSM
from gradlab.lab.designing.design import Arm, Design
from gradlab.lab.designing.procedure import Procedure
from gradlab.studies._attack_shared import (
    DROP,
    ITERATIONS,
    ROBUST,
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
from gradlab.studies._fgsm_budget_claims import claims_of
from gradlab.studies.setup import Network, Setup
from gradlab.types import Count, PixelEps

BACKGROUND = (
    "FGSM changes every pixel by eps, in the direction in which the network's loss rises. Two labs ask how its success depends "
    "on the budget. Lab 004 takes one step of six sizes. Lab 003 takes up to ten steps of one size without a limit, so that its "
    "real budget is ten times the size that it names; here that radius is said. Success is over the images that were classified "
    "correctly, so that its ceiling is 100 %."
)
LEVELS = {"one step": (0.5, 2.6, 5.1, 10.3, 15.4), "ten steps": (0.25, 0.5, 1, 2)}
"""In 255ths of the pixel range: lab 004's 0.01 to 0.3 at a standard deviation of 0.2, lab 003's 0.5/255 to 4/255 in [-1, 1]."""
STEPS = 10


def fgsm_budget(
    setup: Setup,
    *,
    eps: tuple[PixelEps, ...] | None = None,
    images: Count | None = None,
    model: Network | None = None,
) -> Design:
    """How does the budget of an attack by the gradient's sign decide what it reaches?

    Args:
        setup: preset and data.
        eps: sizes of the one step, ascending, at least two; lab 004's by default, four times as large for grey images.
        images: test images that are attacked; by default 150 in the preset quick, else all of small and 500 of larger data.
        model: a network of your own instead of a trained CNN.
    """
    net, count, times = net_of(setup, model), image_count(setup, images), 4 if setup.channels == 1 else 1
    single = tuple(eps or (times * level / 255 for level in LEVELS["one step"]))
    steps = tuple(times * level / 255 for level in LEVELS["ten steps"])
    arms = _arms(net, setup, single, steps, count)
    return Design(
        study="fgsm-budget",
        title="The budget of FGSM",
        question="How does the budget of an attack by the gradient's sign decide what it reaches?",
        background=BACKGROUND,
        setting="003 and 004",
        setting_text=f"{'Small CNN' if model is None else 'A given network'} on {setup.data}; one step of "
        f"{', '.join(map(in_levels, single))}; ten steps of {', '.join(map(in_levels, steps))} each.",
        corrections=(
            "six paired seeds instead of one run",
            "images clipped to [0, 1] (both labs: not at all)",
            "success over the images that were classified correctly (lab 003: over all)",
            "the prediction is that on the final image (lab 003: that before the last step)",
        ),
        deviations=_deviations(setup, model, times, eps),
        parameters={
            "eps": list(single),
            "images": count,
            "model": None if model is None else model.kind,
        },
        arms=arms,
        claims=claims_of(single, steps),
        tables=(accuracy_table(), cost_table()),
        figures=(
            curve(ROBUST),
            curve(SUCCESS, "success-by-eps", "Success against the radius"),
            curve(ITERATIONS, "iterations-by-eps", "Iterations until the first success, against the radius"),
            curve(DROP, "drop-by-eps", "Fall of the true class's probability against the radius"),
            *pictures(next(arm for arm in arms if arm.name == f"fgsm-{single[1] * 255:.3g}")),
        ),
    )


def _arms(
    net: Procedure, setup: Setup, single: tuple[float, ...], steps: tuple[float, ...], count: int | None
) -> tuple[Arm, ...]:
    """Return one arm a radius: one step, PGD at the same radii, and ten steps, whose radius is ten of them."""
    radii, wide = (0.0, *single), tuple(STEPS * one for one in steps)
    made = [attack_arm("fgsm", "FGSM, one step", net, setup.data, FGSM(), radii, at, count) for at in radii]
    strong = PGD(steps=STEPS, stop_at_success=False)  # as one step does, it goes as far as the radius lets it
    made += [attack_arm("pgd", "PGD", net, setup.data, strong, radii, at, count) for at in radii]
    for step, radius in zip(steps, wide, strict=True):
        by = IterativeFGSM(steps=STEPS, step_size=step, stop_at_success=True)
        made.append(attack_arm("iterated", "FGSM, ten steps", net, setup.data, by, (radius,), radius, count))
    return tuple(made)


def _deviations(
    setup: Setup, model: Procedure | None, times: int, eps: tuple[float, ...] | None
) -> tuple[str, ...]:
    found = [
        "the labs' networks are not published; a small CNN instead" if model is None else "a given network"
    ]
    if setup.data != "cifar10":
        found.append(f"data {setup.data} instead of cifar10")
    if times > 1 or eps:
        found.append("other radii")
    return tuple(found)
