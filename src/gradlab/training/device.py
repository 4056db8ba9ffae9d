"""Which device and number format a run uses, checked before anything starts."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager

import torch

from gradlab.training.recipe import Precision
from gradlab.types import UserError, did_you_mean

DEVICES = ("auto", "cpu", "cuda", "mps")
DTYPES: dict[str, torch.dtype] = {
    "fp32": torch.float32,
    "bf16": torch.float32,
    "fp16": torch.float32,
    "fp64": torch.float64,
}
"""Number format of the weights; bf16 and fp16 are autocast over fp32 weights."""


def resolve_device(name: str = "auto") -> torch.device:
    """Return the device that `name` asks for; "auto" takes cuda, then mps, then cpu.

    Raises:
        UserError: there is no such device on this machine.
    """
    kind = name.split(":")[0]
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if available[kind]))
    if kind not in available:
        raise UserError(f"unknown device '{name}'; {did_you_mean(name, DEVICES)}")
    if not available[kind]:
        raise UserError(
            f"this machine has no {kind} device that PyTorch can use; run with --device cpu or auto."
        )
    number = name.removeprefix(kind)[1:]
    if number and not number.isdecimal():
        raise UserError(f"unknown device '{name}'; write cuda:0 for the first of several devices.")
    if kind == "cuda" and number and int(number) >= torch.cuda.device_count():
        raise UserError(
            f"this machine has {torch.cuda.device_count()} cuda device(s), got '{name}'; count from cuda:0."
        )
    return torch.device(name)


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[object]:
    """Return the context in which forward passes run.

    Raises:
        UserError: fp16 on a CPU, which PyTorch computes unusably slowly; fp64 where the device has none.
    """
    if precision not in DTYPES:
        raise UserError(f"unknown precision '{precision}'; {did_you_mean(precision, tuple(DTYPES))}")
    if precision == "fp64" and device.type == "mps":
        raise UserError("an mps device computes no fp64; use --precision fp32, or --device cpu.")
    if precision == "fp16" and device.type == "cpu":
        raise UserError("fp16 on a CPU is unusably slow; use --precision bf16 or fp32, or a GPU.")
    if precision in ("fp32", "fp64"):
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16 if precision == "bf16" else torch.float16)
