"""Run a design: what has no record yet, looks, results. Asking again returns what is there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from gradlab.data.contents import DataInfo
from gradlab.lab.designing.claims import Claim
from gradlab.lab.designing.design import Design
from gradlab.lab.designing.procedure import Pick, Procedure, dump_procedure, names_of, walk
from gradlab.lab.judging.choice import choice_of
from gradlab.lab.judging.evaluate import Context, evaluate
from gradlab.lab.judging.look import Look
from gradlab.lab.judging.results import Results
from gradlab.lab.records.binding import (
    Binder,
    Bound,
    Conditions,
    PendingError,
    content_of,
    digest,
    refuse_test_choice,
    software_of,
)
from gradlab.lab.records.record import Record, Run, Store, checksum
from gradlab.lab.running.desk import DataCache, Toolbox
from gradlab.lab.running.here import run_here
from gradlab.lab.running.kept import kept_results, key_of
from gradlab.lab.running.local import Hear, clear_logs, run_units
from gradlab.lab.running.looks import look_at
from gradlab.lab.running.performing import Bench, clear
from gradlab.lab.running.ray import run_on_ray
from gradlab.lab.running.units import Unit, start_of, units
from gradlab.lab.running.worker import disk_message
from gradlab.types import UserError

Executor = Literal["local", "ray"]
THREADS = 1
"""Of PyTorch inside a run."""


@dataclass(frozen=True)
class Request:
    """What is asked for besides the design.

    Attributes:
        preset, data: as asked for. places: name of data -> its path, where it is none of the catalogue.
        info: name of data -> facts about it, without loading it. data_dir: where data sets lie.
        seeds: consecutive. out: folder that holds everything. records: further folders of records, only read.
        command: that made the result, for the provenance. report: name of the report's folder.
        asked: setup and parameters of the study, from which verify builds it afresh.
        executor: "local" or "ray". address: of the head of a Ray cluster; None is this machine.
        memory: data sets that live in this process, by name. modules: a user's own networks, by name.
    """

    toolbox: Toolbox
    preset: str
    data: str
    info: Callable[[str], DataInfo]
    seeds: tuple[int, ...]
    out: Path
    records: tuple[Path, ...] = ()
    data_dir: str | None = None
    places: Mapping[str, str] = field(default_factory=dict)
    memory: Mapping[str, Any] = field(default_factory=dict)
    modules: Mapping[str, Any] = field(default_factory=dict)
    device: str = "auto"
    precision: str = "fp32"
    command: str = ""
    report: str = ""
    asked: Mapping[str, Any] = field(default_factory=dict)
    workers: int | None = None
    executor: Executor = "local"
    address: str | None = None

    @cached_property
    def store(self) -> Store:
        """Where the records are; a record that was found is not looked for again."""
        return Store(self.out / "records", self.records)


def run_design(design: Design, request: Request, *, on_event: Hear = lambda _event: None) -> dict[str, Any]:
    """Run what has no record yet and evaluate the design; errors as for `judge_design`.

    Returns: the content of results.json.
    """
    return judge_design(design, request, on_event=on_event).results


@dataclass(frozen=True)
class Judged:
    """A design that was run: the content of results.json, the identity of its evaluation, and whether it was read from there."""

    results: dict[str, Any]
    key: str
    is_read: bool = False


def judge_design(design: Design, request: Request, *, on_event: Hear = lambda _event: None) -> Judged:
    """Run what has no record yet, and evaluate the design unless its report holds that very evaluation.

    Raises:
        UserError: a run failed, the folder cannot be written, or the disk is full; finished runs are kept.
    """
    binder = bind_design(design, request, make_ready(request))
    try:
        run_procedures([(arm.name, arm.procedure) for arm in design.arms], request, binder, on_event)
        runs = opened(design, request.seeds, binder, request.store)
        context = context_of(request, binder.conditions, looks_of(design, request, binder.conditions))
        key = key_of(design, runs, context)
        kinds = request.toolbox.kinds.values()
        ours = all(
            one.configuration.__module__.startswith("gradlab.") for one in kinds
        )  # whose code the key tells
        kept = (
            kept_results(request.out / "reports" / request.report, key) if request.report and ours else None
        )
        if kept is not None:
            return Judged(kept, key, is_read=True)
        return Judged(evaluate(design, runs, context, request.toolbox.kinds), key)
    except OSError as error:
        raise UserError(disk_message(error)) from error


def run_procedures(
    wanted: Sequence[tuple[str, Procedure]], request: Request, binder: Binder, on_event: Hear
) -> None:
    """Run what of (label, procedure) has no record yet; what a choice waits for comes first."""
    waits = True
    while waits:
        missing, waits, finished = units(wanted, request.seeds, binder, request.store, cost_of(request))
        for name in finished:  # a process may have been killed after its last record
            clear(name, request.out)
        on_event(start_of(missing))
        execute(missing, request, on_event)


def bind_design(design: Design, request: Request, device: str) -> Binder:
    """Return what names the records of a design under the conditions of a request; errors as below."""
    return bind_procedures(list(design.procedures), request, device)


def bind_procedures(procedures: list[Procedure], request: Request, device: str) -> Binder:
    """Return what names the records of procedures under the conditions of a request.

    Raises:
        UserError: data or weights are not there, or hold something else, or a choice would look at test data.
    """
    kinds = request.toolbox.kinds
    for one in (below for procedure in procedures for below in walk(procedure)):
        if isinstance(one, Pick):
            refuse_test_choice(one, kinds)
        else:
            _refuse_other_data(one, request)
    conditions = conditions_of(procedures, request, device)
    return Binder(kinds, conditions, lambda pick, among: _choose(pick, among, request))


def conditions_of(
    procedures: list[Procedure], request: Request, device: str, threads: int = THREADS, processes: int = 1
) -> Conditions:
    """Return what runs of these procedures depend on beside themselves and their seeds."""
    kinds = request.toolbox.kinds
    return Conditions(
        device=device,
        precision=request.precision,
        threads=threads,
        processes=processes,
        checksums=content_of(procedures, lambda name: request.info(name).checksum, _weights_checksum),
        software=software_of(procedures, kinds),
        versions={name: kind.version for name, kind in kinds.items()},
    )


EXAMPLES = {"images": "digits", "text": "rotten-tomatoes"}


def _refuse_other_data(procedure: Procedure, request: Request) -> None:
    """Refuse images where texts are read, and the other way round."""
    reads = request.toolbox.kinds[procedure.kind].reads
    names = list(names_of(procedure))
    if reads == "either":
        reads = request.info(names[0]).holds
    for name in names if reads else ():
        holds = request.info(name).holds
        if holds != reads:
            words = {"images": "images", "text": "texts"}
            raise UserError(
                f"this study reads {words[reads]}, and '{name}' holds {words[holds]}; give data such as {EXAMPLES[reads]}."
            )


def _weights_checksum(path: str) -> str:
    found = checksum(Path(path))
    if not found:
        raise UserError(f"there is no weights file {path}; give the path of a .safetensors file.")
    return f"sha256:{found}"


def _choose(pick: Pick, among: tuple[Bound, ...], request: Request) -> int:
    found = [request.store.find(one.hash) for one in among]
    if any(record is None for record in found):
        raise PendingError(among)
    kinds = request.toolbox.kinds
    results = [Results(one, kinds[one.spec["procedure"]["kind"]]) for one in found if one is not None]
    return choice_of(pick, results)


@dataclass(frozen=True)
class Opened:
    """The runs behind a design.

    Attributes:
        bound: (arm, seed) -> its binding. runs: hash -> run, of arms, of what they rest on, and of what was to choose from.
    """

    bound: Mapping[tuple[str, int], Bound]
    runs: Mapping[str, Run]


def opened(design: Design, seeds: Sequence[int], binder: Binder, store: Store) -> Opened:
    """Open the records of every arm and seed, of all that they rest on, and of all that was to choose from."""
    bound = {(arm.name, seed): binder.bind(arm.procedure, seed) for arm in design.arms for seed in seeds}
    runs: dict[str, Run] = {}
    for arm in design.arms:
        for below in binder.walk(arm.procedure, seeds):
            if below.has_record and below.hash not in runs:
                runs[below.hash] = store.get(below.hash)
    return Opened(bound, runs)


def context_of(request: Request, conditions: Conditions, looks: Mapping[str, Look]) -> Context:
    """Return what a result depends on besides design and records."""
    main = request.info(request.data)
    return Context(
        preset=request.preset,
        data=main.name,
        data_notes=tuple(main.notes),
        data_checksum=main.checksum,
        seeds=request.seeds,
        looks=looks,
        command=request.command,
        conditions=conditions,
        asked=request.asked,
    )


def cost_of(request: Request) -> Callable[[Procedure], float]:
    """Return what estimates the relative time of one run."""
    kinds = request.toolbox.kinds

    def cost(procedure: Procedure) -> float:
        counts = {name: request.info(name).counts for name in names_of(procedure)}
        return kinds[procedure.kind].cost(procedure, counts)  # type: ignore[no-any-return]

    return cost


def looks_of(design: Design, request: Request, conditions: Conditions) -> dict[str, Look]:
    """Return which look at every claim this is, and remember it."""
    software = " ".join((request.precision, conditions.device, *conditions.software.values()))
    return {
        claim.id: look_at(
            request.out / "looks",
            claim_hash(design, claim, conditions),
            request.seeds,
            software,
            among=len(design.claims),
            delta=min(part.delta for part in claim.parts),
        )
        for claim in design.claims
    }


def claim_hash(design: Design, claim: Claim, conditions: Conditions) -> str:
    """Return the identity of a comparison: looks at it are counted, whatever its wording, delta or siblings."""
    arms = {arm.name: [dump_procedure(arm.procedure), dict(arm.at)] for arm in design.arms}
    parts = [
        [part.measure, part.contrast.constant, part.contrast.log]
        + [[weight, arms[arm]] for arm, weight in part.contrast.weights.items()]
        for part in claim.parts
    ]
    return digest([parts, dict(conditions.checksums)])[:20]


def device_kind(device: str, executor: Executor = "local") -> str:
    """Return "cpu", "cuda" or "mps"; imports torch only where there may be a GPU.

    Raises:
        UserError: the device is not there, or one of several is named, which Ray hands out itself.
    """
    if executor == "ray" and ":" in device:
        raise UserError(f"Ray gives every unit a GPU of its own; write --device cuda instead of {device}.")
    if executor == "ray" and device == "cuda":  # on the nodes, whatever this machine has
        return device
    may_have_gpu = (
        sys.platform == "darwin" or any(Path("/dev").glob("nvidia[0-9]*")) or Path("/dev/kfd").exists()
    )
    if device == "cpu" or (device == "auto" and not may_have_gpu and sys.platform != "win32"):
        return "cpu"
    from gradlab.training.device import resolve_device

    return resolve_device(device).type


def current_commit() -> str | None:
    """Return the commit of gradlab's own source tree, with "+" when it has changes; None outside a checkout."""
    root = Path(__file__).resolve().parents[4]
    if not (root / ".git").exists():
        return None
    git = ["git", "-C", str(root)]
    try:
        commit = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, check=True)
        changes = subprocess.run(
            [*git, "status", "--porcelain", "--untracked-files=no", "src"], capture_output=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return commit.stdout.decode().strip() + ("+" if changes.stdout.strip() else "")


def make_ready(request: Request) -> str:
    """Check the device, make the folders, clear what killed workers left there, and return the kind of the device.

    Raises:
        UserError: no such device or not for this precision, or the folder cannot be written.
    """
    device = device_kind(request.device, request.executor)
    if request.precision == "fp16" and device == "cpu":
        raise UserError("fp16 on a CPU is unusably slow; use --precision bf16 or fp32, or a GPU.")
    _prepare(request.out)
    clear_logs(request.out / "work")
    return device


def _prepare(out: Path) -> None:
    """Make the folders, or say in one sentence why not."""
    try:
        for name in ("records", "work", "looks", "reports"):
            (out / name).mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise UserError(
            f"--out needs a folder, but {error.filename} is a file; give another path."
        ) from error
    except NotADirectoryError as error:
        raise UserError(
            f"--out needs a folder, but part of {error.filename} is a file; give another path."
        ) from error
    except OSError as error:
        raise UserError(f"cannot write to {out}: {disk_message(error)}") from error
    if not os.access(out / "records", os.W_OK):
        raise UserError(f"cannot write to {out}; give an --out folder that you may write to.")


def lives_here(procedure: Procedure, request: Request) -> bool:
    """Whether a procedure, or anything that it rests on, needs data or modules of this process."""
    kinds = request.toolbox.kinds
    return any(
        kinds[one.kind].here(one) or any(name in request.memory for name in names_of(one))
        for one in walk(procedure)
        if not isinstance(one, Pick)
    )


def execute(missing: list[Unit], request: Request, on_event: Hear) -> None:
    """Run units on worker processes; what needs something of this process, in it."""
    if not missing:
        return
    bench = Bench(
        toolbox=request.toolbox,
        out=request.out,
        cache=DataCache(request.toolbox.load),
        records=request.records,
        data_dir=request.data_dir,
        places=request.places,
        device=request.device if ":" in request.device else None,
        commit=current_commit(),
        memory=request.memory,
        modules=request.modules,
    )
    here = [unit for unit in missing if lives_here(unit.procedure, request)]
    away = [unit for unit in missing if unit not in here]
    if away:
        if request.executor == "ray":
            run_on_ray(away, bench, address=request.address, workers=request.workers, on_event=on_event)
        else:
            run_units(away, bench, on_event=on_event, workers=request.workers)
    if here:
        run_here(here, bench, on_event=on_event)


def open_record(request: Request, bound: Bound) -> Record:
    """Return the record of a run that has been made."""
    return request.store.get(bound.hash)
