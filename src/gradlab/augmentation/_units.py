"""Numbers of the configurations, checked with one sentence each."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo


def within(low: float, high: float = math.inf, unit: str = "") -> BeforeValidator:
    """Check that a number lies in [low, high], and say field, range and unit if it does not."""
    limits = f"be at least {low:g}" if math.isinf(high) else f"lie in [{low:g}, {high:g}]"

    def check(value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, (int, float)) and not (low <= value <= high and math.isfinite(value)):
            raise ValueError(f"{info.field_name} must {limits}{unit and ' ' + unit}, got {value:g}.")
        return value

    return BeforeValidator(check)


Chance = Annotated[float, within(0, 1)]
"""Share of the images that are changed; an image that is not stays bit-equal."""
Share = Annotated[float, within(0, 1)]
"""A part of a whole, in [0, 1]."""


def ordered(names: str, low: float, high: float) -> None:
    """Refuse a range that ends before it begins."""
    if low > high:
        raise ValueError(f"{names} must be ordered, got {low:g} above {high:g}; swap them.")
