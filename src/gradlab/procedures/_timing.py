"""Seconds that a training would take, from a few timed steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gradlab.procedures.train import Train, build_network
from gradlab.training.timing import time_steps

if TYPE_CHECKING:
    from gradlab.lab.running.desk import Desk, Job


def block_seconds(procedure: Train, jobs: Sequence[Job], desk: Desk) -> float:
    """Seconds that a block of seeds would train and validate."""
    data: Any = desk.data(procedure.data)
    seeds = [job.seed or 0 for job in jobs]
    return time_steps(
        [build_network(procedure, data, desk, seed) for seed in seeds],
        data,
        procedure.recipe,
        seeds=seeds,
        device=desk.device,
        precision=procedure.recipe.precision or desk.precision,  # type: ignore[arg-type]
        objective=procedure.objective,
        train_images=procedure.train_images,
    )
