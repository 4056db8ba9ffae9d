"""Arms that were measured on different rows of the same test samples, compared on the rows that they share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from gradlab.statistics._checks import Floats
from gradlab.statistics.sampled import Sampled


class SampleAxis(str):
    """Name of a sample axis that also knows which `rows` of `whole` its samples are; None for all of them."""

    whole: str
    rows: np.ndarray | None

    def __new__(cls, name: str, whole: str = "", rows: np.ndarray | None = None) -> SampleAxis:
        """Make a name; it is equal to the plain text."""
        made = super().__new__(cls, name)
        made.whole, made.rows = whole, rows
        return made


def on_shared_rows(arms: Mapping[str, Sampled]) -> dict[str, Sampled]:
    """Return arms that are paired sample by sample, also where one has only some of the other's.

    Arms with axes of different rows of the same samples get one axis of all rows that any has. A row that an arm lacks
    adds nothing to its value, and the others N/N_a times as much, so that value and variance stay: the mean over part of
    a sample as a ratio, linearised (Cochran, 1977, section 2.13). Where no two arms share a row, nothing changes.
    """
    found = dict(arms)
    for whole in dict.fromkeys(axis.whole for one in arms.values() for axis in _known(one)):
        rows = {
            str(axis): np.arange(one.axes[axis].shape[1]) if axis.rows is None else axis.rows
            for one in arms.values()
            for axis in _known(one)
            if axis.whole == whole
        }
        of_arms = [sum(axis in rows for axis in one.axes) for one in arms.values()]
        if (
            len(rows) < 2
            or max(of_arms) > 1
            or any(len(np.unique(each)) < len(each) for each in rows.values())
        ):
            continue
        every = np.unique(np.concatenate(list(rows.values())))
        if len(every) < sum(map(len, rows.values())):
            name = f"{whole}, {len(every)} rows"
            found = {arm: _widened(one, rows, every, name) for arm, one in found.items()}
    return found


def _known(one: Sampled) -> list[SampleAxis]:
    return [axis for axis in one.axes if isinstance(axis, SampleAxis)]


def _widened(one: Sampled, rows: Mapping[str, np.ndarray], every: np.ndarray, name: str) -> Sampled:
    axes = {
        name if axis in rows else axis: _on_all(values, rows[axis], every) if axis in rows else values
        for axis, values in one.axes.items()
    }
    keeps = all(len(rows[axis]) == len(every) for axis in one.axes if axis in rows)
    return replace(one, axes=axes, binary=one.binary and keeps)


def _on_all(values: Floats, rows: np.ndarray, every: np.ndarray) -> Floats:
    if len(rows) == len(every):
        return values[:, np.argsort(rows)]
    mean = values.mean(axis=1, keepdims=True)
    wide = np.repeat(mean, len(every), axis=1)
    wide[:, np.searchsorted(every, rows)] += (values - mean) * (len(every) / len(rows))
    return wide
