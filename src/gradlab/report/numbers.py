"""How a number is written: the one place that HTML, Markdown and LaTeX ask, so that they never disagree.

Texts are plain ASCII except the dash for a missing value and the multiplication sign: "-1.2", "10^-12.3";
`typeset`, `minus` and `tables.latex_number` turn them into their own typography.
"""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple, TypeGuard

from markupsafe import Markup, escape

MISSING, NO_INTERVAL = "–", "no interval"


class Unit(NamedTuple):
    """How a claim's unit is shown: factor, word after the number, least and most digits."""

    scale: float
    word: str
    digits: int
    prefix: str = ""


UNITS: dict[str, Unit] = {
    "fraction": Unit(100.0, "points", 1),
    "decades": Unit(1.0, "", 1, "×10^"),
    "epochs": Unit(1.0, "epochs", 1),
}


def is_number(value: Any) -> TypeGuard[float]:
    """Say whether `value` is a finite number (a bool or null is not)."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def number(value: Any, digits: int | None = None, *, signed: bool = False) -> str:
    """Write a number with `digits` decimals (None: up to four significant ones); null is a dash.

    >>> number(0.5), number(1234567), number(0.000012345), number(None), number(-0.0, 1)
    ('0.5', '1,234,567', '1.234e-05', '–', '0.0')
    """
    if not is_number(value):
        return MISSING if value is None or isinstance(value, float) else str(value)
    if digits is None:
        text = f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
        return f"+{text}" if signed and value > 0 else text
    text = f"{value:+,.{digits}f}" if signed else f"{value:,.{digits}f}"
    return text.lstrip("+-") if not any(c in "123456789" for c in text) else text


def percent_digits(low: Any, high: Any, scale: float = 100.0) -> int:
    """One decimal; two where the interval is narrower than 0.2 points.

    >>> percent_digits(0.92, 0.94), percent_digits(0.9300, 0.9315)
    (1, 2)
    """
    if not (is_number(low) and is_number(high)):
        return 1
    return 2 if 0 < (high - low) * scale < 0.2 else 1


def percent(value: Any, digits: int = 1) -> str:
    """Write a fraction as percent.

    >>> percent(0.9321), percent(None)
    ('93.2%', '–')
    """
    return f"{number(value * 100, digits)}%" if is_number(value) else MISSING


def scaled(value: Any, scale: str | None, digits: int | None) -> str:
    """Write a value on a table's scale: "percent", "decades" or None (as it is)."""
    if not is_number(value):
        return MISSING
    if scale == "percent":
        return percent(value, 1 if digits is None else digits)
    if scale == "decades":
        return f"10^{number(value, 1 if digits is None else digits)}"
    return number(value, digits)


def bracket(low: Any, high: Any, write: Any) -> str:
    """Write an interval as "[low, high]", each bound by `write`; nothing known is one dash."""
    return MISSING if low is None and high is None else f"[{write(low)}, {write(high)}]"


def interval(value: Any, low: Any, high: Any, scale: str | None = None, digits: int | None = None) -> str:
    """Write estimate and interval, e.g. "93.2% [92.1, 94.3]"; without bounds the estimate alone.

    >>> interval(0.932, 0.921, 0.943, "percent"), interval(0.932, None, None, "percent")
    ('93.2% [92.1, 94.3]', '93.2%')
    """
    digits = interval_digits(low, high, scale) if digits is None else digits
    estimate = scaled(value, scale, digits)
    if low is None and high is None:
        return estimate
    factor = 100 if scale == "percent" else 1
    prefix = "10^" if scale == "decades" else ""
    bounds = bracket(low, high, lambda b: prefix + number(b * factor, digits) if is_number(b) else MISSING)
    return f"{estimate} {bounds}"


def interval_digits(low: Any, high: Any, scale: str | None = None) -> int | None:
    """Return the decimals that an interval deserves on its scale; None where it has no width."""
    if scale == "percent":
        return percent_digits(low, high)
    return 1 if scale == "decades" else _fit(low, high)


def _fit(low: Any, high: Any) -> int | None:
    """Decimals that show two significant digits of the interval's half width, 0 to 6."""
    if not (is_number(low) and is_number(high)) or high <= low:
        return None
    return min(6, max(0, 1 - math.floor(math.log10((high - low) / 2))))


class InUnit(NamedTuple):
    """A claim's numbers in words a person uses; of a level (`levels`) delta is the bound asked."""

    estimate: str
    interval: str
    delta: str

    @property
    def both(self) -> str:
        """Estimate and interval, such as "+1.2 points [-1.0, +3.4]" or "+1.2 points, no interval"."""
        return f"{self.estimate}{'' if self.interval.startswith('[') else ','} {self.interval}"


def unit_of(name: str | None) -> Unit:
    """Return how a unit is shown; an unknown one is written as it is."""
    return UNITS.get(name or "", Unit(1.0, name or "", -1))


def in_unit(claim: dict[str, Any]) -> InUnit:
    """Write estimate, interval and delta of a claim (or of one of its parts) in its unit.

    >>> in_unit({"unit": "fraction", "estimate": 0.012, "interval": [-0.01, 0.034], "delta": 0.01})
    InUnit(estimate='+1.2 points', interval='[-1.0, +3.4]', delta='1 point')
    """
    if "against" in claim:
        return InUnit(*claim["against"].shown)
    unit = unit_of(claim.get("unit"))
    low, high = claim.get("interval") or (None, None)
    digits: int | None = unit.digits
    if claim.get("unit") == "fraction":
        digits = percent_digits(low, high)
    elif unit.digits < 0:
        digits = _fit(low, high)

    def write(value: Any) -> str:
        if not is_number(value):
            return MISSING
        return unit.prefix + number(value * unit.scale, digits, signed=not unit.prefix)

    estimate, ends = write(claim.get("estimate")), bracket(low, high, write)
    word = _plural(estimate.lstrip("+-"), unit.word)
    told = NO_INTERVAL if ends == MISSING and estimate != MISSING else ends
    return InUnit(_join(estimate, word), told, delta_text(claim))


def delta_text(claim: dict[str, Any]) -> str:
    """Write the smallest effect that matters: "1 point", "1 decade (×10)"."""
    delta, unit = claim.get("delta"), unit_of(claim.get("unit"))
    if not is_number(delta):
        return MISSING
    if claim.get("unit") == "decades":
        return f"{_plural(f'{delta:g}', 'decades', keep=True)} (×{number(float(10**delta))})"
    return _plural(f"{delta * unit.scale:.4g}", unit.word, keep=True)


def _plural(count: str, words: str, *, keep: bool = False) -> str:
    """Drop the s of a plural after exactly one; `keep` puts the count before it."""
    word = words[:-1] if count == "1" and words.endswith("s") else words
    return _join(count, word) if keep else word


def _join(value: str, word: str) -> str:
    return f"{value} {word}" if word and value != MISSING else value


def level(value: Any) -> str:
    """Write a confidence level without idle zeros: 0.992 is "99.2%", 0.95 is "95%"."""
    return f"{round(value * 100, 3):g}%" if is_number(value) else MISSING


def duration(seconds: Any) -> str:
    """Write seconds for people.

    >>> duration(0.42), duration(75), duration(7380), duration(None)
    ('0.4 s', '1 min 15 s', '2 h 3 min', '–')
    """
    if not is_number(seconds):
        return MISSING
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600:,} h {whole % 3600 // 60} min"


def megabytes(value: Any) -> str:
    """Write a size given in megabytes."""
    if not is_number(value):
        return MISSING
    return f"{value / 1024:.1f} GB" if value >= 1024 else f"{value:.0f} MB"


_POWER = re.compile(r"10\^(-?\d+(?:\.\d+)?)")


_MINUS = re.compile(r"(?<![\w.])-(?=\d)")


def minus(text: str) -> str:
    """Write the minus signs of a text's numbers as people read them.

    >>> minus("-1.2 points [-2.0, +0.4], seeds 0-5, 10^-3")
    '−1.2 points [−2.0, +0.4], seeds 0-5, 10^−3'
    """
    return _MINUS.sub("−", text)


_NO_PROSE = re.compile(
    r"(<(?:script|style|pre|code)\b.*?</(?:script|style|pre|code)>|^(?P<fence>```+).*?^(?P=fence)$|<[^>]*>)",
    re.DOTALL | re.MULTILINE,
)


def minus_in_prose(page: str) -> str:
    """Write the minus signs of a page of HTML or Markdown, but for tags, code and scripts.

    >>> minus_in_prose('<p class="m-1">from -2 to 3, <code>seq -1</code></p>')
    '<p class="m-1">from −2 to 3, <code>seq -1</code></p>'
    """
    found, at = [], 0
    for match in _NO_PROSE.finditer(page):
        found += [minus(page[at : match.start()]), match[0]]
        at = match.end()
    return "".join([*found, minus(page[at:])])


def typeset(text: str) -> Markup:
    """Turn a number's text into HTML: a true minus sign, powers raised; everything else escaped."""
    return Markup(minus(_POWER.sub(r"10<sup>\1</sup>", str(escape(text)))))
