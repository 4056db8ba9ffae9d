"""Execution in this very process, for data and modules that live in its memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from gradlab.data import load
from gradlab.lab.design import Custom
from gradlab.lab.executor import Block, Event
from gradlab.lab.procedure import train_block
from gradlab.lab.spec import digest
from gradlab.training.fit import Epoch
from gradlab.types import UserError

if TYPE_CHECKING:
    from torch import nn

    from gradlab.lab.run import Factory, Request


def run_here(
    blocks: Sequence[Block], request: Request, *, commit: str | None, on_event: Callable[[Event], None]
) -> None:
    """Run blocks one after the other."""
    data = request.dataset if request.dataset is not None else load(request.data, request.data_dir)
    for block in blocks:

        def hear(epoch: Epoch, block: Block = block) -> None:
            on_event({"event": "epoch", "block": block.name, "arm": block.arm, **asdict(epoch)})

        models = None
        if isinstance(block.specs[0].model, Custom):
            models = [request.factories[block.arm](spec.seed) for spec in block.specs]
        train_block(
            block.specs,
            data,
            records=request.out / "records",
            checkpoint=request.out / "work" / f"{block.name}.safetensors",
            commit=commit,
            models=models,
            on_epoch=hear,
        )
        on_event({"event": "done", "block": block.name, "arm": block.arm})


def describe_factory(name: str, factory: Factory) -> Custom:
    """Return how a spec knows a user's module: its printed form and the bits it starts from at seed 0.

    Raises:
        UserError: the factory returns no module, or other weights each time for one seed.
    """
    first, second = (_fingerprint(name, factory(0)) for _ in range(2))
    if first != second:
        raise UserError(
            f"'{name}' starts from other weights each time for one seed; draw them from the seed alone, "
            "for example with gradlab.models.reinitialise(module, seed)."
        )
    return Custom(name=name, digest=first)


def _fingerprint(name: str, module: nn.Module) -> str:
    from torch import nn

    if not isinstance(module, nn.Module):
        raise UserError(f"'{name}' must give a torch.nn.Module for a seed, got {type(module).__name__}.")
    state = {key: value.detach().double().flatten().tolist() for key, value in module.state_dict().items()}
    return digest([repr(module), state])[:20]
