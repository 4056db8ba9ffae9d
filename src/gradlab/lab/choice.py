"""What tuning chooses: in every seed the run with the lowest validation loss among several arms."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

from gradlab.lab.design import Chosen, Design
from gradlab.lab.measures import Results

RunT = TypeVar("RunT", bound=Results)


def chosen_runs(design: Design, runs: Mapping[str, Sequence[RunT]]) -> dict[str, list[RunT]]:
    """Return the runs of every choice, seed by seed; no test image has a say."""
    return {
        choice.name: [runs[arm][position] for position, arm in enumerate(choices(choice, runs))]
        for choice in design.chosen
    }


def choices(choice: Chosen, runs: Mapping[str, Sequence[Results]]) -> list[str]:
    """Name the arm that each seed chooses; of equal ones the first."""
    seeds = range(len(runs[choice.among[0]]))
    return [min(choice.among, key=lambda arm: validation_loss(runs[arm][position])) for position in seeds]


def validation_loss(run: Results) -> float:
    """Return the lowest validation loss of a run, that of the weights it keeps; infinite where there is none."""
    losses = run.epochs.get("validation_loss", np.empty(0))
    finite = losses[np.isfinite(losses)]
    return float(finite.min()) if len(finite) else math.inf


def tell(choice: Chosen, runs: Mapping[str, Sequence[Results]], labels: Mapping[str, str]) -> str:
    """Say what was chosen, such as "Adam 0.001 (4 of 6), Adam 0.003 (2 of 6)"."""
    counts = Counter(choices(choice, runs))
    total = sum(counts.values())
    return ", ".join(f"{labels[arm]} ({count} of {total})" for arm, count in counts.most_common())
