"""Proof that what is frozen stays as it is: digests of frozen parameters and of frozen batch norms, before and after."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor, nn

from gradlab.training.modes import frozen_norms
from gradlab.types import UserError


def frozen_digests(module: nn.Module) -> dict[str, str]:
    """Return a digest by name for every frozen parameter, and for every buffer of a batch norm in a frozen part."""
    found = {name: one for name, one in module.named_parameters() if not one.requires_grad}
    norms = set(frozen_norms(module))
    buffers = {
        f"{name}.{own}".removeprefix("."): buffer
        for name, layer in module.named_modules()
        if layer in norms
        for own, buffer in layer.named_buffers(recurse=False)
    }
    return {name: digest_of(tensor) for name, tensor in (found | buffers).items()}


def check_frozen(before: dict[str, str], module: nn.Module) -> None:
    """Raise UserError where something frozen differs from what `frozen_digests` saw."""
    after = frozen_digests(module) if before else {}
    changed = [name for name, digest in before.items() if after.get(name) != digest]
    if changed:
        raise UserError(
            f"'{changed[0]}' is frozen, but it changed during training ({len(changed)} such); something in forward() "
            "writes to it or puts its layer in train mode: take that out, or set requires_grad=True."
        )


def digest_of(tensor: Tensor) -> str:
    """SHA-256 in hex over the bytes of a tensor."""
    return hashlib.sha256(bytes_of(tensor)).hexdigest()


def bytes_of(tensor: Tensor) -> memoryview:
    """Return the bytes of a tensor in the order of its axes; no copy of one that lies so on the CPU."""
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy().data if flat.numel() else memoryview(b"")
