"""What is measured of disturbed maps: means over those images of a group whose maps both mark a place."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradlab.lab.judging.results import Results
from gradlab.lab.kinds import Axes, Measure
from gradlab.statistics import ratio_samples
from gradlab.types import UserError

GROUPS = ("fooled", "not fooled")
GROWN = 0.05
"""Share of the image by which a marked area must change to count as grown or shrunk."""
SHARES = ("maps that grow", "maps that shrink", "empty maps")
"""Shares of images, each of which counts as 0 or 1."""
Of = Callable[[Results], np.ndarray]
"""What each image of an arm has, (N,)."""


def _group(run: Results) -> np.ndarray:
    """Return 1 for each image of one arm's group, else 0."""
    if set(run.at) != {"change", "target", "group"} or run.at["group"] not in GROUPS:
        raise UserError(
            'an arm of Disturb is such as at={"change": "attack", "target": "predicted", "group": "fooled"}.'
        )
    fooled = _fooled(run)
    return fooled if run.at["group"] == "fooled" else 1 - fooled


def pairs(run: Results) -> np.ndarray:
    """Return 1 for each image of the group whose two maps both mark a place; records of before did not say so."""
    table = run.table("moved")
    return _group(run) * (1 - table["empty"].astype(np.float64)) if "empty" in table else _group(run)


def _column(name: str) -> Of:
    return lambda run: np.asarray(run.table("moved")[name], dtype=np.float64)


def _grows(sign: int) -> Of:
    return lambda run: (sign * _column("growth")(run) > GROWN).astype(np.float64)


def _measure(
    name: str, of: Of, range_: tuple[float, float] | None, *, among: Of = pairs, unit: str = "fraction"
) -> Measure:
    """Return a mean over those images of a group that count, as a ratio: their number varies with the samples."""

    def value(run: Results) -> float:
        counts = among(run)
        return float((of(run) * counts).sum() / counts.sum()) if counts.any() else float("nan")

    def samples(run: Results) -> Axes:
        counts = among(run)
        if not counts.any():
            return {}
        axis = run.axis("test", run.table("moved")["index"])
        return {axis: ratio_samples(of(run) * counts, counts).samples}

    counted = among if name in SHARES else None
    return Measure(name, unit, "neither", value, samples, range=range_, counted=counted)


def _fooled(run: Results) -> np.ndarray:
    return np.asarray(run.table("moved")["fooled"], dtype=np.float64)


MEASURES = (
    _measure("overlap of the maps", _column("overlap"), (0, 1)),
    _measure("rank correlation of the maps", _column("rank"), (-1, 1)),
    _measure("shift of the centre", _column("shift"), (0, 1)),
    _measure("growth of the area", _column("growth"), (-1, 1)),
    _measure(SHARES[0], _grows(1), (0, 1)),
    _measure(SHARES[1], _grows(-1), (0, 1)),
    _measure(SHARES[2], _column("empty"), (0, 1), among=_group),
    _measure("L2 change", _column("l2"), None, among=_group, unit=""),
    Measure(
        "predictions changed by the attack",
        "fraction",
        "neither",
        lambda run: float(_fooled(run).mean()),
        lambda run: {run.axis("test", run.table("moved")["index"]): _fooled(run)},
        range=(0, 1),
        exact=True,
    ),
)
"""All but the last are means over one group of images: ratios, their intervals linearised."""
