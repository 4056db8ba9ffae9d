"""Train one network and keep it as a model folder; a killed training goes on from where it was."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from gradlab.attacks.objectives import AdversarialTraining
from gradlab.data import Dataset, info
from gradlab.data.contents import DataInfo, info_of
from gradlab.lab.records.record import Record
from gradlab.lab.records.wanted import remember_model
from gradlab.lab.running.desk import Progress
from gradlab.lab.running.local import usable_cores
from gradlab.lab.running.locks import exclusive
from gradlab.lab.running.progress import study_progress
from gradlab.lab.running.request import Request
from gradlab.lab.running.single import run_single
from gradlab.models.fast_cnn import FastCNN
from gradlab.models.mlp import MLP
from gradlab.models.named import net
from gradlab.models.registry import MODELS, Model, kind_of
from gradlab.models.saved import is_model_folder, read_facts
from gradlab.models.saving import load, refuse_other_content, save
from gradlab.models.vit import ViT
from gradlab.procedures import TOOLBOX, Train, network_of
from gradlab.training.recipe import Precision, Recipe
from gradlab.training.recipes import named_recipe
from gradlab.training.torchrun import process_count
from gradlab.types import UserError, is_out_of_memory
from gradlab.use._divided import Begin, divided, train_along
from gradlab.use.trained import metrics_of

KNOWN = ("data", "data_checksum", "seed", "precision")
COST = ("seconds", "peak_memory_mb")
"""What a record says about its making that is no origin."""
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
    model: Model | str,
    data: str | Path | Dataset,
    recipe: Recipe | str | None = None,
    *,
    out: str | Path,
    runs: str | Path = "runs",
    data_dir: str | Path | None = None,
    seed: int = 0,
    device: str = "auto",
    precision: Precision = "fp32",
    threads: int = 1,
    objective: AdversarialTraining | None = None,
    listeners: Sequence[Callable[[Progress], Any]] = (),
    progress: bool | None = None,
) -> Training:
    """Train one network on data and write it, with all that is known about it, into a folder.

    The training is a run like those of studies: it has a record below `runs`, from which the folder is written, and a
    killed one goes on from its checkpoint there. The epoch is chosen on the validation part; the test part, where there
    is one, is scored once, at the end. Started by `torchrun`, the processes divide every batch, and process 0 writes.

    Args:
        model: the network, or the name of a published one, such as "resnet20".
        recipe: how to train, or the name of a recipe, such as "fast".
        data: with a train and a validation part; a name or a path is trained on in a worker process, a Dataset in this one.
        out: the model folder. Asked for again it returns what is there; what was interrupted goes on.
        runs: folder for the record. data_dir: where data sets lie; GRADLAB_DATA if not given.
        seed: of initial weights, data order and dropout. device: "auto", "cpu", "cuda" or "mps".
        precision: "fp32", "bf16", "fp16" (not on a CPU) or "fp64", unless the recipe names one. threads: of PyTorch; small
            networks want one.
        objective: a way of adversarial training, such as `gradlab.attacks.MadryTraining()`; cross-entropy if not given.
        listeners: called with a `Progress` after every epoch. progress: a live display on stderr; None on a terminal only.

    Raises:
        UserError: `out` holds another model or something else, data, model and recipe do not fit together, or the memory
            does not suffice.
    """
    folder = Path(out)
    recipe = named_recipe(recipe).recipe if isinstance(recipe, str) else recipe or Recipe()
    precision = recipe.precision or precision
    model = net(model).config if isinstance(model, str) else model
    _check(model, seed, threads)
    facts = _facts_of(data, data_dir)
    asked = _asked(model, recipe, facts, seed, precision, objective)
    procedure = Train(data=facts.name, model=model, recipe=recipe, single=True, objective=objective)
    processes = process_count()
    if processes > 1 and isinstance(data, str | Path):  # then it trains in this process
        data = TOOLBOX.load(str(data), None if data_dir is None else str(data_dir), facts.checksum)
    request = _request(data, facts, data_dir, runs, seed, device, precision)

    def lead(begin: Begin) -> Training:
        if (there := _found(folder, asked)) is not None:
            return Training(folder, there, was_there=True)
        shown = sys.stderr.isatty() if progress is None else progress
        with _memory(model), study_progress(shown) as show:

            def hear(event: dict[str, Any]) -> None:
                show(event)
                if event["event"] == "start":
                    begin(bool(event["units"]))
                if event["event"] == "progress":
                    for listener in listeners:
                        listener(_progress_of(event))

            made = run_single(
                procedure, request, threads=threads, processes=processes, label=kind_of(model), on_event=hear
            )
        told = _facts(asked, facts, recipe, made.record, threads, processes)
        with exclusive(request.out / "work" / "models.lock"):
            if _found(folder, asked) is None:  # nobody wrote there meanwhile
                _write(folder, made.record, facts.class_names, told, request.out)
        return Training(folder, read_facts(folder), was_there=made.was_there, went_on=made.went_on)

    if processes == 1:
        return lead(lambda _needed: None)
    return divided(  # type: ignore[no-any-return]
        device,
        lead,
        lambda place: train_along(procedure, request.memory[facts.name], seed, place, precision, threads),
    )


def _check(model: Model, seed: int, threads: int) -> None:
    """Refuse numbers that no machine can do anything with."""
    if not 0 <= seed < 2**31:
        raise UserError(f"seed must be a whole number from 0 to 2147483647, got {seed}.")
    if not 1 <= threads <= usable_cores():
        raise UserError(
            f"threads counts those of PyTorch and must lie between 1 and the {usable_cores()} usable cores, got {threads}."
        )
    units, layers = _size(model)
    if units > MOST_UNITS or layers > MOST_LAYERS:
        raise UserError(
            f"width goes up to {MOST_UNITS:,} and depth to {MOST_LAYERS:,}, got {units:,} and {layers:,}; take a smaller "
            "network."
        )


def _size(model: Model) -> tuple[int, int]:
    """Return the width and the depth of a network."""
    if isinstance(model, MLP):
        return max(model.hidden), len(model.hidden) - 1
    if isinstance(model, ViT):
        return model.width * model.expansion, model.depth
    if isinstance(model, FastCNN):
        return max(model.widths), 2 * len(model.widths)
    return max((*model.widths, *(model.hidden or ()))), sum(model.blocks_by_stage) * model.layers_per_block


def _facts_of(data: str | Path | Dataset, data_dir: str | Path | None) -> DataInfo:
    """Return the facts about the data.

    Raises:
        UserError: nothing can be trained on it.
    """
    if not isinstance(data, str | Path):
        data.trainable()
        return info_of(data)
    facts = info(data, data_dir)
    for part in ("train", "validation"):
        if not facts.counts.get(part):
            raise UserError(
                f"'{facts.name}' has no {part} part here (only {', '.join(facts.counts)}), so nothing can be trained on "
                "it; provide its files or take another data set."
            )
    return facts


def _request(
    data: str | Path | Dataset,
    facts: DataInfo,
    data_dir: str | Path | None,
    runs: str | Path,
    seed: int,
    device: str,
    precision: Precision,
) -> Request:
    named = isinstance(data, str | Path)
    return Request(
        toolbox=TOOLBOX,
        preset="",
        data=facts.name,
        info=lambda _name: facts,
        data_dir=None if data_dir is None else str(data_dir),
        places={facts.name: str(data)} if named else {},
        memory={} if named else {facts.name: data},
        seeds=(seed,),
        out=Path(runs),
        device=device,
        precision=precision,
    )


@contextlib.contextmanager
def _memory(model: Model) -> Iterator[None]:
    """Say in a sentence that the memory does not suffice."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        units, layers = _size(model)
        raise UserError(
            f"the memory does not suffice for a network of width {units:,} and depth {layers:,} on this data; take a "
            "smaller one, or smaller batches."
        ) from error


def _progress_of(event: dict[str, Any]) -> Progress:
    return Progress(event["share"], event["text"], tuple(map(tuple, event["rows"])), event["given"])


def _asked(
    model: Model,
    recipe: Recipe,
    data: DataInfo,
    seed: int,
    precision: str,
    objective: AdversarialTraining | None,
) -> dict[str, Any]:
    """All that the result depends on, as plain JSON data."""
    trained = (
        {}
        if objective is None
        else {"objective": TypeAdapter(type(objective)).dump_python(objective, mode="json")}
    )
    return trained | {
        "model": {"kind": kind_of(model), **TypeAdapter(type(model)).dump_python(model, mode="json")},
        "recipe": TypeAdapter(Recipe).dump_python(recipe, mode="json"),
        "data": data.name,
        "data_checksum": data.checksum,
        "seed": seed,
        "precision": precision,
    }


def _found(folder: Path, asked: dict[str, Any]) -> dict[str, Any] | None:
    """Return the facts of the very model that is asked for, where it is there; remove what killed writers left.

    Raises:
        UserError: another model is there, or something else.
    """
    refuse_other_content(folder)
    for left in folder.glob(".model.*.part"):
        left.unlink(missing_ok=True)
    if not is_model_folder(folder):
        return None
    facts = read_facts(folder)
    _refuse_other(folder, facts, asked)
    _refuse_shorter(folder, facts)
    load(folder)  # says so if it is damaged
    return facts


def _refuse_other(folder: Path, found: dict[str, Any], asked: dict[str, Any]) -> None:
    """Raise UserError, with the fields that differ, unless what was found is what is asked for."""
    differing = []
    for group, form in (("model", MODELS[asked["model"]["kind"]]), ("recipe", Recipe)):
        full = _filled(dict(found.get(group) or {}), form)
        names = {**asked[group], **full}  # a field that came later is left out while it has its default
        differing += [name for name in names if full.get(name) != asked[group].get(name)]
    differing += [name for name in (*KNOWN, "objective") if found.get(name) != asked.get(name)]
    if differing:
        words = ", ".join(name.replace("_", " ") for name in differing[:4])
        more = ", …" if len(differing) > 4 else ""
        raise UserError(
            f"{folder} holds another model (other {words}{more}); give another --out, or delete that folder."
        )


def _filled(own: dict[str, Any], form: Any) -> dict[str, Any]:
    """Return the fields of a stored configuration with its defaults; as it is where it is none of this form."""
    kind = {"kind": own["kind"]} if "kind" in own else {}
    has_kind = "kind" in form.__dataclass_fields__
    try:
        read = TypeAdapter(form).validate_python(
            own if has_kind else {k: v for k, v in own.items() if k != "kind"}
        )
    except ValidationError:
        return own
    return {**kind, **TypeAdapter(form).dump_python(read, mode="json")}


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


def _facts(
    asked: dict[str, Any], data: DataInfo, recipe: Recipe, record: Record, threads: int, processes: int
) -> dict[str, Any]:
    facts, made = record.facts, record.made
    divided = {"processes": processes} if processes > 1 else {}
    return {
        **{name: value for name, value in asked.items() if name != "model"},
        "training": {
            **{name: facts[name] for name in ("status", "note", "best_epoch", "epochs")},
            "max_epochs": recipe.epochs,
            "seconds": round(float(made["seconds"]), 2),
            "threads": threads,
            **divided,
        },
        "metrics": metrics_of(record),
        "images": dict(data.counts),
        "data_notes": list(data.notes),
        "provenance": {name: value for name, value in made.items() if name not in COST},
        "record": record.hash,
    }


def _write(folder: Path, record: Record, names: Sequence[str], facts: dict[str, Any], out: Path) -> None:
    try:
        save(network_of(record), folder, class_names=names, facts=facts)
        remember_model(out, record.hash, folder)
    except OSError as error:
        raise UserError(
            f"{folder} cannot be written ({error.strerror or error}); the training is kept: give another --out."
        ) from error
