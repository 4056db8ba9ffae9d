"""The network of a training's record, rebuilt from its spec and its safetensors file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safetensors.torch import load_file
from torch import nn

from gradlab.lab.designing.procedure import read_procedure
from gradlab.lab.records.record import WEIGHTS, Record
from gradlab.types import UserError


def network_of(record: Record, modules: Mapping[str, Any] | None = None) -> nn.Module:
    """Build the network that a record's spec names and load its weights; eval mode, on the CPU.

    Args:
        modules: name of a user's own module -> function seed -> module; the record holds its weights alone.

    Raises:
        UserError: the weights are damaged, or the module is not at hand.
    """
    from gradlab.procedures.registry import PROCEDURES
    from gradlab.procedures.train import Custom, Train

    procedure = read_procedure(record.spec["procedure"], PROCEDURES)
    if not isinstance(procedure, Train):
        raise UserError(f"record {record.hash} is of kind '{procedure.kind}', which leaves no network.")
    model, facts, path = procedure.model, record.facts, record.file(WEIGHTS)
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
            seed=record.spec["seed"],
            mean=tuple(facts["mean"]),
            std=tuple(facts["std"]),
        )
    weights = {name: value for name, value in load_file(path).items() if not name.startswith("epoch-")}
    network.to(next(value for value in weights.values() if value.is_floating_point()).dtype)
    network.load_state_dict(weights)
    return network.eval()
