"""`gradlab plan STUDY`: time and detectable effects before anything runs."""

from __future__ import annotations

import json as json_module
import sys
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from gradlab.cli._studies import study_app
from gradlab.cli._text import duration
from gradlab.lab.measures import MEASURES
from gradlab.report.numbers import unit_of
from gradlab.studies import STUDIES
from gradlab.studies.setup import parameters_of

if TYPE_CHECKING:
    from gradlab.lab.plan import ClaimPlan, StudyPlan


def _plan(study: str, *, json: bool, **options: Any) -> int:
    from gradlab.running import plan

    own = parameters_of(STUDIES[study])
    found = plan(
        study, **{key: value for key, value in options.items() if key not in own or value is not None}
    )
    if json:
        sys.stdout.write(json_module.dumps(found.as_record(), indent=1) + "\n")
        return 0
    print_plan(found, Console())
    return 0


def print_plan(found: StudyPlan, console: Console) -> None:
    """Print the time of every arm and what every claim could find."""
    console.print(f"{found.study}: {_time(found)}", highlight=False)
    table = Table("arm", "runs", "done", "time of one core", box=None, pad_edge=False)
    for arm in found.arms:
        table.add_row(arm.arm, str(arm.runs), str(arm.done), duration(arm.seconds))
    console.print(table)
    console.print("\nSmallest true effect that these seeds find with a power of 80 %:", highlight=False)
    table = Table(
        "claim", "part", "measure", "matters from", "found from", "seed SD", box=None, pad_edge=False
    )
    sources = []
    for claim in found.claims:
        unit = unit_of(MEASURES[claim.measure].unit)
        word = unit.word or MEASURES[claim.measure].unit
        sources.append(claim.source)
        table.add_row(
            claim.claim,
            claim.label,
            claim.measure,
            _range((claim.delta, claim.delta), unit.scale, word),
            _found(claim, unit.scale, word),
            _range(claim.sd, unit.scale),
        )
    console.print(table)
    told = ", ".join(dict.fromkeys(sources))
    console.print(
        f"\nSeed SD: of the paired difference over seeds, in the same unit ({told}).", highlight=False
    )


def _time(found: StudyPlan) -> str:
    if all(arm.done == arm.runs for arm in found.arms):
        return "nothing to train, all runs have records."
    bound = "at most" if found.is_upper_bound else "about"
    processes = "1 process" if found.workers == 1 else f"{found.workers} processes"
    return f"{bound} {duration(found.seconds)} on {processes}."


def _range(ends: tuple[float, float], scale: float, word: str = "") -> str:
    low, high = (f"{end * scale:.2g}" for end in ends)
    text = low if low == high else f"{low} to {high}"
    return f"{text} {word.removesuffix('s') if text == '1' else word}".strip()


def _found(claim: ClaimPlan, scale: float, word: str) -> str:
    low, high = claim.detectable
    return "one seed tells nothing" if low is None or high is None else _range((low, high), scale, word)


app = study_app(
    "plan", "Say what a study would cost and could detect, from a few timed steps.", _plan, {}, sort_key=2
)
