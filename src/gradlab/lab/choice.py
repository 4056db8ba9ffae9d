"""What tuning chooses: in every seed the run with the lowest validation loss among several arms."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

from gradlab.lab.design import Chosen, Claim, Design
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
    """Return the validation loss of the weights that a run keeps; infinite where there is none."""
    losses, best = run.epochs.get("validation_loss", np.empty(0)), int(run.facts["best_epoch"])
    kept = float(losses[best - 1]) if 0 < best <= len(losses) else math.inf
    return kept if math.isfinite(kept) else math.inf


def edge_flags(claim: Claim, design: Design, runs: Mapping[str, Sequence[Results]]) -> list[str]:
    """Say where a choice that a claim speaks of fell on the first or last of what there was: a wider range may be better."""
    compared = {arm for part in claim.parts for arm in part.contrast.weights}
    found = []
    for choice in design.chosen:
        if choice.name in compared and len(choice.among) > 2:
            made = choices(choice, runs)
            edge = sum(arm in (choice.among[0], choice.among[-1]) for arm in made)
            if edge:
                found.append(
                    f"{edge} of {len(made)} seeds of {choice.label} took the first or last of what they could try"
                )
    return found


def tell(choice: Chosen, runs: Mapping[str, Sequence[Results]], labels: Mapping[str, str]) -> str:
    """Say what was chosen, without the words that all have in common, such as "0.001 (4 of 6), 0.003 (2 of 6)"."""
    counts = Counter(choices(choice, runs))
    total = sum(counts.values())
    first, last = (
        of([labels[arm] for arm in choice.among]) for of in (min, max)
    )  # all have what these two share
    same = next((place for place, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), 0)
    shared = first[:same].rfind(" ") + 1
    return ", ".join(f"{labels[arm][shared:]} ({count} of {total})" for arm, count in counts.most_common())
