"""What is wrong with a network's gradients, in words: alarms from the rows of a probe, with thresholds as parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from gradlab.training.probe_row import Columns, ProbeRow, as_rows, by_step
from gradlab.types import UserError

Kind = Literal["not finite", "vanishing", "exploding", "dead units", "large updates", "small updates"]


TINY = math.ulp(0.0)
RANGES: dict[str, tuple[float, float, str]] = {
    "vanishing": (0, 1, "be a share of the largest gradient, in [0, 1]"),
    "exploding": (TINY, math.inf, "be a factor above 0"),
    "dead": (TINY, 1, "be a fraction of a layer's units, above 0 and at most 1"),
    "large_update": (TINY, math.inf, "be a part of the weight's norm, above 0"),
    "small_update": (0, math.inf, "be a part of the weight's norm, at least 0"),
}
"""Threshold -> the least, the largest, and what it is."""


@dataclass(frozen=True)
class Alarm:
    """Something is wrong at one step.

    Attributes:
        kind: what. step: when. text: the alarm in words, such as "vanishes below layer 12".
        layer: name of the layer that is meant. number: its place from the input, from 1.
        value: the number that was compared: a share of the largest norm, a factor, or a fraction.
    """

    kind: Kind
    step: int
    layer: str
    number: int
    value: float
    text: str


def alarms(
    rows: Sequence[ProbeRow] | Columns,
    *,
    vanishing: float = 1e-3,
    exploding: float = 1e3,
    dead: float = 0.75,
    large_update: float = 0.5,
    small_update: float = 1e-7,
) -> list[Alarm]:
    """Say what is wrong in the rows of one network; at most one alarm of a kind at a step.

    Args:
        rows: of one network, of any number of steps; rows or their columns.
        vanishing: the gradient vanishes below a layer if every layer before it has a weight-gradient norm below this
            share of the largest one, in [0, 1]; 0 raises none.
        exploding: the gradient explodes if the largest weight-gradient norm is this many times that of the output
            layer, or this large (a mean cross-entropy sends at most √2 into the logits, so that norms are near 1);
            above 0.
        dead: alarm at this fraction of dead units in a layer, in (0, 1].
        large_update: alarm if a step changes a layer's weight by this part of its norm.
        small_update: alarm if no probed step so far changed a layer's weight by this part of its norm; a step at which
            nothing moves at all, as at the end of a schedule, does not count.

    Returns: by step, the gravest first.

    Raises:
        UserError: a threshold that is no number or lies outside its range.
    """
    _check(
        vanishing=vanishing,
        exploding=exploding,
        dead=dead,
        large_update=large_update,
        small_update=small_update,
    )
    found: list[Alarm | None] = []
    most: dict[str, float] = {}
    for now in by_step(as_rows(rows)).values():
        if broken := _not_finite(now):
            found.append(broken)
            continue
        found += [_vanishing(now, vanishing), _exploding(now, exploding), _dead(now, dead)]
        found.append(_large(now, large_update))
        if any(row.update_ratio for row in now):
            for row in now:
                most[row.layer] = max(row.update_ratio or 0.0, most.get(row.layer, 0.0))
            found.append(_small(now, most, small_update))
    return [alarm for alarm in found if alarm is not None]


def _check(**thresholds: float) -> None:
    for name, value in thresholds.items():
        low, high, words = RANGES[name]
        real = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not real or not low <= value <= high:
            raise UserError(f"{name} must {words}, got {value!r}; leave it out for the usual threshold.")


def alarms_of_runs(
    arm: str, runs: Sequence[Sequence[ProbeRow] | Columns], **thresholds: float
) -> list[dict[str, Any]]:
    """Join the alarms of one arm's seeds: one entry a kind and moment, for the report.

    A kind is told at the start and after training; one that is raised at neither, at the first step that has it.

    Args:
        arm: its label. runs: rows, or columns, of every seed; those without rows count as runs without alarms.
        thresholds: of `alarms`.

    Returns: dictionaries with arm, kind, text, seeds (that raise it), runs (in all), when: "at the start",
        "after training" or "step 300".
    """
    every = [as_rows(rows) for rows in runs]
    raised = [alarms(rows, **thresholds) for rows in every]
    last = [max((row.step for row in rows), default=0) for rows in every]
    moments: dict[tuple[Kind, str], list[Alarm]] = {}
    for of_run, end in zip(raised, last, strict=True):
        for alarm in of_run:
            moments.setdefault((alarm.kind, _moment(alarm.step, end)), []).append(alarm)
    ends = {kind for kind, when in moments if not when.startswith("step")}
    told: dict[tuple[Kind, str], list[Alarm]] = {}
    between = set()
    for (kind, when), group in sorted(moments.items(), key=lambda item: item[1][0].step):
        if when.startswith("step"):
            if kind in ends or kind in between:
                continue
            between.add(kind)
        told[kind, when] = group
    return [
        {
            "arm": arm,
            "kind": kind,
            "text": say(kind, group),
            "seeds": len(group),
            "runs": len(every),
            "when": when,
        }
        for (kind, when), group in sorted(told.items(), key=lambda item: _place(*item[0]))
    ]


def say(kind: Kind, group: Sequence[Alarm]) -> str:
    """Say alarms of one kind, of one seed or several, in words."""
    layers = _span(sorted({alarm.number for alarm in group}), str)
    values = sorted(alarm.value for alarm in group)
    return WORDS[kind](layers, values)


WORDS: dict[Kind, Callable[[str, list[float]], str]] = {
    "not finite": lambda layers, _: f"gradient is not finite in layer {layers}",
    "vanishing": lambda layers, _: f"vanishes below layer {layers}",
    "exploding": lambda _, values: f"explodes by a factor of {_span(values, power)}",
    "dead units": lambda layers, values: f"{_span(values, _percent)} of the units of layer {layers} are dead",
    "large updates": lambda layers, values: (
        f"one step changes layer {layers} by {_span(values, _percent)} of its norm"
    ),
    "small updates": lambda layers, values: (
        f"no probed step changes layer {layers}"
        + (f" by more than {_span(values, power)} of its norm" if values[-1] else "")
    ),
}
"""Kind -> what is said, the gravest first."""


def power(value: float) -> str:
    """Write a factor as the power of ten that it reaches.

    >>> power(4200.0), power(2e-9), power(0.0)
    ('10³', '10⁻⁹', '0')
    """
    if value == 0 or math.isinf(value):
        return "0" if value == 0 else "∞"
    digits = str(math.floor(math.log10(value) + 1e-9))
    return "10" + digits.translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _not_finite(rows: list[ProbeRow]) -> Alarm | None:
    bad = [i for i, row in enumerate(rows) if not math.isfinite(row.weight_gradient)]
    return _alarm("not finite", rows, bad[-1], math.inf) if bad else None


def _vanishing(rows: list[ProbeRow], threshold: float) -> Alarm | None:
    norms = [row.weight_gradient for row in rows]
    largest = max(norms)
    if largest == 0:  # nothing arrives anywhere: every unit is dead, or the output saturated
        return _alarm("vanishing", rows, len(rows) - 1, 0.0) if threshold and len(rows) > 1 else None
    reached = next(i for i, norm in enumerate(norms) if norm >= threshold * largest)
    return _alarm("vanishing", rows, reached, max(norms[:reached]) / largest) if reached else None


def _exploding(rows: list[ProbeRow], threshold: float) -> Alarm | None:
    norms = [row.weight_gradient for row in rows]
    last = next((norm for norm in reversed(norms) if norm > 0), 0.0)
    factor = max(norms) / min(1.0, last) if last else 0.0
    return _alarm("exploding", rows, norms.index(max(norms)), factor) if factor >= threshold else None


def _dead(rows: list[ProbeRow], threshold: float) -> Alarm | None:
    shares = [row.dead or 0.0 for row in rows]
    worst = max(shares)
    return _alarm("dead units", rows, shares.index(worst), worst) if worst >= threshold else None


def _large(rows: list[ProbeRow], threshold: float) -> Alarm | None:
    ratios = [row.update_ratio or 0.0 for row in rows]
    worst = max(ratios)
    return _alarm("large updates", rows, ratios.index(worst), worst) if worst >= threshold else None


def _small(rows: list[ProbeRow], most: Mapping[str, float], threshold: float) -> Alarm | None:
    ratios = [most[row.layer] if row.update_ratio is not None else math.inf for row in rows]
    least = min(ratios)
    return _alarm("small updates", rows, ratios.index(least), least) if least < threshold else None


def _alarm(kind: Kind, rows: list[ProbeRow], place: int, value: float) -> Alarm:
    bare = Alarm(kind, rows[place].step, rows[place].layer, place + 1, value, "")
    return Alarm(**(asdict(bare) | {"text": say(kind, [bare])}))


def _moment(step: int, last: int) -> str:
    if step == 0:
        return "at the start"
    return "after training" if step == last else f"step {step}"


def _place(kind: Kind, when: str) -> tuple[int, int]:
    order = {"at the start": 0, "after training": 2}
    return list(WORDS).index(kind), order.get(when, 1)


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"


def _span(values: Sequence[Any], write: Callable[[Any], str]) -> str:
    """Write one value, or the least and the largest."""
    first, last = write(values[0]), write(values[-1])
    return first if first == last else f"{first} to {last}"
