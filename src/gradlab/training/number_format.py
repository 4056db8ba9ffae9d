"""What bf16 costs on this machine: whether its processor has units for it, and a measured step."""

from __future__ import annotations

import functools
import platform
import time
from pathlib import Path

import torch
from torch import nn

from gradlab.models._randomness import seeded
from gradlab.training.device import autocast
from gradlab.training.recipe import Precision

UNITS = {"amx_bf16": "AMX", "avx512_bf16": "AVX-512 BF16", "bf16": "BF16", "sve_bf16": "SVE BF16"}
"""Flag of Linux -> units that multiply bf16 numbers, the fastest first."""
ROUNDS = 5


def bf16_units(flags: str | None = None) -> str | None:
    """Name the bf16 units of this processor; None where there are none, or nothing is known.

    Args:
        flags: the processor's, in one line; read from the system where not given.

    >>> bf16_units("fpu avx512f avx512_bf16 amx_bf16"), bf16_units("fpu avx2 avx512f")
    ('AMX', None)
    """
    known = set((_flags() if flags is None else flags).split())
    return next((name for flag, name in UNITS.items() if flag in known), None)


def precision_note(precision: Precision, device: torch.device) -> str:
    """Say what a number format costs here, such as "bf16 takes 2.3 × the time of fp32 (no bf16 units)"; "" for fp32.

    It is measured once in a process, on a convolution, for bf16 on a CPU; a GPU of the last years has units for it.
    """
    if precision != "bf16" or device.type != "cpu":
        return ""
    return _said(_measured(), bf16_units(), platform.machine())


def _said(ratio: float, units: str | None, machine: str) -> str:
    has = f"{units} units" if units else f"no bf16 units on this {machine} processor"
    advice = "" if ratio < 1 else "; fp32 is faster here"
    return f"bf16 takes {ratio:.2g} × the time of fp32 ({has}){advice}"


def _flags() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
    return next(
        (line.partition(":")[2] for line in lines if line.lower().startswith(("flags", "features"))), ""
    )


@functools.lru_cache(maxsize=1)
def _measured() -> float:
    """Time of a convolution forward and backward in bf16 over that in fp32: the shortest of turns, since others work here."""
    with seeded(0):
        layer = nn.Conv2d(64, 64, 3, padding=1).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        images = torch.randn(64, 64, 16, 16).contiguous(memory_format=torch.channels_last).requires_grad_()
    times: dict[Precision, list[float]] = {"fp32": [], "bf16": []}
    for turn in range(ROUNDS + 1):
        for precision, found in times.items():
            begun = time.perf_counter()
            with autocast(images.device, precision):
                output = layer(images)
            torch.autograd.grad(output, [images, *layer.parameters()], torch.ones_like(output))
            if turn:  # the first warms up
                found.append(time.perf_counter() - begun)
    return min(times["bf16"]) / min(times["fp32"])
