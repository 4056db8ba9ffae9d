"""Run a design: specs, missing records, looks, results. Asking again returns what is there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradlab.data import info
from gradlab.data.contents import DataInfo
from gradlab.lab.design import Arm, Custom, Design, dump_design
from gradlab.lab.evaluate import Context, evaluate
from gradlab.lab.executor import Block, Event, run_blocks
from gradlab.lab.looks import look_number
from gradlab.lab.record import Record
from gradlab.lab.spec import RunSpec, block_of, digest, torch_version
from gradlab.lab.worker import disk_message
from gradlab.training.recipe import Precision
from gradlab.types import UserError

if TYPE_CHECKING:
    from torch import nn

    from gradlab.data import Dataset

    Factory = Callable[[int], nn.Module]


@dataclass(frozen=True)
class Request:
    """What is asked for besides the design.

    Attributes:
        data: name or path; data_dir: where data lives. dataset: instead of both, data in memory.
        seeds: consecutive. out: folder that holds everything. command: that made the result, for the provenance.
        factories: name of a user's own module -> function seed -> module.
    """

    preset: str
    data: str
    seeds: tuple[int, ...]
    out: Path
    data_dir: str | None = None
    dataset: Dataset | None = None
    device: str = "auto"
    precision: Precision = "fp32"
    command: str = ""
    factories: Mapping[str, Factory] = field(default_factory=dict)
    workers: int | None = None


def facts_of(request: Request) -> DataInfo:
    """Return the facts about the data, without torch where it is not in memory."""
    if request.dataset is not None:
        dataset = request.dataset
        return DataInfo(
            name=dataset.name,
            checksum=dataset.checksum,
            counts={role: len(split) for role, split in dataset.splits.items()},
            input_shape=dataset.input_shape,
            class_names=dataset.class_names,
            mean=dataset.mean,
            std=dataset.std,
            notes=dataset.notes,
        )
    return info(request.data, request.data_dir)


def run_design(
    design: Design,
    request: Request,
    data: DataInfo,
    *,
    on_event: Callable[[Event], None] = lambda _event: None,
) -> dict[str, Any]:
    """Run what has no record yet and evaluate the design.

    Returns: the content of results.json.

    Raises:
        UserError: a run failed, the folder cannot be written, or the disk is full; finished runs are kept.
    """
    device = make_ready(request)
    specs = {arm.name: arm_specs(arm, request, data, device) for arm in design.arms}
    missing = missing_blocks(design.arms, specs, request, data)
    try:
        on_event({"event": "start", "blocks": [(block.arm, block.name, block.weight) for block in missing]})
        _execute(missing, request, on_event)
        records = request.out / "records"
        runs = {
            arm: [Record(records / of_arm[seed].hash) for seed in request.seeds]
            for arm, of_arm in specs.items()
        }
        _refuse_damaged(record for of_arm in runs.values() for record in of_arm)
        context = Context(
            preset=request.preset,
            data=data.name,
            data_checksum=data.checksum,
            data_notes=data.notes,
            seeds=request.seeds,
            look=look_number(
                request.out / "looks",
                design_hash(design, data),
                request.seeds,
                f"{request.precision} {device} {torch_version()}",
            ),
            precision=request.precision,
            device=device,
            threads=next(iter(specs[design.arms[0].name].values())).threads,
            command=request.command,
        )
        return evaluate(design, runs, context)
    except OSError as error:
        raise UserError(disk_message(error)) from error


def _refuse_damaged(records: Iterable[Record]) -> None:
    """Stop before a verdict rests on a record that is not what was written."""
    for record in records:
        damaged = record.damaged()
        if damaged:
            raise UserError(
                f"record {record.folder} is damaged ({', '.join(damaged)}); delete its folder and ask again to train it afresh."
            )


def arm_specs(arm: Arm, request: Request, data: DataInfo, device: str) -> dict[int, RunSpec]:
    """Return the specs of an arm by seed, whole blocks of seeds where the arm trains stacked."""
    alone = isinstance(arm.model, Custom) or request.precision == "fp16"
    seeds = request.seeds if alone else sorted({mate for seed in request.seeds for mate in block_of(seed)})
    return {
        seed: RunSpec(
            data=data.name,
            data_checksum=data.checksum,
            model=arm.model,
            recipe=arm.recipe,
            seed=seed,
            train_images=arm.train_images,
            probe_steps=arm.probe_steps,
            device=device,
            precision=request.precision,
            block=1 if alone else len(block_of(seed)),
            torch=torch_version(),
        )
        for seed in seeds
    }


def missing_blocks(
    arms: Sequence[Arm], specs: Mapping[str, Mapping[int, RunSpec]], request: Request, data: DataInfo
) -> list[Block]:
    """Return the blocks in which some run has no record; a record's folder is all that counts."""
    images = data.counts.get("train", 0)
    blocks = []
    for arm in arms:
        of_arm = specs[arm.name]
        size = next(iter(of_arm.values())).block
        for start in sorted({seed // size * size for seed in of_arm}):
            block = tuple(of_arm[seed] for seed in range(start, start + size))
            if not all((request.out / "records" / spec.hash / "files.json").exists() for spec in block):
                layers = 4 if isinstance(arm.model, Custom) else len(arm.model.hidden) + 4
                weight = layers * arm.recipe.epochs * (arm.train_images or images) / arm.recipe.batch_size
                blocks.append(Block(arm.name, block, weight))
    return blocks


def design_hash(design: Design, data: DataInfo) -> str:
    """Return the identity of a comparison: looks at it are counted, whatever its wording."""
    whole = dump_design(design)
    words = ("label", "factors", "probe_steps")
    arms = [{name: value for name, value in arm.items() if name not in words} for arm in whole["arms"]]
    claims = [{"id": claim["id"], "parts": claim["parts"]} for claim in whole["claims"]]
    chosen = [{"name": one["name"], "among": one["among"]} for one in whole.get("chosen", [])]
    return digest([design.study, arms, claims, data.checksum, *([chosen] if chosen else [])])[:20]


def device_kind(device: str) -> str:
    """Return "cpu", "cuda" or "mps"; imports torch only where there may be a GPU.

    Raises:
        UserError: the device is not there.
    """
    may_have_gpu = (
        sys.platform == "darwin" or any(Path("/dev").glob("nvidia[0-9]*")) or Path("/dev/kfd").exists()
    )
    if device == "cpu" or (device == "auto" and not may_have_gpu and sys.platform != "win32"):
        return "cpu"
    from gradlab.training.device import resolve_device

    return resolve_device(device).type


def current_commit() -> str | None:
    """Return the commit of gradlab's own source tree, with "+" when it has changes; None outside a checkout."""
    root = Path(__file__).resolve().parents[3]
    if not (root / ".git").exists():
        return None
    git = ["git", "-C", str(root)]
    try:
        commit = subprocess.run(
            [*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True
        )
        changes = subprocess.run(
            [*git, "status", "--porcelain", "--untracked-files=no", "src"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return commit.stdout.strip() + ("+" if changes.stdout.strip() else "")


def make_ready(request: Request) -> str:
    """Check the device, make the folders, and return the kind of the device.

    Raises:
        UserError: no such device or not for this precision, or the folder cannot be written.
    """
    device = device_kind(request.device)
    if request.precision == "fp16" and device == "cpu":
        raise UserError("fp16 on a CPU is unusably slow; use --precision bf16 or fp32, or a GPU.")
    _prepare(request.out)
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


def _execute(blocks: list[Block], request: Request, on_event: Callable[[Event], None]) -> None:
    if not blocks:
        return
    commit = current_commit()
    here = [
        block for block in blocks if request.dataset is not None or isinstance(block.specs[0].model, Custom)
    ]
    away = [block for block in blocks if block not in here]
    if away:
        run_blocks(
            away,
            data=request.data,
            data_dir=request.data_dir,
            out=request.out,
            commit=commit,
            on_event=on_event,
            workers=request.workers,
            device=request.device if ":" in request.device else None,
        )
    if here:
        from gradlab.lab.here import run_here

        run_here(here, request, commit=commit, on_event=on_event)
