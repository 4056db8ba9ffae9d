"""What a study would cost and could detect, from a few timed steps and from earlier records, before anything runs."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import chdtri

from gradlab.data.contents import DataInfo
from gradlab.lab.design import Claim, Custom, Design, Part
from gradlab.lab.executor import ENVIRONMENT, Block, usable_cores
from gradlab.lab.measures import MEASURES
from gradlab.lab.record import Record
from gradlab.lab.run import Request, arm_specs, device_kind, missing_blocks
from gradlab.lab.spec import RunSpec, dump_spec
from gradlab.statistics import contrast_values
from gradlab.statistics import plan as plan_power
from gradlab.types import UserError

START_SECONDS = 6.0
"""A worker's start: interpreter, torch and data."""
ASSUMED_SD = {
    "fraction": (0.003, 0.02),
    "epochs": (1.0, 4.0),
    "decades": (0.1, 0.5),
    "nats": (0.01, 0.1),
    "layers": (0.5, 3.0),
}
"""Standard deviation of a paired difference over seeds where no earlier record tells it, as a range."""
ASSUMED_SAMPLE_SD = (0.1, 0.4)
"""Likewise over test images of the difference in correctness: 0.1 where two nets disagree on 1 % of the images, 0.4
where they do on 16 %."""


@dataclass(frozen=True)
class ArmPlan:
    """Cost of one arm: seconds of one core, and how many of its runs have records already."""

    arm: str
    seconds: float
    runs: int
    done: int


@dataclass(frozen=True)
class ClaimPlan:
    """What a claim could detect.

    Attributes:
        sd: of the paired difference over seeds, (low, high). sample_sd: over test images, None where none count.
        source: where they come from.
        detectable: smallest true effect that is found with a power of 80 % (in all parts of the claim together),
            (low, high), in the measure's unit; None with one seed, which can show nothing.
    """

    claim: str
    label: str
    measure: str
    delta: float
    sd: tuple[float, float]
    sample_sd: tuple[float, float] | None
    source: str
    detectable: tuple[float, float] | tuple[None, None]


@dataclass(frozen=True)
class StudyPlan:
    """Time and detectable effects of a study.

    Attributes:
        seconds: wall time on `workers` processes; with early stopping an upper bound.
    """

    study: str
    seconds: float
    workers: int
    arms: tuple[ArmPlan, ...]
    claims: tuple[ClaimPlan, ...]
    is_upper_bound: bool

    def as_record(self) -> dict[str, Any]:
        """Return the plan as plain JSON data."""
        return asdict(self)


def plan_design(design: Design, request: Request, data: DataInfo) -> StudyPlan:
    """Time a few steps of every arm that has to run, and work out what the seeds can detect.

    Raises:
        UserError: the arms are a user's own modules or the data is in memory: time a fit of your own instead.
    """
    if request.dataset is not None or any(isinstance(arm.model, Custom) for arm in design.arms):
        raise UserError(
            "plan times data sets and models that have a name; for your own, time one gradlab.training.fit."
        )
    device = device_kind(request.device)
    specs = {arm.name: arm_specs(arm, request, data, device) for arm in design.arms}
    missing = missing_blocks(design.arms, specs, request, data)
    costs = _timed(missing, request) if missing else {}
    workers = min(len(missing), request.workers or usable_cores()) or 1
    arms = tuple(
        ArmPlan(
            arm=arm.name,
            seconds=round(sum(costs[block.name] for block in missing if block.arm == arm.name), 1),
            runs=len(request.seeds),
            done=sum(
                (request.out / "records" / specs[arm.name][seed].hash / "files.json").exists()
                for seed in request.seeds
            ),
        )
        for arm in design.arms
    )
    return StudyPlan(
        study=design.study,
        seconds=round(_makespan([costs[block.name] for block in missing], workers), 1),
        workers=workers,
        arms=arms,
        claims=tuple(
            _claim_plan(claim, part, design, specs, request, data)
            for claim in design.claims
            for part in claim.parts
        ),
        is_upper_bound=any(arm.recipe.stopping is not None for arm in design.arms),
    )


def _makespan(costs: Sequence[float], workers: int) -> float:
    """Wall time when the costliest block goes first to whoever is free."""
    free = [START_SECONDS if costs else 0.5] * workers
    for cost in sorted(costs, reverse=True):
        free[free.index(min(free))] += cost
    return max(free)


def _timed(blocks: Sequence[Block], request: Request) -> dict[str, float]:
    """Time the blocks on as many processes as would run them, so that they get in each other's way as they will."""
    shares = [blocks[start :: usable_cores()] for start in range(min(usable_cores(), len(blocks)))]
    tasks = [
        {
            "data": request.data,
            "data_dir": request.data_dir,
            "blocks": {block.name: [dump_spec(spec) for spec in block.specs] for block in share},
        }
        for share in shares
    ]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "gradlab.lab.timing"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | ENVIRONMENT,
        )
        for _ in tasks
    ]
    costs: dict[str, float] = {}
    for process, task in zip(processes, tasks, strict=True):
        assert process.stdin is not None  # it is a pipe
        process.stdin.write(json.dumps(task))
        process.stdin.close()
        process.stdin = None
    for process in processes:
        answer, log = process.communicate()
        if process.returncode != 0:
            raise UserError(
                f"timing a few steps failed ({log.strip().splitlines()[-1:] or 'no message'}); run the study instead."
            )
        costs |= json.loads(answer)
    return costs


def _claim_plan(
    claim: Claim,
    part: Part,
    design: Design,
    specs: Mapping[str, Mapping[int, RunSpec]],
    request: Request,
    data: DataInfo,
) -> ClaimPlan:
    measure = MEASURES[part.measure]
    spread = _spread(part, specs, request)
    samples = data.counts["test"] if measure.samples is not None else None
    detectable: tuple[float, float] | tuple[None, None] = (None, None)
    if len(request.seeds) > 1:
        detectable = plan_power(
            sd=spread.sd,
            delta=part.delta,
            seeds=len(request.seeds),
            claims=len(design.claims),
            parts=len(claim.parts),
            samples=samples,
            sample_sd=None if samples is None else spread.sample_sd,
        ).effect
    return ClaimPlan(
        claim=claim.id,
        label=part.label,
        measure=part.measure,
        delta=part.delta,
        sd=spread.sd,
        sample_sd=None if samples is None else spread.sample_sd,
        source=spread.source,
        detectable=detectable,
    )


@dataclass(frozen=True)
class _Spread:
    """Standard deviations of a paired difference over seeds and over test images, (low, high) each."""

    sd: tuple[float, float]
    sample_sd: tuple[float, float]
    source: str


def _spread(part: Part, specs: Mapping[str, Mapping[int, RunSpec]], request: Request) -> _Spread:
    """Spread from earlier records of this very comparison, as an 80 % range, else a stated assumption."""
    measure = MEASURES[part.measure]
    values: dict[str, np.ndarray] = {}
    for arm in part.contrast.weights:
        if arm not in specs:  # what tuning will choose is not known yet
            return _Spread(ASSUMED_SD[measure.unit], ASSUMED_SAMPLE_SD, "assumed")
        folders = [request.out / "records" / spec.hash for spec in specs[arm].values()]
        records = [Record(folder) for folder in folders if (folder / "files.json").exists()]
        if len(records) < 3 or len(records) < len(folders):
            return _Spread(ASSUMED_SD[measure.unit], ASSUMED_SAMPLE_SD, "assumed")
        score = measure.samples or measure.value
        values[arm] = np.array([score(record) for record in records])
    d = contrast_values(part.contrast, values)
    by_seed = d.mean(axis=1) if d.ndim == 2 else d
    sd, free = max(float(np.std(by_seed, ddof=1)), 1e-6), len(by_seed) - 1
    low, high = (sd * math.sqrt(free / float(chdtri(free, tail))) for tail in (0.1, 0.9))
    over_images = max(float(np.std(d.mean(axis=0), ddof=1)), 1e-6) if d.ndim == 2 else 1.0
    return _Spread((low, high), (over_images, over_images), f"{len(by_seed)} earlier seeds")
