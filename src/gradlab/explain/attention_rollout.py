"""Attention rollout (Abnar and Zuidema, 2020): attention through all blocks of a transformer, skips counted as half."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

from gradlab._configuration import dataclass
from gradlab._torch import torch
from gradlab.explain._checks import checked
from gradlab.explain._network import logits, undisturbed
from gradlab.explain._place import Trace, grid_of_tokens
from gradlab.explain.find_spatial_layer import traced
from gradlab.explain.method import Method
from gradlab.explain.scaled import finished
from gradlab.explain.targets import Targets, choose
from gradlab.types import STRICT, UserError


def attention_rollout(
    model: torch.nn.Module, images: torch.Tensor, targets: Targets = None, *, raw: bool = False
) -> torch.Tensor:
    """Attention rollout (Abnar & Zuidema, 2020, arXiv:2005.00928): product over blocks of (A + I) / 2, A the heads' mean.

    The map is what the class token reads of each patch, and without a class token the mean over all tokens. It is the
    same for every target. A are the attentions with which the network multiplies its values in this very pass, biases of
    position and masks included, whoever wrote the layer.

    Args: as `grad_cam`; no gradient is used. raw: shares that sum to at most 1, (N, h, w), unscaled.

    Returns: (N, H, W) in [0, 1].

    Raises:
        UserError: a model whose blocks do not attend from all tokens to all by a softmax (windows, merged tokens), or that
            changes its attentions after the softmax; or as `grad_cam`.
    """
    from gradlab.explain._attentions import attentions

    model, images = checked(model, images)
    name = type(model).__name__
    with undisturbed(model, gradient=False), attentions(len(images)) as seen:
        choose(logits(model, images), targets)
    with undisturbed(model, gradient=True):
        trace = traced(model, images)
    if not (seen.found or seen.is_partial or seen.is_changed):
        raise UserError(
            f"{name} has no self-attention over patches that attention_rollout knows; take grad_cam."
        )
    if seen.is_changed:
        raise UserError(
            f"{name} changes attentions after their softmax, which attention_rollout does not follow; take grad_cam."
        )
    tokens = {one.shape[1] for one in seen.found}
    is_whole = len(tokens) == 1 and tokens <= _whole(trace) and not seen.is_partial
    grid = grid_of_tokens(max(tokens), trace) if is_whole else None
    if grid is None:
        raise UserError(
            f"attention_rollout needs attention from all tokens to all of them in every block, and {name} merges or windows "
            "them; take grad_cam."
        )
    return finished(_rolled(seen.found, grid), images, raw=raw)


def _whole(trace: Trace) -> set[int]:
    """Return how many tokens of an image layers put out; those of a window lie in a larger batch."""
    return {one.value.shape[1] for one in trace.seen if one.value.dim() == 3}


def _rolled(attentions: list[torch.Tensor], grid: tuple[int, int]) -> torch.Tensor:
    """Multiply attentions (N, T, T) of all blocks, the first on the right, and read the patches, (N, h, w)."""
    identity = torch.eye(attentions[0].shape[1], dtype=attentions[0].dtype, device=attentions[0].device)
    rolled = identity
    for one in attentions:
        rolled = (one + identity) / 2 @ rolled
    extra = len(identity) - math.prod(grid)
    read = rolled[:, 0, extra:] if extra else rolled.mean(1)
    return torch.unflatten(read, 1, grid)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AttentionRollout(Method):
    """Attention rollout: what the class token reads of each patch through all blocks; the same map for every class."""

    explain: ClassVar = staticmethod(attention_rollout)
    kind: Literal["attention-rollout"] = "attention-rollout"
