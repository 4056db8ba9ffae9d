"""What the lab knows of a kind of procedure: what it writes, what is measured, and who does the work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from gradlab.lab.designing.procedure import Procedure
from gradlab.lab.records.columns import Columns

if TYPE_CHECKING:
    from gradlab.lab.judging.results import Results
    from gradlab.lab.running.desk import Desk, Job

Better = Literal["higher", "lower", "neither"]
Axes = Mapping[str, np.ndarray]
"""Name of a sample axis (data and rows) -> what each of its samples contributes."""


@dataclass(frozen=True)
class Measure:
    """A number of a run.

    Attributes:
        name: in words. unit: "fraction", "epochs", "nats", "layers" or "decades" (powers of ten).
        better: which direction is.
        value: of one run. samples: what every test sample contributes, along each independent axis; None where the
            measure has no sample axis.
        range: its least and largest possible value; None where it has none. exact: single samples are 0 or 1.
        counted: of a share among some of the samples of the one axis: 1 for those that count, else 0.
        on: the part of the data that it looks at; only measures on validation may choose.
        learns: whether a run that learned nothing spoils it. in_tables: whether intervals in tables count the samples.
    """

    name: str
    unit: str
    better: Better
    value: Callable[[Results], float]
    samples: Callable[[Results], Axes] | None = None
    range: tuple[float, float] | None = None
    exact: bool = False
    counted: Callable[[Results], np.ndarray] | None = None
    on: Literal["train", "validation", "test"] = "test"
    learns: bool = True
    in_tables: bool = True


@dataclass(frozen=True)
class Column:
    """How people call a column of a table, its unit, and its values; `range` ends the band of its interval.

    Not every run has a column that is not there `always`.
    """

    label: str
    unit: str = ""
    range: tuple[float, float] | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    always: bool = True


@dataclass
class Outcome:
    """What one run leaves behind.

    Attributes:
        facts: plain JSON: status, note and whatever else is known; no times and no machine.
        tables: name -> columns. weights: name -> tensor, of the network that came out. bulk: other large tensors.
        seconds: that the run took, where the lab cannot know it; else an equal share of its unit.
    """

    facts: dict[str, Any]
    tables: dict[str, Columns] = field(default_factory=dict)
    weights: dict[str, Any] = field(default_factory=dict)
    bulk: dict[str, Any] = field(default_factory=dict)
    seconds: float | None = None


class Work(Protocol):
    """Does the work of several runs of one procedure, which differ in seed and inputs."""

    def __call__(self, procedure: Any, jobs: Sequence[Job], desk: Desk, /) -> Iterable[Outcome]: ...  # noqa: D102


def nothing(*_: Any) -> list[Any]:
    """Find nothing."""
    return []


@dataclass(frozen=True, kw_only=True)
class Kind:
    """All that the lab knows of a kind of procedure.

    Attributes:
        configuration: the frozen dataclass of such procedures.
        title: what such a run is called, such as "training".
        work: does it; None for a source, which has no record: a given network, or pretrained weights.
        tables: name of a table -> its columns that people see -> how they are called.
        measures: by name. views: name -> table derived from those of one run.
        learned: whether a run is better than chance; None leaves that to what it rests on.
        check: names what the stored columns and facts of a run contradict, recomputed from its raw columns.
        alarms: (label of an arm, its runs) -> alarms for the report. flags: sentences about a claim's runs.
        qualifies_all: whether its flags are said of every claim of a study, not only of those about its arms.
        describe: (procedure, a run) -> parameters, layers, recipe for the report.
        network: (source or record, desk) -> the network that it holds.
        here: whether it needs something that lives in this process, such as a user's own module.
        block: how many consecutive seeds train together. draws: whether anything in it is random.
        below: (procedure, seed) -> the seed of what it rests on, for what looks at one of several networks.
        reads: what its data must hold: "images", "text", or "either", all of them the same. asks: configuration -> (data,
            parts of which it needs one), so that data without them are refused before anything runs.
        software: packages whose version its bits depend on; more_software: (procedure) -> further ones of this one.
        version: raised when the same spec gives other bits.
        cost: relative time of one run. time: seconds that a unit would take, measured with a few steps; pace: of a kind that
            judges a network, seconds for one of what `cost` counts, measured on that network, None where it cannot be.
        may_stop: whether a run may end before that time.
        is_summarised: whether a small form keeps, of arms that no claim is about, the values of the seeds and what their
            intervals need instead of all samples.
    """

    name: str
    title: str
    configuration: type[Any]
    work: Work | None = None
    tables: Mapping[str, Mapping[str, Column]] = field(default_factory=dict)
    measures: Mapping[str, Measure] = field(default_factory=dict)
    views: Mapping[str, Callable[[Results], Columns]] = field(default_factory=dict)
    learned: Callable[[Results], bool] | None = None
    check: Callable[[Results], list[str]] = nothing
    alarms: Callable[[str, Sequence[Results]], list[dict[str, Any]]] = nothing
    flags: Callable[[str, Sequence[Results]], list[str]] = nothing
    qualifies_all: bool = False
    describe: Callable[[Any, Results], dict[str, Any]] = lambda procedure, _: {"layers": str(procedure)}
    network: Callable[..., Any] | None = None
    here: Callable[[Any], bool] = lambda _: False
    block: Callable[[Any, str], int] = lambda *_: 1
    draws: bool = True
    below: Callable[[Any, int], int] = lambda _, seed: seed
    reads: str = ""
    asks: Callable[[Any], Iterable[tuple[str, tuple[str, ...]]]] = lambda _: ()
    software: tuple[str, ...] = ("torch",)
    more_software: Callable[[Any], tuple[str, ...]] = lambda _: ()
    version: int = 1
    cost: Callable[[Any, Mapping[str, Any]], float] = lambda *_: 1.0
    time: Callable[[Any, Sequence[Job], Desk], float] | None = None
    pace: Callable[[Any, Job, Desk], float | None] | None = None
    may_stop: Callable[[Any], bool] = lambda _: False
    is_summarised: bool = False

    @property
    def is_timed(self) -> bool:
        """Whether some of its work can be timed beforehand."""
        return self.time is not None or self.pace is not None

    def software_of(self, procedure: Procedure) -> tuple[str, ...]:
        """Return the packages whose version the bits of a run of a procedure depend on."""
        return (*self.software, *self.more_software(procedure))


def kind_of(procedure: Procedure, kinds: Mapping[str, Kind]) -> Kind:
    """Return the kind of a procedure; a Pick is of the kind of what it chooses among."""
    among = getattr(procedure, "among", None)
    return kind_of(among[0], kinds) if procedure.kind == "pick" and among else kinds[procedure.kind]


def measures_of(kinds: Mapping[str, Kind]) -> dict[str, Measure]:
    """Return the measures of all kinds by name; where two kinds share a name, the first one's."""
    found: dict[str, Measure] = {}
    for kind in kinds.values():
        for name, measure in kind.measures.items():
            found.setdefault(name, measure)
    return found
