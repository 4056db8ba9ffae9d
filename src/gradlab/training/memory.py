"""Memory that does not suffice for a training, as one sentence that says which batch to try."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import torch

from gradlab.types import UserError, is_out_of_memory


@contextlib.contextmanager
def memory_said(batch_size: int, device: torch.device, checkpoint: Path | None = None) -> Iterator[None]:
    """Within the block, say in a sentence that the memory of a device does not suffice.

    Args:
        batch_size: of the training. device: on which it runs.
        checkpoint: from which it goes on; what it holds is not touched.

    Raises:
        UserError: in the place of PyTorch's own error, on a CPU or a GPU; any other error passes through.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise UserError(_sentence(batch_size, device, checkpoint)) from error


def _sentence(batch_size: int, device: torch.device, checkpoint: Path | None) -> str:
    kept = ""
    if checkpoint is not None and checkpoint.exists():
        kept = f"; finished epochs are kept in {checkpoint}, which belongs to this batch size alone"
    place = "of this machine" if device.type == "cpu" else f"of {device}"
    if batch_size == 1:
        return f"the memory {place} does not suffice for a single image a step; take a smaller network or smaller images{kept}."
    smaller = [batch_size // 2, *([batch_size // 4] if batch_size >= 4 else [])]
    tried = " or ".join(str(one) for one in smaller)
    return f"the memory {place} does not suffice for steps of {batch_size} images; try a batch size of {tried}{kept}."
