"""A trained network to use: from a model folder or a run record, with all that is known about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from torch import nn

from gradlab.lab.records.finding import find_record
from gradlab.lab.records.record import MANIFEST, Record
from gradlab.models.saved import FACTS, is_model_folder, read_facts
from gradlab.models.saving import load
from gradlab.procedures import network_of
from gradlab.training.recipe import Precision
from gradlab.types import UserError, did_you_mean

PROGRAMS = (".pt2", ".onnx", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin")
"""Files that hold a program or a pickle."""


@dataclass(frozen=True)
class Trained:
    """A network and what is known about it.

    Attributes:
        network: in eval mode, on the CPU; images (N, C, H, W) in [0, 1] to logits (N, K).
        name: of the folder that it came from. input_shape: (C, H, W). class_names: of the K outputs.
        data: name of the data set that it was trained on, if known; data_checksum: of its content.
        precision: number format that it was trained and judged in.
        facts: the rest that a model.json says: recipe, seed, metrics.
    """

    network: nn.Module
    name: str
    input_shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    data: str | None = None
    data_checksum: str | None = None
    precision: Precision = "fp32"
    facts: dict[str, Any] = field(default_factory=dict)


def open_trained(place: str | Path, runs: str | Path = "runs") -> Trained:
    """Open a model folder, a record's folder, or a record by the first characters of its name.

    Args:
        place: such as models/my-mlp, runs/records/3fa9… or 3fa9.
        runs: folder whose records a name is looked for in.

    Raises:
        UserError: nothing is there, it is damaged, or it is a file that would have to be unpickled.
    """
    if not str(place).strip():
        raise UserError("an empty name names no model; give a model folder, or a record.")
    path = Path(place)
    if path.is_file() and path.name not in (FACTS, "model.safetensors", MANIFEST):
        raise UserError(_file_sentence(path))
    if path.is_file():
        path = path.parent
    if is_model_folder(path):
        return _from_folder(path)
    if path.is_dir() and not (path / MANIFEST).is_file():
        raise UserError(
            f"{path} holds no model; give a folder that gradlab train or gradlab runs export wrote, or a run record."
        )
    return from_record(find_record(place, runs, what="model"))


def network(place: Record | str | Path, runs: str | Path = "runs") -> nn.Module:
    """Return the trained network of a record or a model folder, in eval mode, on the CPU.

    Args:
        place: a record, or what `open_trained` opens.
        runs: folder whose records a name is looked for in.

    Raises:
        UserError: nothing is there, it is damaged, its run trained no network, or it was a user's own module.
    """
    return network_of(place) if isinstance(place, Record) else open_trained(place, runs).network


def _file_sentence(path: Path) -> str:
    if path.suffix == ".safetensors":
        return (
            f"{path} holds weights alone; give the folder of a model, with {FACTS} beside model.safetensors."
        )
    if path.suffix in PROGRAMS:
        return (
            f"{path} is a program or a pickle, which could run anything, so gradlab does not open it; "
            "give the model folder or the record that it was made from."
        )
    return f"{path} is no model; give the folder that gradlab train wrote, or a run record."


def _from_folder(folder: Path) -> Trained:
    network, facts = load(folder), read_facts(folder)
    return Trained(
        network=network,
        name=folder.resolve().name,
        input_shape=tuple(facts["input_shape"]),
        class_names=tuple(facts["class_names"]),
        data=facts.get("data"),
        data_checksum=facts.get("data_checksum"),
        precision=_precision(facts.get("precision"), folder),
        facts=facts,
    )


def _precision(found: Any, origin: Path) -> Precision:
    if found is not None and found not in get_args(Precision):
        raise UserError(
            f"{origin} names the precision '{found}', which is none; {did_you_mean(str(found), get_args(Precision))}"
        )
    return found if found in ("bf16", "fp64") else "fp32"  # fp16 was for the GPU; its weights are fp32


def from_record(record: Record) -> Trained:
    """Take the network of a run record, with its facts in the form of a model.json.

    Raises:
        UserError: the record is damaged, its run trained no network, or a user's own module.
    """
    damaged = record.damaged()
    if damaged:
        raise UserError(
            f"record {record.folder} is damaged ({', '.join(damaged)}); delete its folder and run the study again."
        )
    network, spec, facts = network_of(record), record.spec, record.facts
    data, precision = spec["procedure"]["data"], spec["precision"]
    checksum, shape = spec["content"][data], facts["input_shape"]
    return Trained(
        network=network,
        name=record.hash,
        input_shape=(shape[0], shape[1], shape[2]),
        class_names=tuple(facts["class_names"]),
        data=data,
        data_checksum=checksum,
        precision=_precision(precision, record.folder),
        facts={
            "recipe": spec["procedure"]["recipe"],
            "data": data,
            "data_checksum": checksum,
            "seed": spec["seed"],
            "precision": precision,
            "training": {name: facts[name] for name in ("status", "note", "best_epoch", "epochs")},
            "metrics": metrics_of(record),
            "record": record.hash,
        },
    )


def metrics_of(record: Record) -> dict[str, dict[str, float]]:
    """Return the scores of a training by part of the data, as far as it was scored."""
    return {part: record.facts[part] for part in ("validation", "test") if part in record.facts}
