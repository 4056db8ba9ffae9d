"""The processes of one data-parallel training: who this one is, its part of every batch, and what they tell each other."""

from __future__ import annotations

import atexit
import contextlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed

from gradlab.training.device import resolve_device
from gradlab.training.torchrun import LOST, is_one_of_several, note_loss
from gradlab.types import UserError, is_out_of_memory


@dataclass(frozen=True)
class Ranks:
    """This process among those of one training; one alone talks to nobody.

    Attributes:
        rank: of this process, from 0. size: how many processes there are.
    """

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that writes and shows."""
        return self.rank == 0

    def part(self, count: int) -> slice:
        """Return which samples of a batch of `count` are this process's; the parts differ by one sample at most."""
        return slice(self.rank * count // self.size, (self.rank + 1) * count // self.size)

    def share(self, count: int) -> float:
        """Return the weight of this process's mean in the mean over a batch of `count`."""
        return len(range(count)[self.part(count)]) / count

    def sum_(self, tensors: Sequence[Tensor]) -> None:
        """Replace tensors by their sums over all processes, in place; every process gets the same bits."""
        if self.size > 1:
            with _reached():
                for tensor in tensors:
                    distributed.all_reduce(tensor)

    def sum(self, tensor: Tensor) -> Tensor:
        """Return the sum over all processes; its gradient is the sum of theirs."""
        return tensor if self.size == 1 else _Sum.apply(tensor, self)  # type: ignore[no-untyped-call]

    def gather(self, thing: Any) -> list[Any]:
        """Return what every process gave, in the order of the processes; it is pickled."""
        if self.size == 1:
            return [thing]
        found: list[Any] = [None] * self.size
        with _reached():
            distributed.all_gather_object(found, thing)
        return found

    def from_first(self, thing: Any) -> Any:
        """Return what process 0 gave; it is pickled."""
        if self.size == 1:
            return thing
        room = [thing]
        with _reached():
            distributed.broadcast_object_list(room, src=0)
        return room[0]


ALONE = Ranks()


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, tensor: Tensor, ranks: Ranks) -> Tensor:
        context.ranks = ranks
        found = tensor.clone(memory_format=torch.contiguous_format)
        ranks.sum_([found])
        return found

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None]:
        found = gradient.clone(memory_format=torch.contiguous_format)
        context.ranks.sum_([found])
        return found, None


def gathered(
    ranks: Ranks, parts: list[tuple[Tensor, dict[str, Tensor]]]
) -> list[tuple[Tensor, dict[str, Tensor]]]:
    """Return what all processes measured: indices and values by name, on the device."""
    if ranks.size == 1:
        return parts
    moved = [(indices.cpu(), {name: one.cpu() for name, one in values.items()}) for indices, values in parts]
    return [part for own in ranks.gather(moved) for part in own]


@contextlib.contextmanager
def _reached() -> Iterator[None]:
    """Say in a sentence that another process does not answer."""
    try:
        yield
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise
        note_loss()
        raise UserError(
            f"another process of this training has ended or cannot be reached ({_short(error)}); its own message says why. "
            "Start all of them again: with a checkpoint they go on after the last finished epoch."
        ) from error


def _short(error: RuntimeError) -> str:
    """What the library says, without the place in its source and its advice."""
    first = next(iter(str(error).splitlines()), "")
    return re.sub(r"^\[[^\]]*\] ", "", first).split(". ")[0]


def find_ranks(device: str) -> tuple[Ranks, torch.device]:
    """Return who this process is, and the device on which it trains.

    Those that `torchrun` started form their group at the first call; where a process group is initialised, it is taken.

    Raises:
        UserError: a device that these processes cannot share.
    """
    ready = distributed.is_available() and distributed.is_initialized()
    if not ready and not is_one_of_several():
        return ALONE, resolve_device(device)
    place = _own_device(device)
    if not ready:
        _start_group(place)
    ranks = Ranks(distributed.get_rank(), distributed.get_world_size())
    if ranks.size > 1 and place.type == "cpu" and distributed.get_backend() == "nccl":
        raise UserError(
            "the process group speaks NCCL, which knows no CPU; initialise it with gloo or train on cuda."
        )
    return ranks, place


def _own_device(name: str) -> torch.device:
    """Return this process's GPU, or the CPU."""
    place = resolve_device(name)
    if place.type == "mps":
        if name == "auto":
            return torch.device("cpu")
        raise UserError(
            "several processes cannot train on mps, which PyTorch connects by nothing; use --device cpu."
        )
    if place.type != "cuda" or ":" in name:
        return place
    number, count = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if number >= count:
        raise UserError(
            f"this machine has {count} GPU(s), and process {number + 1} of this machine needs one of its own; start "
            f"{count} with --nproc-per-node={count}."
        )
    return torch.device("cuda", number)


def _start_group(place: torch.device) -> None:
    with _reached():
        distributed.init_process_group("cpu:gloo,cuda:nccl" if place.type == "cuda" else "gloo")
    atexit.register(_end_group)


def _end_group() -> None:
    if distributed.is_initialized() and not LOST.is_set():  # it would wait for the lost one
        distributed.destroy_process_group()
