"""`gradlab plan STUDY`: time and detectable effects before anything runs."""

from __future__ import annotations

import json as json_module
import math
import sys
from typing import TYPE_CHECKING, Any

from gradlab.cli._studies import study_app
from gradlab.cli._tables import print_table, say
from gradlab.cli._text import duration
from gradlab.lab.kinds import measures_of
from gradlab.procedures import PROCEDURES
from gradlab.report.levels import arm_of, at_level
from gradlab.report.numbers import Unit, minus, number, unit_of
from gradlab.studies import STUDIES
from gradlab.studies.setup import parameters_of

if TYPE_CHECKING:
    from gradlab.lab.planning import ArmPlan, ClaimPlan, StudyPlan


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
    if options.get("precision") == "bf16":
        from gradlab.training.device import resolve_device
        from gradlab.training.number_format import precision_note

        say(precision_note("bf16", resolve_device(options["device"])))
    return 0


def print_plan(found: StudyPlan) -> None:
    """Print the time of every arm, and from which true difference on every claim would be supported."""
    say(f"{found.study}: {_time(found)}")
    rows = [(arm.arm, arm.runs, arm.done, _cost(arm)) for arm in found.arms]
    print_table(("arm", "runs", "done", "time of one core"), rows, wraps=("time of one core",))
    if all(claim.detectable == (None, None) and claim.kind != "same" for claim in found.claims):
        say("\nOne seed shows no spread, so no claim can be decided; take at least two.")
        return
    say("\nA claim is supported with a power of 80 % where the true difference is:")
    units = {claim: _unit(claim) for claim in found.claims}
    effects = [
        (claim.claim, *(_level(claim) or (_compared(claim), _asked(claim, unit), _found(claim, unit.scale))))
        for claim, unit in units.items()
    ]
    said = "true value" if any(map(_level, units)) else "true difference"
    print_table(("claim", "comparison", "asks for", said), effects, wraps=("comparison", said))
    if any(told.startswith("none") for *_, told in effects):
        say("\n(none: not even arms that are truly equal would be found equal that often.)")
    say(f"\n{_spread(units)}")
    for text in found.out_of_reach:
        say(text)


def _cost(arm: ArmPlan) -> str:
    if arm.done == arm.runs:
        return "–"
    return f"with {arm.shares}" if arm.shares else duration(arm.seconds)


def _time(found: StudyPlan) -> str:
    if all(arm.done == arm.runs for arm in found.arms):
        return "nothing to run, all runs have records."
    bound = "at most" if found.is_upper_bound else "about"
    processes = "1 process" if found.workers == 1 else f"{found.workers} processes"
    if not found.place:
        return f"{bound} {duration(found.seconds)} on {processes}."
    whole = duration(sum(arm.seconds for arm in found.arms))
    return (
        f"{bound} {duration(found.seconds)} on {processes} of {found.place}, {whole} of one core in all, if its cores are as "
        "fast as this machine's, on which a few steps were timed."
    )


def _unit(claim: ClaimPlan) -> Unit:
    measure = measures_of(PROCEDURES)[claim.measure]
    unit = unit_of(measure.unit)
    return unit._replace(word=unit.word or measure.unit)


def _compared(claim: ClaimPlan) -> str:
    return claim.label if claim.label == claim.measure else f"{claim.label} ({claim.measure})"


def _level(claim: ClaimPlan) -> tuple[str, str, str] | None:
    """Return the row of a claim about one arm's measure, in terms of the measure; None for a difference."""
    contrast = {} if claim.contrast is None else vars(claim.contrast)
    arm = arm_of(contrast)
    if arm is None or claim.kind == "same":
        return None
    measure = measures_of(PROCEDURES)[claim.measure]
    asked = {"kind": claim.kind, "delta": claim.delta, "unit": measure.unit}
    ends = [at_level(asked | {"estimate": end}, contrast)["against"] for end in claim.detectable]
    first, last = (minus(end.shown.estimate) for end in ends)
    side = "≥" if ends[0].asked.startswith("above") else "≤"
    told = f"{side} {first}" + (f" to {last}" if last != first else "")
    reached = claim.detectable[1]
    if reached is not None and measure.range is not None:
        value = (reached - contrast["constant"]) / contrast["weights"][arm]
        if not measure.range[0] <= value <= measure.range[1]:
            told = f"{side} {first}, if at all"
    return f"{claim.measure} of {arm}", ends[0].asked, told


def _asked(claim: ClaimPlan, unit: Unit) -> str:
    size = f"{claim.delta * unit.scale:.4g}"
    size = f"{size} {unit.word.removesuffix('s') if size == '1' else unit.word}".strip()
    return {"more": f"> {size}", "same": f"±{size}", "not less": f"> −{size}"}[claim.kind]


def _found(claim: ClaimPlan, scale: float) -> str:
    """Say the true difference, with two digits of the smallest one that matters."""
    low, high = claim.detectable
    digits = max(0, 1 - math.floor(math.log10(claim.delta * scale)))
    ends = [None if end is None else minus(number(end * scale, digits)) for end in (low, high)]
    if claim.kind == "same":  # the wider spread shows less
        last, first = ends
        if first is None:
            return "none" if last is None else f"none or ≤ {last}"
        return f"≤ {last}" if first == last else f"≤ {first} to {last}"
    return f"≥ {ends[0]}" if ends[0] == ends[1] else f"≥ {ends[0]} to {ends[1]}"


def _spread(units: dict[ClaimPlan, Unit]) -> str:
    """Say which standard deviations the plan counts on, and where they come from."""
    told: dict[tuple[str, str], tuple[list[float], list[float]]] = {}
    for claim, unit in units.items():
        seeds, samples = told.setdefault((claim.source, unit.word), ([], []))
        seeds += [end * unit.scale for end in claim.sd]
        samples += [end * unit.scale for end in claim.sample_sd or ()]
    texts = []
    for (source, word), (seeds, samples) in told.items():
        over = f"{_span(seeds)} {word}".strip() + " over seeds"
        over += f", {_span(samples)} over test images" if samples else ""
        texts.append(f"{over} ({source})")
    return f"It counts on these standard deviations of the paired differences: {'; '.join(texts)}."


def _span(ends: list[float]) -> str:
    low, high = f"{min(ends):.2g}", f"{max(ends):.2g}"
    return low if low == high else f"{low} to {high}"


app = study_app(
    "plan",
    "Estimate a study's running time and the smallest effect it can detect, before anything runs.",
    _plan,
    {},
)
