"""Do temperature and input perturbation help a network to notice foreign images?"""

from __future__ import annotations

from gradlab.detection import ODIN, MaxSoftmax, Tuned, names_of
from gradlab.lab.designing.design import OWN, Arm, Design
from gradlab.lab.designing.shown import Figure
from gradlab.procedures.score import Score
from gradlab.studies._foreign import foreign, in_distribution, tuned_on, tuning_words
from gradlab.studies._nets import shared_net
from gradlab.studies._odin_claims import TUNED, claims_of
from gradlab.studies._ood_shown import detection_table
from gradlab.studies.setup import Network, Setup
from gradlab.types import Count, PixelEps, PositiveFloat

BACKGROUND = (
    "ODIN divides the logits by a temperature before the softmax, and first moves every image a small step eps in the direction "
    "in which the network becomes more confident; familiar images are said to gain more by it than foreign ones. Both "
    "numbers have to be chosen. Here every pair is an arm, and one arm chooses on validation images, in-distribution ones and "
    "foreign ones of another source."
)
TEMPERATURES, STEPS = (1.0, 10.0, 100.0), (0.0, 0.001, 0.002, 0.004)
"""Of lab 004's grid; its 50 lies between 10 and 100, where nothing moves."""


def odin(
    setup: Setup,
    *,
    temperatures: tuple[PositiveFloat, ...] = TEMPERATURES,
    steps: tuple[PixelEps, ...] = STEPS,
    epochs: Count | None = None,
    images: Count = 1_000,
    model: Network | None = None,
) -> Design:
    """Do temperature and input perturbation help a network to notice foreign images?

    Args:
        setup: preset and data.
        temperatures: by which logits are divided, ascending, the first the plain softmax.
        steps: eps of the perturbation on the [0, 1] pixel scale, ascending from 0.
        epochs: of training; the data's own by default.
        images: test images of each set, at most.
        model: a network of your own instead of a trained CNN; the whole data are then in-distribution.
    """
    inside = in_distribution(setup) if model is None else setup.data
    sets = {name: told for name, told in foreign(setup).items() if not name.startswith(f"{inside}[")}
    net = shared_net(setup, inside, epochs=epochs) if model is None else model
    grid = tuple(
        ODIN(temperature=t, eps=e) for t in temperatures for e in (steps if steps[0] == 0 else (0.0, *steps))
    )
    score = Score(
        net=net,
        data=inside,
        out=tuple(sets),
        detectors=(MaxSoftmax(), *grid, Tuned(among=grid)),
        tune_on=tuned_on(setup),
        images=images,
    )
    arms = _arms(score, grid, sets)
    near = next(iter(sets.values()))
    return Design(
        study="odin",
        title="ODIN: temperature and perturbation",
        question="Do temperature and input perturbation help a network to notice foreign images?",
        background=BACKGROUND,
        setting=OWN,
        setting_text=f"In-distribution: {inside}; T in {', '.join(f'{t:g}' for t in temperatures)}; "
        f"at most {images:,} images a set; {tuning_words(setup)}.",
        deviations=(),
        parameters={
            "temperatures": list(temperatures),
            "steps": list(steps),
            "epochs": epochs,
            "images": images,
            "model": None if model is None else model.kind,
        },
        arms=arms,
        claims=claims_of(max(temperatures), tuple(one for one in steps if one), list(sets.values())),
        tables=(detection_table(arms),),
        figures=_figures(near),
    )


def _arms(score: Score, grid: tuple[ODIN, ...], sets: dict[str, str]) -> tuple[Arm, ...]:
    names = names_of(score.detectors)
    values = {name: (one.temperature, one.eps) for name, one in zip(names[1:-1], grid, strict=True)}
    return tuple(
        Arm(
            name=f"{_short(name, values)} {told}",
            label=f"{_said(name, values)}, {told}",
            factors={
                "detector": "tuned" if name == TUNED else "grid" if name in values else "max softmax",
                "set": told,
                **_setting(name, values),
            },
            procedure=score,
            at={"detector": name, "set": place},
        )
        for name in names
        for place, told in sets.items()
    )


def _setting(name: str, values: dict[str, tuple[float, float]]) -> dict[str, float]:
    """Return temperature and step of an arm; what is tuned has its own for every seed."""
    if name == TUNED:
        return {}
    return dict(zip(("temperature", "eps"), values.get(name, (1.0, 0.0)), strict=True))


def _short(name: str, values: dict[str, tuple[float, float]]) -> str:
    return f"T-{values[name][0]:g} eps-{values[name][1]:g}" if name in values else name


def _said(name: str, values: dict[str, tuple[float, float]]) -> str:
    return f"T {values[name][0]:g}, eps {values[name][1]:g}" if name in values else name.replace("-", " ")


def _figures(near: str) -> tuple[Figure, ...]:
    curve = Figure(
        name="eps",
        title="AUROC over the step on the image",
        caption="Each dot is one seed; the line is the mean with its 95 % interval.",
        x="eps",
        y="AUROC",
        by="temperature",
        panel="set",
        where={"detector": "grid"},
    )
    heat = Figure(
        name="auroc",
        title="AUROC of every temperature and step",
        caption=f"On {near}, mean over the seeds; 50 % is guessing.",
        mark="heat",
        x="eps",
        y="temperature",
        value="AUROC",
        where={"detector": "grid", "set": near},
    )
    return (curve, heat)
