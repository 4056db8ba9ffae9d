"""One value per seed with what every sample contributes to it, along each independent sample axis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from gradlab.statistics._checks import Floats, finite_values
from gradlab.types import UserError

SAME = 1e-9


@dataclass(frozen=True, eq=False)
class Sampled:
    """Values of one arm: one per seed, and along every independent sample axis what each sample contributes.

    The mean of a seed's contributions is its value (correctness per image, placements of an AUROC), or they are
    linearised: their variance over the samples, divided by the number of samples, is that of the value
    (`ratio_samples`, `jackknife`). An axis is named by its data and rows, e.g. "mnist test, all 10,000": arms that
    share a name share the samples, one by one, and are compared on them in pairs.

    Attributes:
        values: (n,), one per seed.
        axes: name -> (n, N_k); empty where nothing is known of the samples.
        range: least and greatest value that one seed can have, e.g. (0, 1); None where there is no such bound.
        binary: whether every contribution is 0 or 1 (correctness), so that its distribution is known but for
            its mean: the interval then allows for samples that the data do not show.

    Raises:
        UserError: shapes that do not fit, values that are not finite or outside the range, binary ones not 0 or 1.
    """

    values: Floats
    axes: Mapping[str, Floats] = field(default_factory=dict)
    range: tuple[float, float] | None = None
    binary: bool = False

    def __post_init__(self) -> None:
        values = finite_values(self.values, "values")
        if values.ndim != 1:
            raise UserError(f"values must hold one number per seed, (seeds,), got shape {values.shape}.")
        axes = {name: _contributions(name, axis, values.size) for name, axis in self.axes.items()}
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "axes", axes)
        if self.binary:
            _check_binary(values, axes)
            object.__setattr__(self, "range", (0.0, 1.0) if self.range is None else self.range)
        if self.range is not None:
            object.__setattr__(self, "range", _checked_range(self.range, values))


def correctness(correct: Floats, axis: str = "test samples") -> Sampled:
    """Return the accuracy of every seed from 0/1 correctness.

    Args:
        correct: (n, N), per seed and test sample, 0 or 1 (or false and true).
        axis: name of the samples: their data and rows.

    Raises:
        UserError: another shape, or anything but 0 and 1.
    """
    values = finite_values(correct, "correct")
    if values.ndim != 2:
        raise UserError(f"correct must have shape (seeds, test samples), got {values.shape}.")
    return Sampled(values.mean(axis=1), {axis: values}, binary=True)


def _contributions(name: str, axis: Floats, seeds: int) -> Floats:
    values = finite_values(axis, f"axis {name!r}")
    if values.ndim != 2 or values.shape[0] != seeds:
        raise UserError(
            f"axis {name!r} must have shape (seeds, samples) with {seeds} seeds as the values, got {values.shape}; "
            "give one row per seed, what each sample contributes to its value."
        )
    return values


def _check_binary(values: Floats, axes: Mapping[str, Floats]) -> None:
    for name, axis in axes.items():
        if not np.isin(axis, (0, 1)).all():
            raise UserError(
                f"axis {name!r} is said to be binary but holds other values than 0 and 1; leave binary out."
            )
        if np.abs(axis.mean(axis=1) - values).max() > SAME:
            raise UserError(f"the values are not the means of the binary axis {name!r}; leave binary out.")


def _checked_range(range_: tuple[float, float], values: Floats) -> tuple[float, float]:
    low, high = (float(end) for end in range_)
    if not (np.isfinite([low, high]).all() and low < high):
        raise UserError(f"range must be two finite numbers, the smaller first, got ({low:g}, {high:g}).")
    slack = SAME * (high - low)
    if values.min() < low - slack or values.max() > high + slack:
        raise UserError(
            f"values lie from {values.min():g} to {values.max():g}, outside the measure's range "
            f"({low:g}, {high:g}); give the range that they can have, or None."
        )
    return low, high
