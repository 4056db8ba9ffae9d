"""`gradlab.run` and `gradlab.plan`: a study by name, from its parameters to its report."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradlab.data.contents import DataInfo
from gradlab.lab.design import Design
from gradlab.lab.run import Request, facts_of, run_design
from gradlab.result import Result
from gradlab.studies import STUDIES, Setup, build_design
from gradlab.studies.setup import PRESETS, Preset
from gradlab.training.recipe import Precision
from gradlab.types import UserError, did_you_mean

if TYPE_CHECKING:
    from gradlab.data import Dataset
    from gradlab.lab.plan import StudyPlan

DEFAULT_SEEDS = 6


def run(
    study: str,
    *,
    preset: Preset = "quick",
    data: str | Path | Dataset = "digits",
    data_dir: str | Path | None = None,
    seeds: int = DEFAULT_SEEDS,
    first_seed: int = 0,
    device: str = "auto",
    precision: Precision = "fp32",
    out: str | Path = "runs",
    tracker: str | Sequence[str] = (),
    progress: bool | None = None,
    command: str | None = None,
    **parameters: Any,
) -> Result:
    """Run a study and write its report; what has been run before is not run again.

    Args:
        study: a name that `gradlab list` shows.
        preset: "quick" (about a minute), "standard" (a laptop, at most half an hour) or "full" (as published).
        data: a name that `gradlab data list` shows, a path, or a Dataset.
        data_dir: where data sets lie; GRADLAB_DATA if not given.
        seeds: how many, paired across arms. first_seed: of them; another one repeats the study afresh.
        device: "auto", "cpu", "cuda" or "mps". precision: "fp32", "bf16", "fp16" (not on a CPU) or "fp64".
        out: folder that holds records and reports; nothing is read from another folder.
        tracker: "tensorboard", "wandb", or several.
        progress: live display on stderr; by default as the terminal allows.
        command: how to run this again, for the report.
        parameters: the study's own, such as depths=(2, 32).

    Raises:
        UserError: one sentence that says what to mend; finished runs are kept.
    """
    design, request, facts = prepare(
        study,
        preset=preset,
        data=data,
        data_dir=data_dir,
        seeds=seeds,
        first_seed=first_seed,
        device=device,
        precision=precision,
        out=out,
        parameters=parameters,
        command=command,
    )
    from gradlab.lab.progress import study_progress
    from gradlab.lab.trackers import open_trackers

    names = (tracker,) if isinstance(tracker, str) else tuple(tracker)
    folder = request.out / "reports" / report_name(design, request, facts)
    with open_trackers(names, request.out, design) as track, study_progress(progress) as show:

        def hear(event: dict[str, Any]) -> None:
            show(event)
            track(event)

        results = run_design(design, request, facts, on_event=hear)
    write_when_changed(results, folder)
    return Result(results, folder)


def plan(study: str, **arguments: Any) -> StudyPlan:
    """Say what a study would cost and what it could detect, before anything runs; arguments as for `run`."""
    from gradlab.lab.plan import plan_design

    chosen = {"preset": "quick", "data": "digits", "data_dir": None, "seeds": DEFAULT_SEEDS, "first_seed": 0}
    chosen |= {"device": "auto", "precision": "fp32", "out": "runs", "command": None}
    own = {name: arguments.pop(name) for name in list(arguments) if name in chosen}
    design, request, facts = prepare(study, parameters=arguments, **(chosen | own))
    return plan_design(design, request, facts)


def prepare(
    study: str,
    *,
    preset: str,
    data: str | Path | Dataset,
    data_dir: str | Path | None,
    seeds: int,
    first_seed: int,
    device: str,
    precision: Precision,
    out: str | Path,
    parameters: Mapping[str, Any],
    command: str | None,
) -> tuple[Design, Request, DataInfo]:
    """Check what is asked for and fill in the study's design, without running anything."""
    if study not in STUDIES:
        raise UserError(f"unknown study '{study}'; {did_you_mean(study, list(STUDIES))}")
    if preset not in PRESETS:
        raise UserError(f"unknown preset '{preset}'; {did_you_mean(preset, PRESETS)}")
    if seeds < 1:
        raise UserError(f"seeds counts repetitions and must be at least 1, got {seeds}; 6 is the default.")
    if first_seed < 0:
        raise UserError(f"first_seed must be at least 0, got {first_seed}.")
    in_memory = not isinstance(data, (str, Path))
    request = Request(
        preset=preset,
        data=data.name if in_memory else str(data),  # type: ignore[union-attr]
        data_dir=None if data_dir is None else str(data_dir),
        dataset=data if in_memory else None,  # type: ignore[arg-type]
        seeds=tuple(range(first_seed, first_seed + seeds)),
        out=Path(out),
        device=device,
        precision=precision,
        command=command or "",
    )
    facts = facts_of(request)
    for part in ("train", "test"):
        if not facts.counts.get(part):
            raise UserError(
                f"'{facts.name}' has no {part} images here, and study '{study}' needs them; choose other data."
            )
    setup = Setup(
        preset=preset,  # type: ignore[arg-type]
        data=facts.name,
        train_images=facts.counts["train"],
        class_count=len(facts.class_names),
        precision=precision,
    )
    design = build_design(STUDIES[study], study, setup, parameters)
    shown = " ".join([f"gradlab run {study}", f"--preset {preset} --data {facts.name} --seeds {seeds}"])
    options = {"--first-seed": first_seed or None, "--precision": None if precision == "fp32" else precision}
    options |= {f"--{name.replace('_', '-')}": value for name, value in parameters.items()}
    for option, value in options.items():
        if value is not None:
            text = " ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
            shown += f" {option} {text}"
    return design, replace(request, command=command or shown), facts


def report_name(design: Design, request: Request, facts: DataInfo) -> str:
    """Return the name of the report's folder, such as residual-mlp-digits-quick."""
    return re.sub(r"[^\w.-]+", "-", f"{design.study}-{facts.name}-{request.preset}")


def write_when_changed(results: dict[str, Any], folder: Path) -> None:
    """Write the report unless this very result stands there already."""
    from gradlab.report import write_report

    text = json.dumps(results, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    stamp = folder / "manifest.json"
    if (
        stamp.exists()
        and (folder / "results.json").exists()
        and (folder / "results.json").read_text() == text
    ):
        listed = json.loads(stamp.read_text())
        if all(
            (folder / name).exists() and _checksum(folder / name) == value for name, value in listed.items()
        ):
            return
    write_report(results, folder)
    write_manifest(folder)


def write_manifest(folder: Path) -> None:
    """Write manifest.json: the SHA-256 of every file of a report."""
    stamp = folder / "manifest.json"
    names = sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path != stamp
    )
    temporary = folder / f".manifest.{os.getpid()}.tmp"
    temporary.write_text(json.dumps({name: _checksum(folder / name) for name in names}, indent=1) + "\n")
    os.replace(temporary, stamp)


def _checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
