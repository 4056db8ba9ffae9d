"""A network in training as a module that an attack can be given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from gradlab.training.objective import Forward


class Still(nn.Module):
    """The one network behind `forward`, in eval mode: images (N, C, H, W) in [0, 1] to logits (N, K)."""

    def __init__(self, forward: Forward) -> None:
        super().__init__()
        self._still = forward.still
        self._orig_mod = (
            None  # as torch.compile leaves it: there are no layers here that a lighter copy could have
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map images to logits, with a graph where gradients are on."""
        return self._still(images.unsqueeze(0)).squeeze(0)
