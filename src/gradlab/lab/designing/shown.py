"""Tables and figures as data, so that anybody can draw them again."""

from __future__ import annotations

from typing import Any, Literal

from gradlab._configuration import dataclass
from gradlab.types import STRICT, Count, later

Factor = str | int | float
Mark = Literal["lines", "points", "bars", "heat", "histogram", "matrix", "gallery", "texts"]
Scale = Literal["linear", "log", "category"]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Table:
    """One row an arm: its factors, then each measure with its interval and the value of every seed.

    Attributes:
        arms: the rows, by name; all arms that are no `Pick` and have these measures where none is named.
        facts: names of facts of the runs that are shown in words, such as the finding of a certificate.
        minus: arm of a row -> arm that is taken from it: the table shows changes, seed by seed, with intervals of the seeds
            alone, and how many are above 0, of the seeds and of any two runs.
        signs: factors: of the changes that `minus` names the table shows in what share of two that differ in one factor alone,
            in the seed alone or in the measure alone the signs are opposite.
    """

    name: str
    title: str
    caption: str
    measures: tuple[str, ...]
    arms: tuple[str, ...] = later(())
    facts: tuple[str, ...] = later(())
    minus: dict[str, str] = later({})
    signs: tuple[str, ...] = later(())


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Reference:
    """A known value drawn into a figure: chance, or the diagonal of a ROC curve.

    Attributes:
        axis: "x" or "y", whose value is drawn across, or "diagonal". value: on that axis. label: says what it is.
    """

    axis: Literal["x", "y", "diagonal"] = "y"
    value: float = 0.0
    label: str = ""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Figure:
    """A picture of the table `arms`, or of any table or view of the runs.

    Attributes:
        mark: how values are drawn.
        table: "arms" has a row an arm and seed: factors, measures and facts; else the name of a table or view of the runs.
        x, y: its columns: factors, measures or facts of `arms`, columns of a table. A matrix counts pairs of x and y; a
            histogram is of x; points of a table are its
            rows in each arm's first run; a heat map has a row for every y and a column for every x, and its `value`.
        by: factor (or column) with a line, colour or kind of bar for each of its values.
        panel: factor or column with a panel for each of its values.
        where: values of factors and columns that a row must have; "arm" is an arm's name.
        value: of a heat map: a measure. count: of a gallery, or of texts: how many. reference: known values to draw.
        ordered: points along categories stand in this order from above, instead of by value.
    """

    name: str
    title: str
    caption: str
    mark: Mark = "lines"
    table: str = "arms"
    x: str = ""
    y: str = ""
    by: str = "arm"
    panel: str | None = None
    where: dict[str, Any] = later({})
    x_scale: Scale = "linear"
    y_scale: Scale = "linear"
    value: str = later("")
    count: Count = later(10)
    reference: tuple[Reference, ...] = later(())
    ordered: tuple[str, ...] = later(())
