"""The last linear layer of a classifier, which detectors apply to changed features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gradlab._torch import torch
from gradlab.detection._features import checked_features
from gradlab.metrics.arrays import Floats
from gradlab.types import UserError


@dataclass(frozen=True, eq=False)
class Head:
    """logits = features @ weight.T + bias.

    Attributes:
        weight: (K, D). bias: (K,).
    """

    weight: Floats
    bias: Floats

    def logits(self, features: Any) -> Floats:
        """Return (N, K) float64 for features (N, D)."""
        found: Floats = checked_features(features, self.weight.shape[1]) @ self.weight.T + self.bias
        return found


def head_of(model: torch.nn.Module) -> Head:
    """Read the last linear layer of a network, in float64.

    Raises:
        UserError: there is none.
    """
    from gradlab.models.find_layer import head_name

    if not isinstance(model, torch.nn.Module):
        raise UserError(
            f"head_of reads a torch.nn.Module, got {type(model).__name__}; pass the network itself."
        )
    layer: Any = model.get_submodule(head_name(model))
    weight = layer.weight.detach().double().cpu().numpy()
    bias = torch.zeros(len(weight)) if layer.bias is None else layer.bias.detach()
    return Head(weight, bias.double().cpu().numpy())
