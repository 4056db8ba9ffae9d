"""A value of a figure in words: as its axis writes it, with its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from gradlab.report.numbers import MISSING, bracket, is_number, number, percent


def write_value(axis: Mapping[str, Any], value: Any) -> str:
    """Write a value along an axis: per cent, a power of ten on a log axis, else the number.

    >>> write_value({"percent": True}, 0.5), write_value({"scale": "log"}, 1e-5), write_value({}, None)
    ('50.0%', '10^-5.0', '–')
    """
    if not is_number(value):
        return MISSING if value is None or isinstance(value, float) else str(value)
    if axis.get("percent"):
        return percent(value)
    if axis.get("scale") == "log" and value > 0 and not 0.01 <= value < 10000:
        return f"10^{number(math.log10(value), 1)}"
    return number(float(value))


def with_bounds(
    series: Mapping[str, Any],
    i: int,
    axis: Mapping[str, Any],
    keys: tuple[str, str, str] = ("y", "low", "high"),
) -> str:
    """Write the i-th value of a series and its interval where it has one."""
    low, high = ((series.get(end) or [None] * (i + 1))[i] for end in keys[1:])
    bounds = bracket(low, high, lambda v: write_value(axis, v))
    return write_value(axis, series[keys[0]][i]) + ("" if bounds == MISSING else f" {bounds}")


def write_key(axis: Mapping[str, Any], x: Any) -> str:
    """Write a position on x: a whole number without decimals, a share in per cent, a name as it is."""
    if is_number(x):
        return percent(x) if axis.get("percent") else number(x)
    return str(x)
