"""Nets and recipes of the study of activations, and the arm of each."""

from __future__ import annotations

from typing import Any

from gradlab.lab.designing.design import Arm
from gradlab.models.mlp import MLP, Activation, Init
from gradlab.procedures.train import Train
from gradlab.studies._activations_claims import SATURATING
from gradlab.studies._shared import PROBE_STEPS, other_data, other_recipe
from gradlab.studies.setup import Setup
from gradlab.training.recipe import Recipe
from gradlab.training.stopping import Patience

NETS = {2: (256, 128), 5: (256, 128, 64, 32, 16), 10: (256, 256, 128, 128, 64, 64, 32, 32, 16, 16)}
"""Hidden widths of lab 002 by their number."""
PUBLISHED = Recipe(
    learning_rate=1e-3, batch_size=64, epochs=50, stopping=Patience(patience=10, min_delta=1e-3)
)
PRESETS: dict[str, dict[str, Any]] = {
    "quick": {"epochs": 3, "batch_size": 128, "stopping": None},
    "standard": {"epochs": 8, "batch_size": 128, "stopping": None},
    "full": {},
}
JUDGED = (
    "test accuracy and gradients judged, where the lab shows the training loss and varies batch and patience"
)
SMALL: dict[str, Any] = {"epochs": 40, "batch_size": 32, "stopping": None}
SMALL_QUICK = SMALL | {"epochs": 15}
THREE: tuple[Activation, ...] = ("sigmoid", "tanh", "relu")
ALL: tuple[Activation, ...] = (*THREE, "leaky-relu", "gelu")


def arm_of(setup: Setup, kind: Activation, depth: int, init: str, recipe: Recipe) -> Arm:
    """Return the arm of an activation; `init` is "default", or "matched": the initialisation made for it."""
    made: Init = "default" if init == "default" else "xavier" if kind in SATURATING else "he"
    words = "" if made == "default" else f", {made.capitalize()} initialisation"
    return Arm(
        name=f"{kind}-{depth}" + ("" if made == "default" else f"-{made}"),
        label=f"{kind}, {depth} layers{words}",
        factors={"activation": kind, "depth": depth, "init": f"{init} initialisation"},
        procedure=Train(
            data=setup.data,
            model=MLP(widths=NETS[depth], activation=kind, init=made),
            recipe=recipe,
            probe_steps=PROBE_STEPS,
        ),
    )


def deviations_of(
    setup: Setup, recipe: Recipe, depths: tuple[int, ...], kinds: tuple[str, ...]
) -> tuple[str, ...]:
    """Name everything in which a run is not the published one."""
    found = [*other_data(setup), *other_recipe(recipe, PUBLISHED), JUDGED]
    if recipe.stopping != PUBLISHED.stopping:
        found.append("no early stopping instead of patience 10")
    if 10 not in depths:
        found.append(f"{max(depths)} hidden layers instead of 10")
    missing = [kind for kind in ("sigmoid", "tanh", "relu") if kind not in kinds]
    return (*found, *(f"without {kind}" for kind in missing))
