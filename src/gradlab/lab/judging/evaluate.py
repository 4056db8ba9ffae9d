"""From a design and its runs to results.json: claims with verdicts, tables and figures, all recomputable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from gradlab.lab.designing.design import OWN, Arm, Design, Twins, dump_design
from gradlab.lab.designing.procedure import Pick, walk
from gradlab.lab.judging.answer import answer
from gradlab.lab.judging.claims import judge_claim
from gradlab.lab.judging.figures import draw_figures
from gradlab.lab.judging.look import Look
from gradlab.lab.judging.results import Results
from gradlab.lab.judging.summaries import Summaries, without_claim
from gradlab.lab.judging.tables import Told, build_table, clean, mean_interval
from gradlab.lab.kinds import Kind, Measure
from gradlab.lab.records.binding import Bound, Conditions
from gradlab.lab.records.record import Run

FORMAT = 2


@dataclass(frozen=True)
class Context:
    """What a result depends on besides design and records."""

    preset: str
    data: str
    data_checksum: str
    seeds: tuple[int, ...]
    looks: Mapping[str, Look]
    command: str
    conditions: Conditions
    asked: Mapping[str, Any] = field(default_factory=dict)
    data_notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Study:
    """A design with its runs: what claims, tables and figures are computed from.

    Attributes:
        bound: (arm, seed) -> its binding. runs: hash -> run, also of what arms rest on.
        summaries: of arms without a claim, in a small form or for writing one; None where all of their samples are there.
    """

    design: Design
    context: Context
    bound: Mapping[tuple[str, int], Bound]
    runs: Mapping[str, Run]
    kinds: Mapping[str, Kind]
    summaries: Summaries | None = None

    @cached_property
    def arms(self) -> dict[str, list[Results]]:
        """Arm -> its runs, in the order of the seeds."""
        return {
            arm.name: [self._results(self.bound[arm.name, seed], arm.at) for seed in self.context.seeds]
            for arm in self.design.arms
        }

    @cached_property
    def learned(self) -> dict[str, list[bool]]:
        """Arm -> whether each of its runs learned."""
        return {arm: [run.has_learned for run in runs] for arm, runs in self.arms.items()}

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds, in their order."""
        return self.context.seeds

    def measure_of(self, arm: str, name: str) -> Measure | None:
        """Return a measure as the kind of an arm has it; None where it has none of this name."""
        return self.arms[arm][0].kind.measures.get(name)

    def interval_of(self, measure: Measure, arm: str) -> Told:
        """Return mean, 95 % interval over seeds and test samples, and the seeds' values of a measure of an arm."""
        if self.summaries is not None and arm in self._summarised:
            return self.summaries.interval(measure, arm, self.arms[arm])
        return mean_interval(measure, self.arms[arm])

    @cached_property
    def _summarised(self) -> frozenset[str]:
        return without_claim(self.design, self.kinds)

    def is_given(self, arm: str) -> bool:
        """Whether an arm is about one network that was there before, and no other was trained for it: it has no seeds."""
        procedure = self.design.arm(arm).procedure
        kinds = [self.kinds[one.kind] for one in walk(procedure) if not isinstance(one, Pick)]
        trains = any(kind.work is not None and kind.network is not None and kind.draws for kind in kinds)
        return any(kind.work is None for kind in kinds) and not trains

    def _results(self, bound: Bound, at: Mapping[str, Any]) -> Results:
        run = self.runs[bound.hash]
        below = {name: self._results(one, {}) for name, one in bound.inputs.items() if one.has_record}
        return Results(run, self.kinds[bound.procedure.kind], at, below)


def evaluate(
    design: Design,
    opened: Any,
    context: Context,
    kinds: Mapping[str, Kind],
    summaries: Summaries | None = None,
) -> dict[str, Any]:
    """Compute everything that a report shows from a design and its runs.

    Args:
        design: the study with its parameters filled in.
        opened: with `bound`, (arm, seed) -> binding, and `runs`, hash -> run.
        context: preset, data, seeds, look and conditions.
        summaries: of arms without a claim, where a small form is read or written.

    Returns: the content of results.json; plain JSON values, no NaN.
    """
    study = Study(design, context, opened.bound, opened.runs, kinds, summaries)
    claims = [judge_claim(claim, study) for claim in design.claims]
    main = [arm for arm in design.arms if not arm.is_pick]
    result = {
        "format": FORMAT,
        "study": design.study,
        "title": design.title,
        "question": design.question,
        "background": design.background,
        "preset": context.preset,
        "data": context.data,
        "setting": design.setting,
        "setting_text": design.setting_text,
        "same_setting": None if design.setting == OWN else not design.deviations,
        "other_setting": "; ".join(design.deviations) or None,
        "corrections": list(design.corrections),
        "parameters": design.parameters,
        "seeds": list(context.seeds),
        "look": max((look.number for look in context.looks.values()), default=1),
        "looks": {name: asdict(look) for name, look in context.looks.items()},
        "answer": answer(study, claims),
        "claims": claims,
        "tables": {table.name: build_table(table, study) for table in design.tables},
        "figures": draw_figures(study),
        "alarms": [alarm for arm in main for alarm in _alarms(arm, study)],
        "arms": [_arm(arm, study) for arm in main],
        "twins": [_twins(pair, study) for pair in design.twins],
        "runs": [_run(arm, place, seed, study) for arm in main for place, seed in enumerate(study.seeds)],
        "rests_on": list(_rests_on(study, main)),
        "provenance": _provenance(study),
        "cost": _cost(study, main),
        "conditions": _told(context.conditions),
        "asked": context.asked,
        "design": dump_design(design),
    }
    return clean(result)  # type: ignore[no-any-return]


def _told(conditions: Conditions) -> dict[str, Any]:
    """Return the conditions for a result; how many processes divide a training is said where there are several."""
    found = asdict(conditions)
    return (
        found
        if conditions.processes > 1
        else {key: value for key, value in found.items() if key != "processes"}
    )


def _alarms(arm: Arm, study: Study) -> list[dict[str, Any]]:
    return study.kinds[arm.procedure.kind].alarms(arm.label, study.arms[arm.name])


def _arm(arm: Arm, study: Study) -> dict[str, Any]:
    first = study.arms[arm.name][0]
    told = {"parameters": None, "layers": "", "recipe": ""} | first.kind.describe(arm.procedure, first)
    return {"name": arm.name, "label": arm.label, "factors": arm.factors, "kind": arm.procedure.kind, **told}


def _twins(pair: Twins, study: Study) -> dict[str, Any]:
    """Say in what two arms differ, and what they share; start weights are compared, not assumed."""
    first, second = (
        study.runs[study.bound[name, study.seeds[0]].hash].spec["procedure"] for name in (pair.a, pair.b)
    )
    differences = [
        f"{name}: {_shown(a)} / {_shown(b)}"
        for name, (a, b) in _different(first, second).items()
        if name != "data"
    ]
    runs = [study.arms[name] for name in (pair.a, pair.b)]
    counts = [of_arm[0].facts.get("parameters") for of_arm in runs]
    same = ["data order"]
    if counts[0] == counts[1] and counts[0] is not None:
        same.insert(0, f"parameters {counts[0]:,}")
    elif None not in counts:
        differences.append(f"parameters: {counts[0]:,} / {counts[1]:,}")
    starts = [(a.facts.get("start"), b.facts.get("start")) for a, b in zip(*runs, strict=True)]
    equal = sum(a == b for a, b in starts if a is not None)
    told = f"start weights bit-equal in {equal} of {len(starts)} seeds"
    (same if equal == len(starts) else differences).append(told)
    return {"a": pair.a, "b": pair.b, "differences": differences, "same": same}


def _different(a: Any, b: Any, path: str = "") -> dict[str, tuple[Any, Any]]:
    if isinstance(a, dict) and isinstance(b, dict):
        found: dict[str, tuple[Any, Any]] = {}
        for name in sorted({**a, **b}):
            found |= _different(a.get(name), b.get(name), name)
        return found
    return {} if a == b else {path: (a, b)}


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _run(arm: Arm, place: int, seed: int, study: Study) -> dict[str, Any]:
    run = study.arms[arm.name][place]
    return {
        "arm": arm.name,
        "seed": seed,
        "record": run.run.hash,
        "digest": run.run.digest,
        "status": run.facts.get("status", "finished"),
        "learned": study.learned[arm.name][place],
        "note": run.facts.get("note"),
    }


def _rests_on(study: Study, main: Sequence[Arm]) -> Iterator[dict[str, Any]]:
    """Name the further runs: what arms read, and what a choice could have taken."""
    shown = {study.bound[arm.name, seed].hash for arm in main for seed in study.seeds}
    for name, run in study.runs.items():
        if name not in shown:
            yield {"record": name, "digest": run.digest, "kind": run.spec["procedure"]["kind"]}


def _provenance(study: Study) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    software = dict.fromkeys(name for run in study.runs.values() for name in run.spec["software"])
    for name in ("gradlab", "python", *software, "commit", "processor", "date"):
        values = sorted(
            {str(run.made[name]) for run in study.runs.values() if run.made.get(name) is not None}
        )
        merged[name] = " / ".join(values) or None
    context = study.context
    return merged | {
        "data_checksum": context.data_checksum,
        "data_notes": list(context.data_notes),
        "device": context.conditions.device,
        "precision": context.conditions.precision,
        "threads": context.conditions.threads,
        "command": context.command,
    }


def _cost(study: Study, main: Sequence[Arm]) -> dict[str, Any]:
    per_arm: list[dict[str, Any]] = []
    counted: set[str] = set()
    for arm in main:
        runs = {run.run.hash: run for run in study.arms[arm.name]}
        fresh = [run for name, run in runs.items() if name not in counted]
        counted |= set(runs)
        per_arm.append(
            {
                "arm": arm.name,
                "seconds": round(sum(run.seconds for run in fresh), 2),
                "peak_memory_mb": round(
                    max(float(run.run.made["peak_memory_mb"]) for run in runs.values()), 1
                ),
            }
        )
    below = sum(float(run.made["seconds"]) for name, run in study.runs.items() if name not in counted)
    return {
        "seconds": round(sum(row["seconds"] for row in per_arm) + below, 2),
        "runs": len(study.runs),
        "peak_memory_mb": max((row["peak_memory_mb"] for row in per_arm), default=0.0),
        "per_arm": per_arm,
    }
