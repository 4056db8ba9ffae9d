"""From a design and its records to results.json: claims with verdicts, tables and figures, all recomputable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from gradlab.lab.alarms import alarms_of_design
from gradlab.lab.answer import answer
from gradlab.lab.choice import chosen_runs, edge_flags
from gradlab.lab.design import Arm, Claim, Custom, Design, Part, Twins, dump_design, read_design
from gradlab.lab.drawings import draw_figures
from gradlab.lab.measures import MEASURES, Results, has_trained
from gradlab.lab.tables import build_table, clean
from gradlab.statistics import Judgement, contrast_values, judge, judge_every
from gradlab.statistics import Part as JudgePart

FORMAT = 1


class Run(Results, Protocol):
    """A record, whole or in small form."""

    @property
    def hash(self) -> str: ...  # noqa: D102
    @property
    def digest(self) -> str: ...  # noqa: D102


@dataclass(frozen=True)
class Context:
    """What a result depends on besides design and records."""

    preset: str
    data: str
    data_checksum: str
    seeds: tuple[int, ...]
    look: int
    precision: str
    device: str
    threads: int
    command: str
    data_notes: tuple[str, ...] = ()


Runs = Mapping[str, Sequence[Run]]
"""Arm name -> its runs, in the order of the seeds."""


def evaluate(design: Design, runs: Runs, context: Context) -> dict[str, Any]:
    """Compute everything that a report shows from a design and its records.

    Args:
        design: the study with its parameters filled in.
        runs: one record for every arm and seed of the context.
        context: preset, data, seeds and look.

    Returns: the content of results.json; plain JSON values, no NaN.
    """
    shown = {**runs, **chosen_runs(design, runs)}
    trained = {arm: np.array([has_trained(run) for run in of_arm]) for arm, of_arm in shown.items()}
    claims = [_claim(claim, design, shown, trained, context) for claim in design.claims]
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
        "same_setting": not design.deviations,
        "other_setting": "; ".join(design.deviations) or None,
        "corrections": list(design.corrections),
        "parameters": design.parameters,
        "seeds": list(context.seeds),
        "look": context.look,
        "answer": answer(claims, design.question),
        "claims": claims,
        "tables": {table.name: build_table(table, design, shown, trained) for table in design.tables},
        "figures": draw_figures(design, shown),
        "alarms": alarms_of_design(design, runs),
        "arms": [_arm(arm, runs[arm.name]) for arm in design.arms],
        "twins": [_twins(pair, design, runs) for pair in design.twins],
        "runs": [
            _run(arm.name, seed, run, bool(ok))
            for arm in design.arms
            for seed, run, ok in zip(context.seeds, runs[arm.name], trained[arm.name], strict=True)
        ],
        "provenance": _provenance(runs, context),
        "cost": _cost(runs),
        "design": dump_design(design),
    }
    return clean(result)  # type: ignore[no-any-return]


def _claim(
    claim: Claim, design: Design, runs: Runs, trained: Mapping[str, np.ndarray], context: Context
) -> dict[str, Any]:
    inputs = {part.label: _judge_part(part, runs, trained) for part in claim.parts}
    common: dict[str, Any] = {"claims": len(design.claims), "look": context.look}
    if len(claim.parts) == 1:
        (one,) = inputs.values()
        found = judge(one.a, delta=one.delta, trained=one.trained, unit=one.unit, **common)
    else:
        found = judge_every(inputs, **common)
    record = found.as_record()
    weakest = next((part for part in claim.parts if part.label == found.weakest), claim.parts[0])
    record["flags"] = [*record["flags"], *_dead_arms(claim, trained), *edge_flags(claim, design, runs)]
    record |= {
        "id": claim.id,
        "statement": claim.statement,
        "measure": weakest.measure,
        "unit": MEASURES[weakest.measure].unit,
        "predicts": claim.predicts,
        "same_setting": not _deviations(claim, design),
        "other_setting": "; ".join(_deviations(claim, design)) or None,
        "published": None if claim.published is None else vars(claim.published) | {},
        "agrees": _agrees(claim, found, design),
        "parts": [_part(part, inputs[part.label], found, context) for part in claim.parts],
    }
    return record


def records_of_losses(results: Mapping[str, Any]) -> set[str]:
    """Name the records whose loss on single test images a claim of these results rests on."""
    design = read_design(results["design"])
    among = {choice.name: choice.among for choice in design.chosen}
    arms = {
        arm
        for claim in design.claims
        for part in claim.parts
        if part.measure == "test loss"
        for name in part.contrast.weights
        for arm in among.get(name, (name,))
    }
    return {run["record"] for run in results["runs"] if run["arm"] in arms}


def _dead_arms(claim: Claim, trained: Mapping[str, np.ndarray]) -> list[str]:
    """Name the arms of a claim about learning in which no run learnt anything."""
    arms = dict.fromkeys(
        arm for part in claim.parts if MEASURES[part.measure].learns for arm in part.contrast.weights
    )
    return [f"no run of {arm} trained" for arm in arms if not trained[arm].any()]


def _judge_part(part: Part, runs: Runs, trained: Mapping[str, np.ndarray]) -> JudgePart:
    measure = MEASURES[part.measure]
    arms = list(part.contrast.weights)
    if measure.samples is not None:
        values = {arm: np.stack([measure.samples(run) for run in runs[arm]]) for arm in arms}
    else:
        values = {arm: np.array([measure.value(run) for run in runs[arm]]) for arm in arms}
    d = contrast_values(part.contrast, values)
    flags = {arm: trained[arm] for arm in arms} if measure.learns else None
    return JudgePart(d, delta=part.delta, trained=flags, unit=measure.unit)


def _part(part: Part, values: JudgePart, found: Judgement, context: Context) -> dict[str, Any]:
    judged = found.parts[part.label] if found.parts else found
    d = np.asarray(values.a)
    return judged.as_record() | {
        "label": part.label,
        "measure": part.measure,
        "unit": MEASURES[part.measure].unit,
        "differences": (d.mean(axis=1) if d.ndim == 2 else d).tolist(),
        "seeds": list(context.seeds),
    }


def _agrees(claim: Claim, found: Judgement, design: Design) -> bool | None:
    """Say whether the verdict is what the publication's wording predicts; None where nothing can be said."""
    if _deviations(claim, design) or claim.published is None or found.verdict == "inconclusive":
        return None
    return found.verdict == claim.predicts


def _deviations(claim: Claim, design: Design) -> tuple[str, ...]:
    """How the setting differs from the published one: the claim's own, else the study's."""
    return design.deviations if claim.deviations is None else claim.deviations


def _arm(arm: Arm, runs: Sequence[Run]) -> dict[str, Any]:
    facts = runs[0].facts
    pixels = int(np.prod(facts["input_shape"]))
    classes = len(facts["class_names"])
    layers = arm.model.name if isinstance(arm.model, Custom) else arm.model.describe(pixels, classes)
    return {
        "name": arm.name,
        "label": arm.label,
        "factors": arm.factors,
        "parameters": facts["parameters"],
        "layers": layers,
        "recipe": arm.recipe.describe(),
    }


def _twins(pair: Twins, design: Design, runs: Runs) -> dict[str, Any]:
    a, b = (next(arm for arm in design.arms if arm.name == name) for name in (pair.a, pair.b))
    first, second = (
        dump_design(design)["arms"][design.arms.index(a)],
        dump_design(design)["arms"][design.arms.index(b)],
    )
    differences = [
        f"{field}: {_shown(first[group].get(field))} / {_shown(second[group].get(field))}"
        for group in ("model", "recipe")
        for field in dict.fromkeys((*first[group], *second[group]))
        if first[group].get(field) != second[group].get(field)
    ]
    counts = [int(runs[name][0].facts["parameters"]) for name in (pair.a, pair.b)]
    same = ["data order", "start weights bit-equal layer by layer"]
    if counts[0] == counts[1]:
        same.insert(0, f"parameters {counts[0]:,}")
    else:
        differences.append(f"parameters: {counts[0]:,} / {counts[1]:,}")
    return {"a": pair.a, "b": pair.b, "differences": differences, "same": same}


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _run(arm: str, seed: int, run: Run, trained: bool) -> dict[str, Any]:
    facts = run.facts
    return {
        "arm": arm,
        "seed": seed,
        "record": run.hash,
        "digest": run.digest,
        "status": facts["status"],
        "trained": trained,
        "note": facts["note"],
    }


def _provenance(runs: Runs, context: Context) -> dict[str, Any]:
    every = [run.facts["provenance"] for of_arm in runs.values() for run in of_arm]
    merged: dict[str, Any] = {}
    for name in ("gradlab", "python", "torch", "commit", "processor", "date"):
        values = sorted({str(one[name]) for one in every if one.get(name) is not None})
        merged[name] = " / ".join(values) or None
    return merged | {
        "data_checksum": context.data_checksum,
        "data_notes": list(context.data_notes),
        "device": context.device,
        "precision": context.precision,
        "threads": context.threads,
        "command": context.command,
    }


def _cost(runs: Runs) -> dict[str, Any]:
    costs = {arm: [run.facts["cost"] for run in of_arm] for arm, of_arm in runs.items()}
    per_arm = [
        {
            "arm": arm,
            "seconds": round(sum(cost["seconds"] for cost in of_arm), 2),
            "peak_memory_mb": round(max(cost["peak_memory_mb"] for cost in of_arm), 1),
        }
        for arm, of_arm in costs.items()
    ]
    return {
        "seconds": round(sum(row["seconds"] for row in per_arm), 2),
        "runs": sum(len(of_arm) for of_arm in runs.values()),
        "peak_memory_mb": max((row["peak_memory_mb"] for row in per_arm), default=0.0),
        "per_arm": per_arm,
    }
