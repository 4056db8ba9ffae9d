"""What attacks make large, from logits (N, K) to one number an image; larger is always further towards the goal."""

from __future__ import annotations

from typing import Literal

from gradlab._torch import torch
from gradlab.types import UserError

Loss = Literal["ce", "dlr", "margin"]


def cross_entropy(logits: torch.Tensor, labels: torch.Tensor, targets: torch.Tensor | None) -> torch.Tensor:
    """Return (N,) the cross-entropy of the label, or minus that of the target."""
    if targets is None:
        return torch.nn.functional.cross_entropy(logits, labels, reduction="none")
    return -torch.nn.functional.cross_entropy(logits, targets, reduction="none")


def margin(logits: torch.Tensor, labels: torch.Tensor, targets: torch.Tensor | None) -> torch.Tensor:
    """Return (N,) the largest other logit minus the label's; or the target's minus the largest other one."""
    wanted = labels if targets is None else targets
    own = logits.gather(1, wanted[:, None])[:, 0]
    others = logits.scatter(1, wanted[:, None], -torch.inf).amax(1)
    return others - own if targets is None else own - others


def dlr(logits: torch.Tensor, labels: torch.Tensor, targets: torch.Tensor | None) -> torch.Tensor:
    """Return (N,) the difference-of-logits ratio (Croce & Hein, 2020, arXiv:2003.01690, eqs. 6 and 7).

    It does not change when logits are shifted or scaled. Untargeted it needs three classes and targeted four; with
    fewer, where the ratio would be constant, it is the difference alone.
    """
    ranked = logits.sort(dim=1, descending=True).values
    if targets is None:
        ahead = margin(logits, labels, None)
        return ahead if ranked.shape[1] < 3 else ahead / (ranked[:, 0] - ranked[:, 2] + 1e-12)
    own, wanted = (logits.gather(1, one[:, None])[:, 0] for one in (labels, targets))
    if ranked.shape[1] < 4:
        return wanted - own
    return (wanted - own) / (ranked[:, 0] - (ranked[:, 2] + ranked[:, 3]) / 2 + 1e-12)


LOSSES = {"ce": cross_entropy, "dlr": dlr, "margin": margin}


def check_two_classes(logits: torch.Tensor) -> None:
    """Refuse a network of one output.

    Raises:
        UserError: one class.
    """
    if logits.shape[1] < 2:
        raise UserError(
            "the model returns one number for each image; an attack needs logits of at least two classes, such as "
            "torch.cat([torch.zeros_like(logits), logits], 1) for a network with one sigmoid output."
        )
