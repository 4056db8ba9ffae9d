"""Train one network and keep it as a model folder; a killed training goes on from where it was."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter, ValidationError

from gradlab._files import write_whole
from gradlab.data import Dataset, Split
from gradlab.lab.executor import usable_cores
from gradlab.lab.locks import try_lock
from gradlab.lab.procedure import provenance
from gradlab.lab.record import usable_logits
from gradlab.lab.run import current_commit
from gradlab.metrics import evaluate
from gradlab.models.mlp import MLP
from gradlab.models.saved import is_model_folder, read_facts
from gradlab.models.saving import load, refuse_other_content, save
from gradlab.training.fit import Epoch, Fit, fit
from gradlab.training.predict import predict_logits
from gradlab.training.recipe import Precision, Recipe
from gradlab.types import UserError

CHECKPOINT, REQUEST, LOCK = "training.safetensors", "training.json", "training.lock"
"""What lies in the folder while the network trains; it is removed at the end."""
KNOWN = ("data", "data_checksum", "seed", "precision")
MOST_UNITS, MOST_LAYERS = 10_000, 1_000
"""As in the studies; more units or layers are a slip of the keyboard."""


@dataclass(frozen=True)
class Training:
    """A trained model folder.

    Attributes:
        folder: of the model. facts: the content of its model.json. was_there: it was finished before.
        went_on: it began from the checkpoint of an interrupted training.
    """

    folder: Path
    facts: dict[str, Any]
    was_there: bool = False
    went_on: bool = False


def train_model(
    model: MLP,
    data: Dataset,
    recipe: Recipe | None = None,
    *,
    out: str | Path,
    seed: int = 0,
    device: str = "auto",
    precision: Precision = "fp32",
    threads: int = 1,
    listeners: Sequence[Callable[[Epoch], Any]] = (),
    progress: bool | None = None,
) -> Training:
    """Train one network on data and write it, with all that is known about it, into a folder.

    The epoch is chosen on the validation part; the test part, where there is one, is scored once, at the end.

    Args:
        model: the network. data: with a train and a validation part. recipe: how to train.
        out: the model folder. Asked for again it returns what is there; what was interrupted goes on.
        seed: of initial weights, data order and dropout. device: "auto", "cpu", "cuda" or "mps".
        precision: "fp32", "bf16", "fp16" (not on a CPU) or "fp64". threads: of PyTorch; small networks want one.
        listeners: called with an `Epoch` after every epoch. progress: a live line on stderr; None on a terminal only.

    Raises:
        UserError: `out` holds another model or something else, another process trains there, data, model and recipe
            do not fit together, or the memory does not suffice.
    """
    folder, recipe = Path(out), recipe or Recipe()
    _check(model, seed, threads)
    data.trainable()
    asked = _request(model, recipe, data, seed, precision)
    refuse_other_content(folder)
    if is_model_folder(folder):
        _refuse_other(folder, read_facts(folder), asked, "another model")
        _refuse_shorter(folder, read_facts(folder))
        load(folder)  # says so if it is damaged
        return Training(folder, read_facts(folder), was_there=True)
    with _claimed(folder), _memory(model):
        went_on = _prepare(folder, asked)
        result = _fit(model, data, recipe, folder, seed, device, precision, threads, listeners, progress)
        facts = _facts(asked, data, recipe, result, threads)
        save(result.model, folder, class_names=data.class_names, facts=facts)
        (folder / CHECKPOINT).unlink(missing_ok=True)
    return Training(folder, read_facts(folder), went_on=went_on)


def _check(model: MLP, seed: int, threads: int) -> None:
    """Refuse numbers that no machine can do anything with."""
    if not 0 <= seed < 2**31:
        raise UserError(f"seed must be a whole number from 0 to 2147483647, got {seed}.")
    if not 1 <= threads <= usable_cores():
        raise UserError(
            f"threads counts those of PyTorch and must lie between 1 and the {usable_cores()} usable cores, got {threads}."
        )
    units, layers = max(model.hidden), len(model.hidden) - 1
    if units > MOST_UNITS or layers > MOST_LAYERS:
        raise UserError(
            f"width goes up to {MOST_UNITS:,} and depth to {MOST_LAYERS:,}, got {units:,} and {layers:,}; take a smaller "
            "network."
        )


@contextlib.contextmanager
def _claimed(folder: Path) -> Iterator[None]:
    """Hold the folder; without a checkpoint, from which a training would go on, nothing of it stays."""
    was_there = folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    held = try_lock(folder / LOCK)
    if held is None:
        raise UserError(f"another process is training in {folder}; wait for it, or give another --out.")
    with held:
        try:
            yield
        finally:
            if not (folder / CHECKPOINT).exists():
                (folder / REQUEST).unlink(missing_ok=True)
                (folder / LOCK).unlink(missing_ok=True)
                if not was_there and not any(folder.iterdir()):
                    folder.rmdir()


@contextlib.contextmanager
def _memory(model: MLP) -> Iterator[None]:
    """Say in a sentence that the memory does not suffice."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        text = str(error).lower()
        if isinstance(error, RuntimeError) and "allocate memory" not in text and "out of memory" not in text:
            raise
        raise UserError(
            f"the memory does not suffice for a network of width {max(model.hidden):,} and depth "
            f"{len(model.hidden) - 1:,} on this data; take a smaller one, or smaller batches."
        ) from error


def _request(model: MLP, recipe: Recipe, data: Dataset, seed: int, precision: str) -> dict[str, Any]:
    """All that the result depends on, as plain JSON data."""
    return {
        "model": {"kind": "mlp", **TypeAdapter(MLP).dump_python(model, mode="json")},
        "recipe": TypeAdapter(Recipe).dump_python(recipe, mode="json"),
        "data": data.name,
        "data_checksum": data.checksum,
        "seed": seed,
        "precision": precision,
    }


def _prepare(folder: Path, asked: dict[str, Any]) -> bool:
    """Note what is trained, and whether that was begun before; clear what a killed process left half-written."""
    path = folder / REQUEST
    for left in (*folder.glob(f"{CHECKPOINT}.*.tmp"), *folder.glob(".model.*")):
        left.unlink(missing_ok=True)
    if (folder / CHECKPOINT).exists() and path.exists():
        try:
            begun = json.loads(path.read_text())
        except ValueError as error:
            raise UserError(f"{path} is damaged; delete {folder} to start afresh.") from error
        _refuse_other(folder, begun, asked, "the beginning of another training")
        return True
    (folder / CHECKPOINT).unlink(missing_ok=True)  # nobody knows of what
    write_whole(path, json.dumps(asked, indent=1).encode())
    return False


def _refuse_other(folder: Path, found: Any, asked: dict[str, Any], what: str) -> None:
    """Raise UserError, with the fields that differ, unless what was found is what is asked for."""
    differing = []
    for group, kind in (("model", MLP), ("recipe", Recipe)):
        own = dict(found.get(group) or {}) if isinstance(found, dict) else {}
        own.pop("kind", None)
        try:
            full = TypeAdapter(kind).dump_python(TypeAdapter(kind).validate_python(own), mode="json")
        except ValidationError:
            full = own
        differing += [
            name
            for name in {
                **asked[group],
                **full,
            }  # a field that came later is left out while it has its default
            if name != "kind" and full.get(name) != asked[group].get(name)
        ]
    differing += [name for name in KNOWN if not isinstance(found, dict) or found.get(name) != asked[name]]
    if differing:
        words = ", ".join(name.replace("_", " ") for name in differing[:4]) + (
            ", …" if len(differing) > 4 else ""
        )
        raise UserError(f"{folder} holds {what} (other {words}); give another --out, or delete that folder.")


def _refuse_shorter(folder: Path, facts: dict[str, Any]) -> None:
    """Raise UserError where a model.json says less than a training writes, such as that of an exported record."""
    training, metrics, images = (facts.get(name) or {} for name in ("training", "metrics", "images"))
    told = {"status", "note", "best_epoch", "epochs", "seconds"} <= training.keys() and "data_notes" in facts
    if (
        not told
        or not metrics.keys() <= images.keys()
        or any("accuracy" not in one for one in metrics.values())
    ):
        raise UserError(
            f"{folder} holds this model, but not as gradlab train writes it; give another --out, or delete that folder."
        )


def _fit(
    model: MLP,
    data: Dataset,
    recipe: Recipe,
    folder: Path,
    seed: int,
    device: str,
    precision: Precision,
    threads: int,
    listeners: Sequence[Callable[[Epoch], Any]],
    progress: bool | None,
) -> Fit:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        network = model.build(data.input_shape, data.num_classes, seed=seed, mean=data.mean, std=data.std)
        return fit(
            network,
            data,
            recipe,
            seed=seed,
            device=device,
            precision=precision,
            checkpoint=folder / CHECKPOINT,
            listeners=listeners,
            progress=progress,
        )
    finally:
        torch.set_num_threads(before)


def _facts(asked: dict[str, Any], data: Dataset, recipe: Recipe, result: Fit, threads: int) -> dict[str, Any]:
    parts = {role: split for role, split in data.splits.items() if role != "train"}
    return {
        **{name: value for name, value in asked.items() if name != "model"},
        "training": {
            "status": result.status,
            "note": result.note,
            "best_epoch": result.best_epoch,
            "epochs": result.epochs,
            "max_epochs": recipe.epochs,
            "seconds": round(result.seconds, 2),
            "threads": threads,
        },
        "metrics": {role: _metrics(result, split, asked["precision"]) for role, split in parts.items()},
        "images": {role: len(split) for role, split in data.splits.items()},
        "data_notes": list(data.notes),
        "provenance": provenance(current_commit()),
    }


def _metrics(result: Fit, split: Split, precision: Precision) -> dict[str, float]:
    place = next(result.model.parameters()).device
    logits = predict_logits(result.model, split.to(place), precision=precision).float().cpu().numpy()
    found = evaluate(usable_logits(logits), split.labels.cpu().numpy())
    return {name: float(value) for name, value in found.items()}
