"""What measures, views and figures look at: one run, or the rows of it that are one arm's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradlab.lab.designing.shown import Factor
from gradlab.lab.kinds import Kind
from gradlab.lab.records.columns import Columns, column_digest
from gradlab.lab.records.record import Run
from gradlab.statistics import SampleAxis


@dataclass(frozen=True)
class Results:
    """One run as an arm sees it.

    Attributes:
        run: the record, whole or in small form. kind: of its procedure. at: the rows of its tables that count.
        rests_on: what its inputs are, by name; sources are left out.
    """

    run: Run
    kind: Kind
    at: Mapping[str, Factor] = field(default_factory=dict)
    rests_on: Mapping[str, Results] = field(default_factory=dict)

    @property
    def facts(self) -> Mapping[str, Any]:
        """Status, note and whatever the procedure says."""
        return self.run.facts

    @property
    def seconds(self) -> float:
        """Time of the run."""
        return float(self.run.made["seconds"])

    def table(self, name: str) -> Columns:
        """Return the rows of a table, or of a view, that are this arm's; a table that is not there has no column."""
        if name in self.kind.views:
            return self.kind.views[name](self)
        table = self.run.table(name)
        if not any(column in table for column in self.at):
            return table
        return Rows(table, [(column, value) for column, value in self.at.items() if column in table])

    def axis(self, part: str, rows: np.ndarray | None = None) -> str:
        """Name a sample axis: the data, the part of it, and which rows; arms are paired along those that they share."""
        which = "" if rows is None else f"/{column_digest(rows)}"
        whole = f"{'+'.join(self.content or [self.run.hash])}/{part}"
        return SampleAxis(whole + which, whole, rows)

    @property
    def content(self) -> list[str]:
        """Checksums of the data that the run reads itself; of one that reads none, those of what it rests on."""
        own = set(self.run.spec["content"].values())
        return sorted(own or {one for below in self.rests_on.values() for one in below.content})

    @property
    def has_learned(self) -> bool:
        """Whether the run is better than chance, and all that it rests on."""
        own = self.kind.learned is None or self.kind.learned(self)
        return own and all(one.has_learned for one in self.rests_on.values())


class Rows(Mapping[str, np.ndarray]):
    """The rows of a table in which columns have given values."""

    def __init__(self, table: Columns, where: list[tuple[str, Factor]]) -> None:
        self.table = table
        self.chosen = np.logical_and.reduce([matches(table[column], value) for column, value in where])

    def __getitem__(self, name: str) -> np.ndarray:
        return self.table[name][self.chosen]

    def __contains__(self, name: object) -> bool:
        return name in self.table

    def __iter__(self) -> Iterator[str]:
        return iter(self.table)

    def __len__(self) -> int:
        return len(self.table)


def matches(values: np.ndarray, value: Factor) -> np.ndarray:
    """Say which values are this one; floats to their last digits."""
    if values.dtype.kind == "f":
        return np.asarray(np.isclose(values, float(value), rtol=1e-9, atol=0), dtype=bool)
    if values.dtype.kind in "iub":
        return np.asarray(values == int(value))
    return np.asarray(values == str(value))
