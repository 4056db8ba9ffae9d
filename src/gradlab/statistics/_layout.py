"""Whatever is judged, in one form: a difference per seed and its contributions along each sample axis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gradlab.statistics._checks import Floats, finite_values
from gradlab.statistics._samples import Pair, guessed_range
from gradlab.statistics.differences import Differences
from gradlab.statistics.sampled import Sampled

_SAME = 1e-9


@dataclass(frozen=True)
class Layout:
    """`values` (n,), `axes` name -> (n, N_k), `ranges` of the contributions of binary axes, `estimate` their mean."""

    values: Floats
    axes: Mapping[str, Floats]
    ranges: Mapping[str, Pair]
    estimate: float


def lay_out(d: ArrayLike | Sampled | Differences) -> Layout:
    """Bring d into one form; plain numbers (n, N) are one axis without a name, their range guessed.

    The values of a single axis whose means they are, but for rounding, are taken from that axis, so that they do
    not depend on whether a caller averaged before or after the arms were subtracted.
    """
    if isinstance(d, Differences):
        return _of_axes(d.values, d.axes, d.ranges)
    if isinstance(d, Sampled):
        ranges = dict.fromkeys(d.axes, d.range) if d.binary and d.range is not None else {}
        return _of_axes(d.values, d.axes, ranges)
    values = finite_values(d, "d")
    if values.ndim == 1:
        return Layout(values, {}, {}, float(values.mean()))
    range_ = guessed_range(values)
    return Layout(
        values.mean(axis=1), {"": values}, {} if range_ is None else {"": range_}, float(values.mean())
    )


def _of_axes(values: Floats, axes: Mapping[str, Floats], ranges: Mapping[str, Pair]) -> Layout:
    if len(axes) == 1:
        (axis,) = axes.values()
        means = axis.mean(axis=1)
        if np.abs(means - values).max() <= _SAME * max(1.0, float(np.abs(axis).max())):
            return Layout(means, axes, ranges, float(axis.mean()))
    return Layout(values, axes, ranges, float(values.mean()))


def without_seeds(layout: Layout) -> Layout:
    """Return the layout of one given network: repeated draws of an attack are averaged."""
    axes = {name: axis.mean(axis=0, keepdims=True) for name, axis in layout.axes.items()}
    return Layout(layout.values.mean(keepdims=True), axes, layout.ranges, layout.estimate)
