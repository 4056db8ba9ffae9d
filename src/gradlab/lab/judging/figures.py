"""Figures as data: points, means and bands over seeds, ready to be drawn by anybody."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gradlab.lab.designing.design import Arm
from gradlab.lab.designing.shown import Factor, Figure
from gradlab.lab.judging.results import Results
from gradlab.lab.kinds import Measure
from gradlab.types import UserError

if TYPE_CHECKING:
    from gradlab.lab.judging.evaluate import Study

Drawn = dict[str, Any]


def draw_figures(study: Study) -> list[Drawn]:
    """Return the data of all figures, the claims' first."""
    return [draw_figure(figure, study) for figure in study.design.figures]


def draw_figure(figure: Figure, study: Study) -> Drawn:
    """Return the data of one figure: what is drawn, with labels, units and known lines.

    Raises:
        UserError: the figure is about something that its arms do not have.
    """
    from gradlab.lab.judging.curves import draw_curves, draw_gallery, draw_histogram, draw_matrix
    from gradlab.lab.judging.scatter import draw_scatter
    from gradlab.lab.judging.texts import draw_texts

    arms = [arm for arm in chosen_arms(figure, study) if _is_drawn(figure, arm, study)]
    if not arms:
        raise UserError(f"figure '{figure.name}' is about no arm of the study; look at its `where`.")
    of_tables: dict[str, Callable[..., Drawn]] = {
        "lines": draw_curves,
        "points": draw_scatter,
        "histogram": draw_histogram,
        "matrix": draw_matrix,
        "gallery": draw_gallery,
        "texts": draw_texts,
    }
    of_arms: dict[str, Callable[..., Drawn]] = {
        "lines": _lines,
        "points": _points,
        "bars": _bars,
        "heat": _heat,
    }
    marks = of_arms if figure.table == "arms" else of_tables
    if figure.mark not in marks:
        raise UserError(f"figure '{figure.name}': {figure.mark} are not drawn from table '{figure.table}'.")
    named = {"name": figure.name, "title": figure.title, "caption": figure.caption}
    drawn = {**named, **marks[figure.mark](figure, arms, study)}
    return drawn | _reference(figure)


def chosen_arms(figure: Figure, study: Study) -> list[Arm]:
    """Return the arms whose factors are what `where` asks; its other keys are columns of the table."""

    def fits(arm: Arm) -> bool:
        named = {name: (value,) for name, value in arm.factors.items()}
        named["arm"] = (arm.name, *named.get("arm", ()))
        return all(
            not set(named[name]).isdisjoint(_several(value))
            for name, value in figure.where.items()
            if name in named
        )

    return [arm for arm in study.design.arms if fits(arm)]


def _is_drawn(figure: Figure, arm: Arm, study: Study) -> bool:
    """Whether an arm has what the figure is about."""
    kind = study.arms[arm.name][0].kind
    if figure.table != "arms":
        return figure.table in kind.tables or figure.table in kind.views
    return (figure.value or figure.y) in kind.measures


def _several(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else (value,)


def factor(arm: Arm, name: str) -> Factor | None:
    """Return a factor of an arm; "arm" is its label where it has no such factor."""
    return arm.factors.get(name, arm.label if name == "arm" else None)


def grouped(arms: Iterable[Arm], name: str) -> list[tuple[Factor, list[Arm]]]:
    """Group arms by a factor, in order of appearance; those without it are left out."""
    groups: dict[Factor, list[Arm]] = {}
    for arm in arms:
        value = factor(arm, name)
        if value is not None:
            groups.setdefault(value, []).append(arm)
    return list(groups.items())


def number(value: Factor) -> str:
    """Say the value of a factor."""
    return f"{value:,}" if isinstance(value, int) and value >= 1000 else str(value)


def panel_title(name: str, value: Factor) -> str:
    """Title a panel: "depth 32"; a value in words stands for itself."""
    return value if isinstance(value, str) else f"{name} {number(value)}"


def panels(
    figure: Figure, arms: Sequence[Arm], series: Callable[[Sequence[Arm]], list[Drawn]]
) -> list[Drawn]:
    """Return one panel, or one for each value of the figure's panel factor."""
    if figure.panel is None:
        return [{"title": "", "series": series(arms)}]
    return [
        {"title": panel_title(figure.panel, value), "series": series(members)}
        for value, members in grouped(arms, figure.panel)
    ]


def _reference(figure: Figure) -> Drawn:
    if not figure.reference:
        return {}
    lines = [vars(one) | {} for one in figure.reference if one.axis != "diagonal"]
    return {"reference": {"lines": lines, "diagonal": len(lines) < len(figure.reference)}}


def _measure(name: str, arms: Sequence[Arm], study: Study) -> Measure:
    found = study.measure_of(arms[0].name, name)
    if found is None:
        known = ", ".join(study.arms[arms[0].name][0].kind.measures)
        raise UserError(f"no measure is called '{name}'; arm '{arms[0].name}' has {known}.")
    return found


def _axis(label: str, scale: str, measure: Measure | None) -> Drawn:
    return {"label": label, "scale": scale, "percent": measure is not None and measure.unit == "fraction"}


def _value(name: str, arm: Arm, runs: Sequence[Results]) -> float:
    """Return what an arm has on an axis: a factor, a fact of its runs, or the mean of a measure."""
    if name in arm.factors:
        return float(arm.factors[name])
    if name in runs[0].facts:
        return float(runs[0].facts[name])
    measure = runs[0].kind.measures[name]
    return math.fsum(measure.value(run) for run in runs) / len(runs)


def _has(name: str, arm: Arm, study: Study) -> bool:
    first = study.arms[arm.name][0]
    return name in arm.factors or name in first.facts or name in first.kind.measures


def _lines(figure: Figure, arms: Sequence[Arm], study: Study) -> Drawn:
    arms = [arm for arm in arms if _has(figure.x, arm, study)]
    measure = _measure(figure.y, arms, study)

    def series(members: Sequence[Arm]) -> list[Drawn]:
        return [
            _one_line(figure, str(value), group, measure, study)
            for value, group in grouped(members, figure.by)
        ]

    y = _axis(figure.y, figure.y_scale, measure) | {"range": None}
    x = {"label": figure.x, "scale": figure.x_scale}
    return {"kind": "lines", "x": x, "y": y, "panels": panels(figure, arms, series)}


def _one_line(figure: Figure, name: str, arms: Sequence[Arm], measure: Measure, study: Study) -> Drawn:
    points, row = [], []
    placed = sorted(
        ((_value(figure.x, arm, study.arms[arm.name]), arm) for arm in arms), key=lambda one: one[0]
    )
    for x, arm in placed:
        mean, low, high, values = study.interval_of(measure, arm.name)
        row.append((x, mean, low, high))
        points += [[x, value] for value in values]
    xs, means, lows, highs = (list(column) for column in zip(*row, strict=True))
    return {"name": name, "x": xs, "y": means, "low": lows, "high": highs, "points": points}


def _points(figure: Figure, arms: Sequence[Arm], study: Study) -> Drawn:
    """Means of two measures against each other, or of one along categories, with every seed."""
    measure = _measure(figure.y, arms, study)
    is_category = figure.x_scale == "category"
    across = None if is_category else study.measure_of(arms[0].name, figure.x)

    def series(members: Sequence[Arm]) -> list[Drawn]:
        return [
            _point_series(figure, str(value), group, measure, across, study)
            for value, group in grouped(members, figure.by)
        ]

    return {
        "kind": "points",
        "x": _axis(figure.x, figure.x_scale, across)
        | ({"ordered": list(figure.ordered)} if figure.ordered else {}),
        "y": _axis(figure.y, figure.y_scale, measure),
        "panels": panels(figure, arms, series),
    }


def _point_series(
    figure: Figure, name: str, arms: Sequence[Arm], measure: Measure, across: Measure | None, study: Study
) -> Drawn:
    found: Drawn = {"name": name, "x": [], "y": [], "low": [], "high": [], "points": []}
    ends: Drawn = {"x_low": [], "x_high": []}
    for arm in arms:
        runs = study.arms[arm.name]
        mean, low, high, values = study.interval_of(measure, arm.name)
        place: tuple[Any, float | None, float | None]
        if across is not None:
            *place, xs = study.interval_of(across, arm.name)  # type: ignore[assignment]
        else:
            at = factor(arm, figure.x) if figure.x_scale == "category" else _value(figure.x, arm, runs)
            place, xs = (at, None, None), [at] * len(values)  # type: ignore[list-item]
        for key, value in (("x", place[0]), ("y", mean), ("low", low), ("high", high)):
            found[key].append(value)
        ends["x_low"].append(place[1])
        ends["x_high"].append(place[2])
        found["points"] += [[a, b] for a, b in zip(xs, values, strict=True)]
    return found | (ends if across is not None else {"x_low": None, "x_high": None})


def _bars(figure: Figure, arms: Sequence[Arm], study: Study) -> Drawn:
    measure = _measure(figure.y, arms, study)

    def series(members: Sequence[Arm]) -> list[Drawn]:
        found = []
        for value, group in grouped(members, figure.by):
            one = _point_series(_category(figure), str(value), group, measure, None, study)
            found.append({name: one[name] for name in ("name", "x", "y", "low", "high", "points")})
        return found

    x, y = _axis(figure.x, "category", None), _axis(figure.y, figure.y_scale, measure)
    return {"kind": "bars", "x": x, "y": y, "panels": panels(figure, arms, series)}


def _category(figure: Figure) -> Figure:
    return replace(figure, x_scale="category")


def _heat(figure: Figure, arms: Sequence[Arm], study: Study) -> Drawn:
    measure = _measure(figure.value, arms, study)
    columns, rows = ([value for value, _ in grouped(arms, name)] for name in (figure.x, figure.y))
    cells = {(factor(arm, figure.y), factor(arm, figure.x)): arm for arm in arms}

    def cell(row: Factor, column: Factor) -> tuple[float | None, float | None, float | None]:
        arm = cells.get((row, column))
        return (None, None, None) if arm is None else study.interval_of(measure, arm.name)[:3]

    found = [[cell(row, column) for column in columns] for row in rows]
    means, lows, highs = ([[one[place] for one in row] for row in found] for place in range(3))
    return {
        "kind": "heat",
        "x": {"label": figure.x},
        "y": {"label": figure.y},
        "columns": [str(one) for one in columns],
        "rows": [str(one) for one in rows],
        "values": means,
        "low": lows,
        "high": highs,
        "percent": measure.unit == "fraction",
        "value_label": measure.name,
    }
