"""Checkpoints: safetensors with a JSON header, written whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from gradlab.types import UserError


def write_checkpoint(path: Path, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
    """Write tensors and JSON-able facts to one file, atomically.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        flat = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        temporary.write_bytes(save(flat, metadata={"facts": json.dumps(facts)}))
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def read_checkpoint(path: Path, device: torch.device) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `write_checkpoint` wrote.

    Raises:
        UserError: the file is no checkpoint, or is damaged.
    """
    if path.is_dir():
        raise UserError(f"{path} is a folder; give the checkpoint the name of a file.")
    try:
        with safe_open(path, framework="pt", device=str(device)) as file:
            facts = json.loads((file.metadata() or {})["facts"])
            return {name: file.get_tensor(name) for name in file.keys()}, facts  # noqa: SIM118 - not a dict
    except (SafetensorError, KeyError, json.JSONDecodeError) as error:
        raise UserError(
            f"{path} is not a gradlab checkpoint or is damaged ({error}); delete it to start afresh."
        ) from error
