"""Copies of test texts in what a model was trained on: `TextOverlap`, which is counted before such a model is judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gradlab._configuration import dataclass
from gradlab.lab.designing.procedure import DataName, Procedure
from gradlab.lab.judging.results import Results
from gradlab.lab.kinds import Column, Kind, Measure, Outcome
from gradlab.lab.running.desk import Progress
from gradlab.types import STRICT

if TYPE_CHECKING:
    from gradlab.data import Overlap
    from gradlab.lab.running.desk import Desk, Job

COLUMNS = {"exact": "copied letter by letter", "normalised": "copied word by word"}
"""Columns of the table, as `gradlab.data.Overlap` calls the counts."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TextOverlap(Procedure):
    """Count the test texts of some data that stand in the training part of others; see `gradlab.data.overlap`.

    Attributes:
        data: whose test texts are judged. known: whose training texts a model has read.
    """

    kind: Literal["text-overlap"] = "text-overlap"
    data: DataName
    known: DataName


def _work(procedure: TextOverlap, jobs: Sequence[Job], desk: Desk) -> Iterator[Outcome]:
    from gradlab.data import overlap

    judged: Any = desk.data(procedure.data)
    known: Any = desk.data(procedure.known)
    desk.tell(Progress(0.1, f"test texts of {judged.name} among those that train {known.name}"))
    found = overlap(judged, known)
    desk.tell(Progress(1.0, found.describe()))
    letters = set(known.train.texts)
    words = np.zeros(found.texts, dtype=np.int8)
    words[list(found.rows)] = 1
    exact = np.array([text in letters for text in judged.test.texts], dtype=np.int8)
    for _ in jobs:
        counts = {"texts": found.texts, "exact": found.exact, "normalised": found.normalised}
        facts = {"status": "finished", "note": None, "judged": found.judged, "known": found.known} | counts
        yield Outcome(facts, {"copies": {"exact": exact, "normalised": words}})


def _check(run: Results) -> list[str]:
    """Count the table again."""
    table, facts = run.table("copies"), run.facts
    counts = {"texts": len(table["exact"])} | {name: int(table[name].sum()) for name in COLUMNS}
    return [
        f"the facts say {facts[name]:,} of {name}, its table {count:,}"
        for name, count in counts.items()
        if facts[name] != count
    ]


def overlap_of(run: Results) -> Overlap:
    """Return what a run counted."""
    from gradlab.data import Overlap

    own = run.facts
    return Overlap(own["judged"], own["known"], "test", own["texts"], own["exact"], own["normalised"])


def _flags(_label: str, runs: Sequence[Results]) -> list[str]:
    return [overlap_of(runs[0]).describe().rstrip(".")]


def _describe(_procedure: TextOverlap, run: Results) -> dict[str, Any]:
    return {"parameters": 0, "layers": overlap_of(run).describe(), "recipe": "counted, not trained"}


def _share(column: str) -> Measure:
    return Measure(
        COLUMNS[column].replace("copied", "test texts copied"),
        "fraction",
        "lower",
        lambda run: float(run.table("copies")[column].mean()),
        range=(0.0, 1.0),
        learns=False,
    )


def _cost(procedure: TextOverlap, counts: Mapping[str, Mapping[str, int]]) -> float:
    return 1e-3 * (counts[procedure.data].get("test", 1) + counts[procedure.known].get("train", 1))


TEXT_OVERLAP = Kind(
    name="text-overlap",
    title="copies of test texts",
    configuration=TextOverlap,
    reads="text",
    asks=lambda procedure: ((procedure.data, ("test",)), (procedure.known, ("train",))),
    work=_work,
    tables={"copies": {name: Column(told, "fraction", (0.0, 1.0)) for name, told in COLUMNS.items()}},
    measures={one.name: one for one in map(_share, COLUMNS)},
    check=_check,
    flags=_flags,
    qualifies_all=True,
    describe=_describe,
    draws=False,
    cost=_cost,
    software=(),
)
