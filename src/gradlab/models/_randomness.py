"""The one place that touches PyTorch's global random state, for what takes no generator."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def seeded(seed: int, device: torch.device | None = None) -> Iterator[None]:
    """Within the block PyTorch's global streams, of the CPU and of `device`, start from `seed`; after it they are as before."""
    with kept_random_state(device):
        restart(seed, device)
        yield


@contextlib.contextmanager
def kept_random_state(device: torch.device | None = None) -> Iterator[None]:
    """Give the global streams, of the CPU and of `device`, back as they were."""
    if device is None or device.type == "cpu":
        with torch.random.fork_rng(devices=[]):
            yield
    else:
        with torch.random.fork_rng(devices=[device.index or 0], device_type=device.type):
            yield


def restart(seed: int, device: torch.device | None = None) -> None:
    """Start the global streams of the CPU and of `device` from `seed`; call it inside `kept_random_state`."""
    torch.default_generator.manual_seed(seed)  # torch.manual_seed would reach every GPU of the machine
    if device is not None and device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)
    elif device is not None and device.type == "mps":
        torch.mps.manual_seed(seed)
