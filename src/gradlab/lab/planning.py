"""What a study would cost and could detect, from a few timed steps and from earlier records, before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from gradlab.lab._spread import spread_of
from gradlab.lab._timing import seconds_of
from gradlab.lab.designing.claims import Claim, Kind, Part
from gradlab.lab.designing.design import Design, name_of
from gradlab.lab.designing.procedure import Pick, walk
from gradlab.lab.kinds import kind_of
from gradlab.lab.records.binding import Binder, Bound, PendingError
from gradlab.lab.running.cluster import needs_of
from gradlab.lab.running.conditions import bind_design
from gradlab.lab.running.executing import cost_of, lives_here
from gradlab.lab.running.local import usable_cores
from gradlab.lab.running.ray import ray_cluster
from gradlab.lab.running.ready import device_kind
from gradlab.lab.running.request import Request
from gradlab.lab.running.units import Unit, path_costs, units
from gradlab.statistics import Contrast
from gradlab.statistics import plan as plan_power
from gradlab.types import UserError

STEADIEST, CLOSEST = 0.001, 0.05
"""Standard deviations of the difference between two networks that agree nearly always: over seeds, and over test images."""
START_SECONDS = 6.0
"""A worker's start: interpreter, torch and data."""


@dataclass(frozen=True)
class ArmPlan:
    """Cost of one arm: seconds of one core, and how many of its runs have records already.

    Attributes:
        shares: the arm before it whose runs are these, so that they cost nothing more; None where there is none.
    """

    arm: str
    seconds: float
    runs: int
    done: int
    shares: str | None = None


@dataclass(frozen=True)
class ClaimPlan:
    """What a claim could detect.

    Attributes:
        sd: of the paired difference over seeds, (low, high). sample_sd: over test images, None where none count.
        source: where they come from.
        detectable: true difference from which ("same": up to which) the claim is supported with a power of 80 %, in all
            its parts together, (low, high), in the measure's unit; None where no difference is, and with one seed.
        contrast: what is compared.
    """

    claim: str
    label: str
    measure: str
    kind: Kind
    delta: float
    sd: tuple[float, float]
    sample_sd: tuple[float, float] | None
    source: str
    detectable: tuple[float | None, float | None]
    contrast: Contrast | None = field(default=None, hash=False)


@dataclass(frozen=True)
class StudyPlan:
    """Time and detectable effects of a study.

    Attributes:
        seconds: wall time on `workers` processes; with early stopping an upper bound.
        out_of_reach: claims that will probably stay open, with the reason.
        place: of the processes, such as "the Ray cluster at 10.0.0.1:6379"; "" is this machine.
    """

    study: str
    seconds: float
    workers: int
    arms: tuple[ArmPlan, ...]
    claims: tuple[ClaimPlan, ...]
    is_upper_bound: bool
    out_of_reach: tuple[str, ...] = ()
    place: str = ""

    def as_record(self) -> dict[str, Any]:
        """Return the plan as plain JSON data."""
        return asdict(self)


def plan_design(design: Design, request: Request) -> StudyPlan:
    """Time a few steps of what has to run, and work out what the seeds can detect.

    What a `Pick` will choose is not known yet; its first candidate stands for it.

    Raises:
        UserError: the arms are a user's own modules or the data is in memory: time a fit of your own instead.
    """
    if any(lives_here(procedure, request) for procedure in design.procedures):
        raise UserError(
            "plan times data sets and models that have a name; for your own, time one gradlab.training.fit."
        )
    certain = bind_design(design, request, device_kind(request.device, request.executor))
    binder = Binder(certain.kinds, certain.conditions, lambda pick, among: _choose(pick, among, certain))
    missing = _missing(design, request, certain, binder)
    costs = seconds_of(missing, request) if missing else {}
    workers = min(len(missing), _most_workers(request, missing)) or 1
    first: dict[str, str] = {}
    for arm in design.arms:
        first.setdefault(name_of(arm.procedure), arm.name)
    arms = tuple(
        ArmPlan(
            arm=arm.name,
            seconds=round(sum(costs[unit.name] for unit in missing if unit.label == arm.name), 3),
            runs=len(request.seeds),
            done=sum(_is_done(binder.bind(arm.procedure, seed), request) for seed in request.seeds),
            shares=None if first[name_of(arm.procedure)] == arm.name else first[name_of(arm.procedure)],
        )
        for arm in design.arms
    )
    kinds = request.toolbox.kinds
    return StudyPlan(
        study=design.study,
        seconds=round(makespan(missing, costs, workers), 3),
        workers=workers,
        arms=arms,
        claims=tuple(
            _claim_plan(claim, part, design, binder, request)
            for claim in design.claims
            for part in claim.parts
        ),
        is_upper_bound=any(
            kinds[one.kind].may_stop(one)
            for procedure in design.procedures
            for one in walk(procedure)
            if not isinstance(one, Pick)
        ),
        out_of_reach=out_of_reach(design, request),
        place=f"the Ray cluster at {request.address}" if request.address is not None else "",
    )


def _most_workers(request: Request, missing: Sequence[Unit]) -> int:
    """Return how many units run at a time: a cluster that has an address is asked."""
    if request.address is None or not missing:
        return request.workers or usable_cores()
    with ray_cluster(request.address, needs_of(missing[0])) as cluster:
        return cluster.slots


def out_of_reach(design: Design, request: Request) -> tuple[str, ...]:
    """Say which claims these data and seeds are not expected to settle, in one sentence for each reason.

    Those of which the study says so, and those whose equality could not be shown, even if seeds and networks differed as
    little as they ever do (shares of test images alone). Others may stay open all the same.
    """
    found = dict[str, list[str]]()
    for claim in design.claims:
        hopeless = next((part for part in claim.parts if _is_hopeless(part, claim, design, request)), None)
        if claim.reach:
            found.setdefault(claim.reach, []).append(claim.id)
        elif hopeless is not None:
            points = f"{100 * hopeless.delta:g} point{'' if hopeless.delta == 0.01 else 's'}"
            reason = f"even no difference at all could not be told from one of {points}"
            found.setdefault(reason, []).append(claim.id)
    if len(request.seeds) == 1 and not _has_given(design, request):
        return ("Out of reach: every claim (one seed shows no spread; take at least two).",)
    return tuple(f"Probably out of reach: {', '.join(names)} ({reason})." for reason, names in found.items())


def _has_given(design: Design, request: Request) -> bool:
    """Whether something is asked about one network that is there already, which has no seeds."""
    kinds = request.toolbox.kinds
    parts = [one for procedure in design.procedures for one in walk(procedure) if not isinstance(one, Pick)]
    return any(kinds[one.kind].work is None for one in parts)


def _is_hopeless(part: Part, claim: Claim, design: Design, request: Request) -> bool:
    """Whether equality could not be shown even at the smallest spreads; what is said to be more may be more by far."""
    arm = design.arm(next(iter(part.contrast.weights)))
    measure = kind_of(arm.procedure, request.toolbox.kinds).measures.get(part.measure)
    samples = request.info(request.data).counts.get("test") or 0
    if part.kind == "more" or len(request.seeds) < 2 or samples < 2:
        return False
    if measure is None or measure.samples is None or measure.unit != "fraction":
        return False
    largest = plan_power(
        sd=STEADIEST,
        delta=part.delta,
        kind=part.kind,
        seeds=len(request.seeds),
        claims=len(design.claims),
        parts=len(claim.parts),
        samples=samples,
        sample_sd=CLOSEST,
    ).effect[0]
    return largest is None or (part.kind == "not less" and largest > 0)


def _choose(pick: Pick, among: tuple[Bound, ...], certain: Binder) -> int:
    """Choose as the study will; where the candidates have no records yet, the first one."""
    try:
        return certain.choose(pick, among)
    except PendingError:
        return 0


def _is_done(bound: Bound, request: Request) -> bool:
    return not bound.has_record or request.store.find(bound.hash) is not None


def _missing(design: Design, request: Request, certain: Binder, guessed: Binder) -> list[Unit]:
    """Return what has to run: what is certain, and what a choice that waits for it would need."""
    wanted = [(arm.name, arm.procedure) for arm in design.arms]
    found, waits, _ = units(wanted, request.seeds, certain, request.store, cost_of(request))
    if waits:
        known = {unit.name for unit in found}
        more, *_ = units(wanted, request.seeds, guessed, request.store, cost_of(request))
        found += [unit for unit in more if unit.name not in known]
    return found


def makespan(waiting: Sequence[Unit], costs: dict[str, float], workers: int) -> float:
    """Wall time when the costliest chain goes first to whoever is free."""
    if not waiting:
        return 0.5
    order = path_costs(waiting)
    left = sorted(waiting, key=lambda unit: -order[unit.name])
    free, finished = [START_SECONDS] * workers, dict[str, float]()
    planned = {unit.name for unit in waiting}
    while left:
        worker = free.index(min(free))
        now = free[worker]
        ready = next((unit for unit in left if _is_ready(unit, finished, planned, now)), None)
        if ready is None:
            free[worker] = min(end for end in finished.values() if end > now)
            continue
        left.remove(ready)
        free[worker] = finished[ready.name] = now + max(costs[ready.name], 1e-9)
    return max(finished.values())


def _is_ready(unit: Unit, finished: dict[str, float], planned: set[str], now: float) -> bool:
    return all(name not in planned or finished.get(name, now + 1) <= now for name in unit.needs)


def _claim_plan(claim: Claim, part: Part, design: Design, binder: Binder, request: Request) -> ClaimPlan:
    arms = {name: design.arm(name) for name in part.contrast.weights}
    measure = kind_of(next(iter(arms.values())).procedure, binder.kinds).measures[part.measure]
    samples = None
    if measure.samples is not None:
        samples = request.info(request.data).counts.get("test")
    spread = spread_of(part, arms, binder, request, samples)
    detectable: tuple[float | None, float | None] = (None, None)
    if len(request.seeds) > 1:
        detectable = plan_power(
            sd=spread.sd,
            delta=part.delta,
            kind=part.kind,
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
        kind=part.kind,
        delta=part.delta,
        sd=spread.sd,
        sample_sd=None if samples is None else spread.sample_sd,
        source=spread.source,
        detectable=detectable,
        contrast=part.contrast,
    )
