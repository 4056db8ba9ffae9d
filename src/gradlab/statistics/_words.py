"""Numbers and units in words, for the sentences of verdicts and plans."""

from __future__ import annotations

import math


def decimals(width: float) -> int:
    """Return how many decimals show three digits of a `width`, in [0, 6]."""
    if not 0 < width < math.inf:
        return 4
    return min(6, max(0, 2 - math.floor(math.log10(width))))


def interval_text(low: float, high: float) -> str:
    """Return "[low, high]" with three digits of its width.

    >>> interval_text(0.0512, 0.0698)
    '[0.0512, 0.0698]'
    """
    digits = decimals(high - low)
    return f"[{low:.{digits}f}, {high:.{digits}f}]"


def percent(level: float) -> str:
    """Return a level in percent.

    >>> percent(0.96), percent(1 - 0.04 / 8)
    ('96 %', '99.5 %')
    """
    return f"{100 * level:.4g} %"


def with_unit(value: float, unit: str) -> str:
    """Return a number with its unit; a fraction needs none.

    >>> with_unit(0.01, "fraction"), with_unit(2, "epochs")
    ('0.01', '2 epochs')
    """
    return f"{value:.6g}" if unit in ("", "fraction") else f"{value:.6g} {unit}"
