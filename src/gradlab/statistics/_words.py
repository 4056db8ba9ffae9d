"""Numbers and units in words, for the sentences of verdicts and plans."""

from __future__ import annotations

import math

_FOLDS = {1.0: "tenfold", 2.0: "a hundredfold", 3.0: "a thousandfold"}


def decimals(width: float) -> int:
    """Return how many decimals show three digits of a `width`, in [0, 6]."""
    if not 0 < width < math.inf:
        return 4
    return min(6, max(0, 2 - math.floor(math.log10(width))))


def interval_text(low: float, high: float, unit: str = "") -> str:
    """Return "[low, high]" with three digits of its width; a fraction is written in percentage points.

    >>> interval_text(0.0512, 0.0698)
    '[0.0512, 0.0698]'
    >>> interval_text(0.0512, 0.0698, "fraction")
    '[5.12, 6.98] percentage points'
    """
    scale, word = _shown(unit)
    low, high = scale * low, scale * high
    digits = decimals(high - low)
    text = f"[{low:.{digits}f}, {high:.{digits}f}]"
    return f"{text} {word}" if word else text


def measured(value: float, width: float, unit: str) -> str:
    """Return a value with as many decimals as an interval of this width has.

    >>> measured(0.0626667, 0.0329, "fraction"), measured(2.0, 0.0, "epochs")
    ('6.27 percentage points', '2 epochs')
    """
    scale, word = _shown(unit)
    digits = decimals(scale * width)
    number = f"{scale * value:.{digits}f}"
    if "." in number and not 0 < width < math.inf:
        number = number.rstrip("0").rstrip(".")
    return f"{number} {word}" if word else number


def percent(level: float) -> str:
    """Return a level in percent.

    >>> percent(0.96), percent(1 - 0.04 / 8)
    ('96 %', '99.5 %')
    """
    return f"{100 * level:.4g} %"


def with_unit(value: float, unit: str) -> str:
    """Return a number with its unit; a fraction is written in percentage points, hundredths of one.

    >>> with_unit(0.01, "fraction"), with_unit(2, "epochs"), with_unit(0.5, "")
    ('1 percentage point', '2 epochs', '0.5')
    """
    scale, word = _shown(unit)
    number = f"{scale * value:.6g}"
    if number in ("1", "-1") and word.endswith("s"):
        word = word[:-1]
    return f"{number} {word}" if word else number


def amount(delta: float, unit: str) -> str:
    """Return a positive size as one says it.

    >>> amount(0.01, "fraction"), amount(0.005, "fraction"), amount(0.02, "fraction"), amount(1, "decades")
    ('a point', 'half a point', '2 points', 'tenfold')
    >>> amount(0.3, "decades"), amount(1, "epochs"), amount(0.05, "nats"), amount(0.5, "")
    ('2-fold', '1 epoch', '0.05 nats', '0.5')
    """
    if unit == "decades":
        return _FOLDS.get(delta, f"{10**delta:.2g}-fold")
    if unit != "fraction":
        return with_unit(delta, unit)
    points = f"{100 * delta:.6g}"
    return {"1": "a point", "0.5": "half a point"}.get(points, f"{points} points")


def _shown(unit: str) -> tuple[float, str]:
    """Factor and word of a unit; a unit that is not known is written as it is."""
    return (100.0, "percentage points") if unit == "fraction" else (1.0, unit)
