"""The network of a training's record, rebuilt from its spec and its weights; and whether a network fits data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from pydantic import TypeAdapter
from safetensors.torch import load_file
from torch import Tensor, nn

from gradlab.lab.designing.procedure import read_procedure
from gradlab.lab.records.record import WEIGHTS, Record
from gradlab.models.registry import Model
from gradlab.types import UserError

if TYPE_CHECKING:
    from gradlab.data import Dataset


def network_of(record: Record, modules: Mapping[str, Any] | None = None) -> nn.Module:
    """Build the network that a record's spec names and load its weights; eval mode, on the CPU.

    Args:
        modules: name of a user's own module -> function seed -> module; the record holds its weights alone.

    Raises:
        UserError: the weights are damaged, or the module is not at hand.
    """
    from gradlab.procedures.registry import PROCEDURES
    from gradlab.procedures.train import Custom, Train

    own, facts, path = record.spec["procedure"], record.facts, record.file(WEIGHTS)
    if own["kind"] == "train":
        procedure = read_procedure(own, PROCEDURES)
        assert isinstance(procedure, Train)  # by its kind
        model = procedure.model
    elif facts.get("network") is not None:
        model = TypeAdapter(Model).validate_python(facts["network"])
    else:
        raise UserError(
            f"record {record.hash} is of kind '{own['kind']}', which leaves no network that gradlab can build."
        )
    if path is None:
        raise UserError(f"record {record.hash} holds no weights; run its study again.")
    if isinstance(model, Custom):
        if model.name not in (modules or {}):
            raise UserError(
                f"record {record.hash} trained your own module '{model.name}'; build it and load "
                f"{record.folder.name}/{WEIGHTS} with safetensors.torch.load_file."
            )
        network: nn.Module = (modules or {})[model.name](record.spec["seed"])
    else:
        network = model.build(
            tuple(facts["input_shape"]),
            len(facts["class_names"]),
            seed=record.spec["seed"] or 0,
            mean=tuple(facts["mean"]),
            std=tuple(facts["std"]),
        )
    weights = {name: value for name, value in load_file(path).items() if not name.startswith("epoch-")}
    network.to(next(value for value in weights.values() if value.is_floating_point()).dtype)
    network.load_state_dict(weights)
    return network.eval()


def refuse_misfit(network: nn.Module, data: Dataset) -> None:
    """Refuse a network that cannot read the test images of some data, or that names other classes than theirs.

    Args:
        network: in eval mode. data: with test images, on any device.

    Raises:
        UserError: what does not fit.
    """
    from gradlab.data import gather

    assert data.test is not None  # checked by the caller
    like = next((one for one in network.parameters() if one.is_floating_point()), torch.empty(0))
    rows = torch.arange(min(2, len(data.test)), device=data.test.labels.device)
    images = gather(data.test, rows, dtype=like.dtype).to(like.device)
    shape = "×".join(map(str, data.input_shape))
    try:
        with torch.no_grad():
            logits = network(images)
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        raise UserError(
            f"the network cannot read the {shape} images of '{data.name}' (PyTorch says: {str(error).splitlines()[0]}); "
            "take data of its image shape, such as NAME@32:rgb."
        ) from error
    wanted = (len(images), data.num_classes)
    if not isinstance(logits, Tensor) or logits.shape != wanted:
        got = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        raise UserError(
            f"the network must return one logit for each of the {data.num_classes} classes of '{data.name}', {wanted} for "
            f"{len(images)} images, got {got}; take the data that it was trained on."
        )
