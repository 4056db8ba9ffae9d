"""What a contrast makes of sampled arms: a difference per seed, and what every sample contributes to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gradlab.statistics._checks import Floats
from gradlab.statistics.contrast import Contrast
from gradlab.statistics.sampled import Sampled
from gradlab.types import UserError

Range = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Differences:
    """d of a contrast, per seed and per sample of every axis.

    Attributes:
        values: (n,), one paired difference per seed.
        axes: name -> (n, N_k), what each sample contributes; arms that share an axis are paired on it, the
            others enter with their value, the same for all of its samples.
        ranges: axis -> least and greatest contribution that can come, where every arm is binary; else empty.
        contrast: what was compared.
        arms: arm -> its values and axes.
    """

    values: Floats
    axes: Mapping[str, Floats]
    ranges: Mapping[str, Range]
    contrast: Contrast
    arms: Mapping[str, Sampled]

    @property
    def range(self) -> Range | None:
        """Least and greatest d that can come, from the ranges of the arms; None where an arm has none."""
        return possible_range(self.contrast, {name: arm.range for name, arm in self.arms.items()})


def differences(contrast: Contrast, arms: Mapping[str, Sampled]) -> Differences:
    """Return d of the contrast over `arms`, which are those of its weights, with equally many seeds.

    Raises:
        UserError: arms that name the same axis but differ in samples, or a ratio of a value that is not positive.
    """
    if contrast.log:
        arms = {name: _logged(name, arm) for name, arm in arms.items()}
    names = dict.fromkeys(axis for arm in arms.values() for axis in arm.axes)
    weights, constant = contrast.weights, contrast.constant
    values = np.sum([weights[name] * arm.values for name, arm in arms.items()], axis=0) + constant
    axes = {axis: _along(axis, contrast, arms) for axis in names}
    binary = all(arm.binary for arm in arms.values())
    ranges = {axis: _range_along(axis, contrast, arms) for axis in names} if binary else {}
    return Differences(values, axes, ranges, contrast, arms)


def possible_range(contrast: Contrast, ranges: Mapping[str, Range | None]) -> Range | None:
    """Return the range of sum of weight times value, plus the constant; None where an arm's is not known."""
    low = high = contrast.constant
    for name, weight in contrast.weights.items():
        one = ranges[name]
        if one is None:
            return None
        ends = sorted(weight * end for end in one)
        low, high = low + ends[0], high + ends[1]
    return low, high


def _along(axis: str, contrast: Contrast, arms: Mapping[str, Sampled]) -> Floats:
    """Contributions to d on one axis (n, N); an arm without it adds its value to each."""
    sizes = {name: arm.axes[axis].shape[1] for name, arm in arms.items() if axis in arm.axes}
    if len(set(sizes.values())) > 1:
        raise UserError(
            f"arms are paired on the samples of {axis!r}, so all need the same number of them, got {sizes}; "
            "name an axis by its data and rows, another name for other samples."
        )
    (samples,) = set(sizes.values())
    terms = [
        contrast.weights[name]
        * (arm.axes[axis] if axis in arm.axes else np.repeat(arm.values[:, None], samples, axis=1))
        for name, arm in arms.items()
    ]
    return np.asarray(np.sum(terms, axis=0) + contrast.constant, dtype=np.float64)


def _range_along(axis: str, contrast: Contrast, arms: Mapping[str, Sampled]) -> Range:
    """Range of the contributions on one axis: arms without it stay at their mean value."""
    ranges = {
        name: arm.range if axis in arm.axes else (float(arm.values.mean()), float(arm.values.mean()))
        for name, arm in arms.items()
    }
    found = possible_range(contrast, ranges)
    assert found is not None  # binary arms have a range
    return found


def _logged(name: str, arm: Sampled) -> Sampled:
    """The logarithm of an arm's values, its contributions linearised there."""
    if (arm.values <= 0).any():
        raise UserError(
            f"a ratio needs positive values, got {arm.values.min():g} in {name!r}; use a difference instead."
        )
    values, scale = np.log(arm.values)[:, None], arm.values[:, None]
    axes = {
        axis: values + (each - each.mean(axis=1, keepdims=True)) / scale for axis, each in arm.axes.items()
    }
    return Sampled(values[:, 0], axes)
