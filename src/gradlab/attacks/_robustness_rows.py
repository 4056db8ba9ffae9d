"""The rows of the table of `robustness`: numbers with their intervals, and how they are said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gradlab.attacks.numbers import NUMBERS, Columns, Number
from gradlab.statistics import Sampled, interval, wilson


def row_of(attack: str, eps: float | None, columns: Columns) -> dict[str, Any]:
    """Return an attack's numbers, each with the ends of its 95 % interval."""
    row: dict[str, Any] = {"attack": attack, "eps": eps}
    for number in NUMBERS:
        value = number.value(columns)
        low, high = _ends(number, columns) if np.isfinite(value) else (np.nan, np.nan)
        row |= {number.name: value, f"{number.name} low": low, f"{number.name} high": high}
    return row


def _ends(number: Number, columns: Columns) -> tuple[float, float]:
    """Return the 95 % interval over the images: of a share Wilson's, of another mean over some of them the linearised one."""
    if number.over is None:
        counts = number.counts(columns)
        share = wilson(int(counts.sum()), len(counts))
        return share.low, share.high
    if number.name == "attack success":  # 0 or 1 for each image that counts
        values, weights = number.parts(columns)
        share = wilson(int(values.sum()), int(weights.sum()))
        return share.low, share.high
    samples = number.samples(columns)
    found = interval(Sampled(samples.mean(keepdims=True), {"images": samples[None]}), given=True)
    low, high = number.range or (-np.inf, np.inf)
    return max(low, found.low), min(high, found.high)


def rows_of(table: Any) -> list[dict[str, Any]]:
    """Return the rows of a data frame."""
    return [dict(zip(table.columns, row, strict=True)) for row in table.itertuples(index=False, name=None)]


def shown(number: Number, row: Mapping[str, Any]) -> str:
    """Say a number of a row in words."""
    value, low, high = (row[f"{number.name}{end}"] for end in ("", " low", " high"))
    if not np.isfinite(value):
        return "–"
    if number.unit != "fraction":
        return f"{value:.1f}" if number.unit else f"{value:.3g}"
    if number.range is None or number.range[0] < 0:  # a difference of shares
        return f"{value:.1%}"
    return f"{value:.1%} ({low:.1%} to {high:.1%})"


def told(eps: float | None) -> str:
    """Say a radius, in grey levels where it is a whole number of them."""
    if eps is None:
        return "–"
    levels = eps * 255
    return f"{round(levels)}/255" if eps < 1 and abs(levels - round(levels)) < 1e-6 else f"{eps:g}"
