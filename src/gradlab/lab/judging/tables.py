"""Tables as data: one row an arm, each measure with its interval and the value of every seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradlab.lab.designing.design import Arm
from gradlab.lab.designing.measured import measure_of, rows_of
from gradlab.lab.designing.shown import Table
from gradlab.lab.judging.changes import build_signs, cells_of
from gradlab.lab.judging.choice import choices, labels_among, tell
from gradlab.lab.judging.results import Results
from gradlab.lab.kinds import Measure
from gradlab.statistics import Interval, Sampled, clopper_pearson, interval

if TYPE_CHECKING:
    from gradlab.lab.judging.evaluate import Study

LEVEL = 0.95
CHANGE = ("above 0", "pairs above 0", "pairs")
"""Further columns of a measure where a table shows changes: how many seeds, and how many of all pairs of runs, are above 0."""
Told = tuple[float, float | None, float | None, list[float]]
"""Mean, the ends of its interval (None where it has none), and the value of every seed."""


def build_table(table: Table, study: Study) -> dict[str, Any]:
    """Build one table: columns, rows and how to show them; intervals are 95 %, each for its row alone."""
    if table.signs:
        return build_signs(table, study)
    arms = rows_of(table, study.design, study.kinds)
    factors = list(dict.fromkeys(name for arm in arms for name in arm.factors))
    choose = any(arm.is_pick for arm in arms)
    counted = all("parameters" in study.arms[arm.name][0].facts for arm in arms)
    measures = [measure_of(arms[0], name, study.kinds) for name in table.measures]
    columns = ["arm", *factors, *(["chosen"] if choose else []), *(["parameters"] if counted else [])]
    alone = {arm.name for arm in arms if is_one_run(study.arms[arm.name])}
    columns += [*(["networks"] if alone else []), *table.facts]
    for measure in measures:
        columns += [measure.name, f"{measure.name} low", f"{measure.name} high", f"{measure.name} by seed"]
        columns += [f"{measure.name} {one}" for one in CHANGE] if table.minus else []
    columns += ["learned", "runs", "learned low", "learned high"]
    rows = []
    for arm in arms:
        named: list[Any] = [arm.label, *(arm.factors.get(name) for name in factors)]
        if choose:
            named.append(_chosen(arm, study))
        if counted:
            named.append(study.arms[arm.name][0].facts["parameters"])
        if alone:
            named.append("1 network" if arm.name in alone else f"{len(study.arms[arm.name])} networks")
        named += [_in_words(fact, study.arms[arm.name]) for fact in table.facts]
        rows.append([*named, *_row(measures, arm.name, table, study)])
    return {
        "title": table.title,
        "caption": table.caption,
        "columns": columns,
        "rows": rows,
        "display": _display(
            measures, table, choose=choose, counted=counted, some=bool(alone), every=len(alone) == len(arms)
        ),
    }


def is_one_run(runs: Sequence[Results]) -> bool:
    """Whether one and the same run stands for several seeds, as where a certificate examines one network."""
    return len(runs) > 1 and len({run.run.hash for run in runs}) == 1


def _in_words(fact: str, runs: Sequence[Results]) -> str:
    """Return what the runs say of a fact, each different word once."""
    return " / ".join(dict.fromkeys(str(run.facts.get(fact, "")) for run in runs))


def _chosen(arm: Arm, study: Study) -> str | None:
    if not arm.is_pick:
        return None
    return tell(choices(arm, study.design, study.bound, study.seeds), labels_among(arm, study.design))


def mean_interval(measure: Measure, runs: Sequence[Results]) -> Told:
    """Return mean, 95 % interval over seeds (and test samples, where the measure has them) and the seeds' values.

    Runs of another kind than that of the measure are measured by their own kind's measure of that name.
    """
    measure, values = measure_and_values(measure, runs)
    if not all(math.isfinite(value) for value in values):
        return math.nan, None, None, values
    return ends_within(measure, interval_over(measure, runs, values), values)


def measure_and_values(measure: Measure, runs: Sequence[Results]) -> tuple[Measure, list[float]]:
    """Return the measure of that name as the runs' kind has it, and its value for every seed."""
    measure = runs[0].kind.measures.get(measure.name, measure)
    return measure, [measure.value(run) for run in runs]


def interval_over(measure: Measure, runs: Sequence[Results], values: Sequence[float]) -> Interval:
    """Return the 95 % interval over seeds, and over test samples where the measure has them and tables count them."""
    counts = measure.samples is not None and measure.in_tables
    return interval(sampled(measure, runs) if counts else np.array(values), level=LEVEL)


def ends_within(measure: Measure, found: Interval, values: list[float]) -> Told:
    """Return mean, ends that lie in the range of the measure, and the seeds' values."""
    if not found.is_bounded:
        return found.estimate, None, None, values
    least = measure.range[0] if measure.range else 0.0
    low = found.low if measure.unit == "decades" else max(least, found.low)
    high = min(1.0, found.high) if measure.unit == "fraction" else found.high
    return found.estimate, low, high, values


def sampled(measure: Measure, runs: Sequence[Results]) -> Sampled:
    """Return a measure of an arm's runs, with what every sample contributes along each of its axes."""
    if measure.samples is None:
        return Sampled(np.array([measure.value(run) for run in runs]), range=measure.range)
    each = [measure.samples(run) for run in runs]
    axes = {name: np.stack([one[name] for one in each]) for name in each[0]}
    first = next(iter(axes.values()))
    if measure.counted is not None and (first == first[0, 0]).all() and first[0, 0] in (0, 1):
        return _all_alike(measure.counted, runs, first, next(iter(axes)))
    return Sampled(first.mean(axis=1), axes, range=measure.range, binary=measure.exact)


def _all_alike(
    counted: Callable[[Results], np.ndarray], runs: Sequence[Results], found: np.ndarray, axis: str
) -> Sampled:
    """Return a share that is 0, or 1, in every run: of samples that count in all of them, each 0, or 1.

    These bound the share; the others say nothing about it. As it varies with no other arm, it has an axis of its own.
    """
    count = int(np.all([counted(run) > 0 for run in runs], axis=0).sum())
    alike = {f"{axis}, {count} that count": found[:, :count]} if count else {}
    return Sampled(found.mean(axis=1), alike, range=(0.0, 1.0), binary=True)


def clean(value: Any) -> Any:
    """Turn a value into plain JSON data: numbers without NaN or infinity, lists, dictionaries."""
    if isinstance(value, dict):
        return {str(key): clean(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(item) for item in value]
    if isinstance(value, (np.floating, np.integer, np.bool_)):
        value = value.item()
    if isinstance(value, np.str_):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _row(measures: list[Measure], arm: str, table: Table, study: Study) -> list[Any]:
    row: list[Any] = []
    count = 1 if is_one_run(study.arms[arm]) else None
    for measure in measures:
        if table.minus:
            row += cells_of(measure, arm, table.minus[arm], study, LEVEL)
            continue
        *interval_told, values = study.interval_of(measure, arm)
        row += [*interval_told, values[:count]]
    learned = study.learned[arm][:count]
    share = clopper_pearson(sum(learned), len(learned))
    return [*row, sum(learned), len(learned), share.low, share.high]


def _display(
    measures: list[Measure], table: Table, *, choose: bool, counted: bool, some: bool, every: bool
) -> list[dict[str, Any]]:
    """How a page shows the columns: every interval, and the single seeds of the first measure; the rest is in the CSV.

    Of networks of which each stands for all seeds (some arms, or every one) it says that they are one. The first fact stands
    before the measures; the others, which may be long, behind them.
    """
    told = [{"header": fact[0].upper() + fact[1:], "kind": "text", "columns": [fact]} for fact in table.facts]
    shown: list[dict[str, Any]] = [
        {"header": "Arm", "kind": "text", "columns": ["arm"]},
        *([{"header": "Chosen on validation", "kind": "text", "columns": ["chosen"]}] if choose else []),
        *([{"header": "Parameters", "kind": "int", "columns": ["parameters"]}] if counted else []),
        *([{"header": "Networks", "kind": "text", "columns": ["networks"]}] if some else []),
        *told[:1],
        *([] if every else [{"header": "Learned", "kind": "ratio", "columns": ["learned", "runs"]}]),
    ]
    for number, measure in enumerate(measures):
        scale = {"scale": "percent"} if measure.unit == "fraction" else {}
        header = measure.name[0].upper() + measure.name[1:] + (", change" if table.minus else "")
        names = [measure.name, f"{measure.name} low", f"{measure.name} high"]
        unit = f" ({measure.unit})" if measure.unit == "decades" else ""
        shown.append({"header": header + unit, "kind": "interval", "columns": names, **scale})
        if number == 0 and not every:
            shown.append(
                {"header": "Each seed", "kind": "points", "columns": [f"{measure.name} by seed"], **scale}
            )
        if table.minus:
            above, pairs, count = (f"{measure.name} {one}" for one in CHANGE)
            shown.append({"header": "Seeds above 0", "kind": "ratio", "columns": [above, "runs"]})
            if number == 0:
                shown.append({"header": "Any two runs above 0", "kind": "ratio", "columns": [pairs, count]})
    return shown + told[1:]
