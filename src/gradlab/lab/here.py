"""Execution in this very process, for data and modules that live in its memory."""

from __future__ import annotations

import copy
import hashlib
import inspect
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from types import CodeType
from typing import TYPE_CHECKING

import torch
from torch import nn

from gradlab.data import Dataset, load
from gradlab.lab.design import Custom
from gradlab.lab.executor import Block, Event, claim
from gradlab.lab.procedure import train_block
from gradlab.models.initialise import reinitialise
from gradlab.training.fit import Epoch
from gradlab.types import UserError

if TYPE_CHECKING:
    from gradlab.lab.run import Factory, Request

WAIT = 0.5
"""Seconds between two looks at a block that another process holds."""


def run_here(
    blocks: Sequence[Block], request: Request, *, commit: str | None, on_event: Callable[[Event], None]
) -> None:
    """Run blocks one after the other; those that another process holds are waited for."""
    data = request.dataset if request.dataset is not None else load(request.data, request.data_dir)
    waiting = list(blocks)
    while waiting:
        claimed = claim(waiting, request.out, on_event)
        if claimed is None:
            time.sleep(WAIT if waiting else 0)
            continue
        block, held = claimed
        with held:
            _train(block, data, request, commit, on_event)
        on_event({"event": "done", "block": block.name, "arm": block.arm})


def _train(
    block: Block, data: Dataset, request: Request, commit: str | None, on_event: Callable[[Event], None]
) -> None:
    def hear(epoch: Epoch) -> None:
        on_event({"event": "epoch", "block": block.name, "arm": block.arm, **asdict(epoch)})

    models = None
    if isinstance(custom := block.specs[0].model, Custom):
        models = [request.factories[custom.name](spec.seed) for spec in block.specs]
    train_block(
        block.specs,
        data,
        records=request.out / "records",
        checkpoint=request.out / "work" / f"{block.name}.safetensors",
        commit=commit,
        models=models,
        device=request.device if ":" in request.device else None,
        on_epoch=hear,
    )


def as_factory(name: str, network: object) -> Factory:
    """Return what makes a user's network afresh for every seed: a module is copied and drawn anew.

    Raises:
        UserError: neither a module nor a function seed -> module, or a module that cannot be drawn anew.
    """
    if isinstance(network, nn.Module):

        def draw(seed: int) -> nn.Module:
            module = copy.deepcopy(network)
            reinitialise(module, seed)
            return module

        return draw
    if isinstance(network, type):
        raise UserError(f"'{name}' is a class; pass a module, such as {network.__name__}(), or a function.")
    if not callable(network):
        raise UserError(
            f"'{name}' must be a torch.nn.Module, a function seed -> module or a gradlab.models.MLP, "
            f"got {type(network).__name__}."
        )
    return network


def describe_factory(name: str, factory: Factory) -> Custom:
    """Return how a spec knows a user's module: its printed form, its classes' code and its weights at seed 0.

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
    if not isinstance(module, nn.Module):
        raise UserError(f"'{name}' must give a torch.nn.Module for a seed, got {type(module).__name__}.")
    found = hashlib.sha256(re.sub(r" at 0x[0-9a-f]+", "", repr(module)).encode())
    for kind in sorted({type(layer) for layer in module.modules()}, key=lambda kind: kind.__qualname__):
        if not kind.__module__.startswith("torch."):
            found.update(_code(kind).encode())
    for key, value in module.state_dict().items():
        found.update(
            key.encode() + value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data
        )
    return found.hexdigest()[:20]


def _code(kind: type) -> str:
    """Return the source of a class; of one that was typed at a prompt, its compiled methods."""
    try:
        return inspect.getsource(kind)
    except (OSError, TypeError):
        methods = {name: value.__code__ for name, value in vars(kind).items() if inspect.isfunction(value)}
        return str(
            [(name, code.co_code.hex(), code.co_names, _constants(code)) for name, code in methods.items()]
        )


def _constants(code: CodeType) -> list[str]:
    """Constants of a function, without the addresses of the functions inside it."""
    return [one.co_code.hex() if isinstance(one, CodeType) else repr(one) for one in code.co_consts]
