"""What has to be there before anything runs: the device, and folders that can be written."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from gradlab.lab.running.local import clear_logs
from gradlab.lab.running.request import Executor, Request
from gradlab.lab.running.worker import disk_message
from gradlab.types import UserError


def device_kind(device: str, executor: Executor = "local") -> str:
    """Return "cpu", "cuda" or "mps"; imports torch only where there may be a GPU.

    Raises:
        UserError: the device is not there, or one of several is named, which Ray hands out itself.
    """
    if executor == "ray" and ":" in device:
        raise UserError(f"Ray gives every unit a GPU of its own; write --device cuda instead of {device}.")
    if executor == "ray" and device == "cuda":  # on the nodes, whatever this machine has
        return device
    may_have_gpu = (
        sys.platform == "darwin" or any(Path("/dev").glob("nvidia[0-9]*")) or Path("/dev/kfd").exists()
    )
    if device == "cpu" or (device == "auto" and not may_have_gpu and sys.platform != "win32"):
        return "cpu"
    from gradlab.training.device import resolve_device

    return resolve_device(device).type


def make_ready(request: Request) -> str:
    """Check the device, make the folders, clear what killed workers left there, and return the kind of the device.

    Raises:
        UserError: no such device or not for this precision, or the folder cannot be written.
    """
    device = device_kind(request.device, request.executor)
    if request.precision == "fp16" and device == "cpu":
        raise UserError("fp16 on a CPU is unusably slow; use --precision bf16 or fp32, or a GPU.")
    _prepare(request.out)
    clear_logs(request.out / "work")
    return device


def _prepare(out: Path) -> None:
    """Make the folders, or say in one sentence why not."""
    try:
        for name in ("records", "work", "looks", "reports"):
            (out / name).mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise UserError(
            f"--out needs a folder, but {error.filename} is a file; give another path."
        ) from error
    except NotADirectoryError as error:
        raise UserError(
            f"--out needs a folder, but part of {error.filename} is a file; give another path."
        ) from error
    except OSError as error:
        raise UserError(f"cannot write to {out}: {disk_message(error)}") from error
    if not os.access(out / "records", os.W_OK):
        raise UserError(f"cannot write to {out}; give an --out folder that you may write to.")
