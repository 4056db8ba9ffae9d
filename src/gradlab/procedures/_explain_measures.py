"""What is measured of explanations: means over the images of one method."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradlab.lab.judging.results import Results
from gradlab.lab.kinds import Axes, Measure
from gradlab.statistics import ratio_samples
from gradlab.types import UserError


def column_of(run: Results, name: str) -> np.ndarray:
    """Return a column of the maps of one arm, which is one method."""
    if "method" not in run.at:
        raise UserError('an arm of Explain is one method, such as at={"method": "grad-cam"}.')
    table = run.table("maps")
    return np.asarray(table[name], dtype=np.float64)


def _measure(
    name: str,
    column: str,
    better: Any,
    range_: tuple[float, float],
    *,
    exact: bool = False,
    needs: str | None = None,
    among: str | None = None,
) -> Measure:
    """Return the mean of a column, of those images alone for which the column `among` is not 0, if it is there."""

    def counts(run: Results) -> np.ndarray:
        table = run.table("maps")
        if column not in table or not (needs is None or run.facts.get(needs, needs == "faithfulness")):
            return np.zeros(0)
        return column_of(run, among) if among is not None and among in table else np.ones(len(table[column]))

    def value(run: Results) -> float:
        count = counts(run)
        return float((column_of(run, column) * count).sum() / count.sum()) if count.any() else float("nan")

    def samples(run: Results) -> Axes:
        count = counts(run)
        if not count.any():
            return {}
        values = column_of(run, column)
        found = values if count.all() else ratio_samples(values * count, count).samples
        return {run.axis("test", run.table("maps")["index"]): found}

    return Measure(name, "fraction", better, value, samples, range=range_, exact=exact)


MEASURES = (
    _measure("insertion minus deletion", "gap", "higher", (-1, 1), needs="faithfulness"),
    _measure("deletion", "deletion", "lower", (0, 1), needs="faithfulness"),
    _measure("insertion", "insertion", "higher", (0, 1), needs="faithfulness"),
    _measure("ROAD", "road", "higher", (-0.5, 0.5), needs="faithfulness"),
    _measure("average drop", "drop", "lower", (0, 1), needs="faithfulness"),
    _measure("increase", "rose", "higher", (0, 1), exact=True, needs="faithfulness"),
    _measure("pointing", "pointing", "higher", (0, 1), exact=True, needs="masks"),
    _measure("share in its own cell", "own_cell", "higher", (0, 1), needs="mosaic", among="in_mosaic"),
    _measure("similarity with random weights", "similarity", "neither", (-1, 1), among="compared"),
    _measure("empty maps", "empty", "neither", (0, 1), exact=True),
    _measure("empty maps with random weights", "empty_random", "neither", (0, 1)),
    _measure("area of the map", "area", "neither", (0, 1)),
)
