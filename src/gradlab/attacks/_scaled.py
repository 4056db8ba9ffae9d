"""A network whose logits are scaled, so that its loss cannot saturate."""

from __future__ import annotations

import torch
from torch import nn

SPREAD = 10.0
"""Distance of the largest from the smallest logit at which the cross-entropy has a gradient in every number format."""


class Scaled(nn.Module):
    """The same predictions, with logits that lie `SPREAD` apart; the factor is an image's own and has no gradient."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map images (N, C, H, W) to logits (N, K)."""
        logits: torch.Tensor = self.model(images)
        spread = (logits.amax(1) - logits.amin(1)).detach().clamp(min=1e-30)
        return logits * (SPREAD / spread)[:, None]
