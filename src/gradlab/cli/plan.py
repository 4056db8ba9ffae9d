"""`gradlab plan STUDY`: time and detectable effects before anything runs."""

from __future__ import annotations

import json as json_module
import sys
from typing import TYPE_CHECKING, Any

from gradlab.cli._studies import study_app
from gradlab.cli._tables import print_table, say
from gradlab.cli._text import duration
from gradlab.lab.kinds import measures_of
from gradlab.procedures import PROCEDURES
from gradlab.report.numbers import unit_of
from gradlab.studies import STUDIES
from gradlab.studies.setup import parameters_of

if TYPE_CHECKING:
    from gradlab.lab.planning import ClaimPlan, StudyPlan


def _plan(study: str, *, json: bool, **options: Any) -> int:
    from gradlab.running import plan

    own = parameters_of(STUDIES[study])
    found = plan(
        study, **{key: value for key, value in options.items() if key not in own or value is not None}
    )
    if json:
        sys.stdout.write(json_module.dumps(found.as_record(), indent=1) + "\n")
        return 0
    print_plan(found)
    return 0


def print_plan(found: StudyPlan) -> None:
    """Print the time of every arm and what every claim could find."""
    say(f"{found.study}: {_time(found)}")
    rows = [(arm.arm, arm.runs, arm.done, duration(arm.seconds)) for arm in found.arms]
    print_table(("arm", "runs", "done", "time of one core"), rows)
    say("\nSmallest true effect that these seeds find with a power of 80 %:")
    effects: list[tuple[str, ...]] = []
    sources, measures = [], measures_of(PROCEDURES)
    for claim in found.claims:
        unit = unit_of(measures[claim.measure].unit)
        word = unit.word or measures[claim.measure].unit
        sources.append(claim.source)
        delta = _range((claim.delta, claim.delta), unit.scale, word)
        effect, spread = _found(claim, unit.scale, word), _range(claim.sd, unit.scale)
        effects.append((claim.claim, claim.label, claim.measure, delta, effect, spread))
    print_table(("claim", "part", "measure", "matters from", "found from", "seed SD"), effects)
    told = ", ".join(dict.fromkeys(sources))
    say(f"\nSeed SD: of the paired difference over seeds, in the same unit ({told}).")


def _time(found: StudyPlan) -> str:
    if all(arm.done == arm.runs for arm in found.arms):
        return "nothing to run, all runs have records."
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
