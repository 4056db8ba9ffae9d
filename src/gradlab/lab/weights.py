"""A record's network, rebuilt from its spec and its safetensors file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safetensors.torch import load_file
from torch import nn

from gradlab.lab.design import Custom
from gradlab.types import UserError

if TYPE_CHECKING:
    from gradlab.lab.record import Record


def load_model(record: Record) -> nn.Module:
    """Build the network that the spec names and load its weights; eval mode, on the CPU."""
    config = record.spec.model
    if isinstance(config, Custom):
        raise UserError(
            f"record {record.hash} trained your own module '{config.name}'; build it and load "
            f"{record.folder.name}/weights.safetensors with safetensors.torch.load_file."
        )
    facts = record.facts
    network = config.build(
        tuple(facts["input_shape"]),
        len(facts["class_names"]),
        seed=record.spec.seed,
        mean=tuple(facts["mean"]),
        std=tuple(facts["std"]),
    )
    weights = load_file(record.folder / "weights.safetensors")
    network.to(next(iter(weights.values())).dtype)
    network.load_state_dict(weights)
    return network.eval()
