"""Normalisation as a layer, so that images stay in [0, 1] everywhere outside the network."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gradlab.types import UserError


class Normalise(nn.Module):
    """(x - mean) / std per channel, for images (..., C, H, W) in [0, 1]."""

    scale: Tensor
    shift: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        numbers = all(math.isfinite(value) for value in (*mean, *std))
        if not mean or len(mean) != len(std) or not numbers or not all(value > 0 for value in std):
            raise UserError(
                f"mean and std need one number per channel and std must be positive, got {list(mean)} and {list(std)}."
            )
        mean_tensor = torch.tensor(mean, dtype=torch.float64).view(-1, 1, 1)
        std_tensor = torch.tensor(std, dtype=torch.float64).view(-1, 1, 1)
        self.register_buffer("scale", (1 / std_tensor).float())
        self.register_buffer("shift", (-mean_tensor / std_tensor).float())

    def forward(self, images: Tensor) -> Tensor:
        """Return the normalised images, same shape.

        Raises:
            UserError: the images have another number of channels.
        """
        channels = len(self.scale)
        if channels > 1 and images.shape[-3] != channels:
            raise UserError(
                f"mean and std of {channels} channels cannot normalise images of shape {tuple(images.shape)}; "
                "give one number per channel of the images, or one for all."
            )
        return (images * self.scale).add_(self.shift)

    def extra_repr(self) -> str:
        """Show mean and std as they were given."""
        std = 1 / self.scale.flatten()
        return f"mean={[round(v, 4) for v in (-self.shift.flatten() * std).tolist()]}, std={[round(v, 4) for v in std.tolist()]}"
