"""Attention rollout (Abnar and Zuidema, 2020): attention through all blocks of a transformer, skips counted as half."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from gradlab._configuration import dataclass
from gradlab._torch import torch
from gradlab.explain._checks import checked
from gradlab.explain._network import hooked, logits, undisturbed
from gradlab.explain.find_spatial_layer import Place, locate
from gradlab.explain.method import Method
from gradlab.explain.scaled import finished
from gradlab.explain.targets import Targets, choose
from gradlab.types import STRICT, UserError


def attention_rollout(
    model: torch.nn.Module, images: torch.Tensor, targets: Targets = None, *, raw: bool = False
) -> torch.Tensor:
    """Attention rollout (Abnar & Zuidema, 2020, arXiv:2005.00928): product over blocks of (A + I) / 2, A the heads' mean.

    The map is what the class token reads of each patch, and without a class token the mean over all tokens. It is the
    same for every target. Attentions are computed from queries and keys, so that any fused attention will do: gradlab's
    ViT, those of Hugging Face, and `nn.MultiheadAttention` (torchvision).

    Args: as `grad_cam`; no gradient is used. raw: shares that sum to at most 1, (N, h, w), unscaled.

    Returns: (N, H, W) in [0, 1].

    Raises:
        UserError: a model without such attention, or as `grad_cam`.
    """
    images = checked(model, images)
    place = locate(model, images, None)
    found: list[torch.Tensor] = []

    def see(layer: Any, inputs: Any, keywords: Any, _output: Any) -> None:
        values = inputs or tuple(
            keywords[name] for name in ("query", "hidden_states", "tokens") if name in keywords
        )
        found.append(_weights(layer, values[0]).mean(1))

    layers = [one for one in model.modules() if _is_attention(one)]
    if not layers or place.grid is None:
        raise UserError(
            f"{type(model).__name__} has no self-attention over patches that attention_rollout knows; take grad_cam."
        )
    with undisturbed(model, gradient=False), hooked(layers, see, with_keywords=True):
        choose(logits(model, images), targets)
    return finished(_rolled(found, place), images, raw=raw)


def _rolled(attentions: list[torch.Tensor], place: Place) -> torch.Tensor:
    """Multiply attentions (N, T, T) of all blocks, the first on the right, and read the patches."""
    if len({one.shape for one in attentions}) > 1:
        raise UserError(
            "attention_rollout needs the same tokens in every block, and this model merges or windows them; take grad_cam."
        )
    identity = torch.eye(attentions[0].shape[1], dtype=attentions[0].dtype, device=attentions[0].device)
    rolled = identity
    for one in attentions:
        rolled = (one + identity) / 2 @ rolled
    extra = rolled.shape[2] - place.grid[0] * place.grid[1]  # type: ignore[index]
    read = rolled[:, 0] if extra else rolled.mean(1)
    return place.maps(read[:, :, None])[:, 0]


def _is_attention(layer: torch.nn.Module) -> bool:
    if isinstance(layer, torch.nn.MultiheadAttention):
        return bool(layer.in_proj_weight is not None)
    ours = hasattr(layer, "query_key_value") and hasattr(layer, "weights")
    return ours or (_heads(layer) > 0 and _query_and_key(layer) is not None)


def _heads(layer: Any) -> int:
    names = ("num_attention_heads", "num_heads")
    known = (getattr(owner, name, 0) for owner in (layer, getattr(layer, "config", None)) for name in names)
    return next((one for one in known if isinstance(one, int) and one), 0)


def _query_and_key(layer: Any) -> tuple[Any, Any] | None:
    """Return the layers that make queries and keys, as Hugging Face has called them."""
    for names in (("q_proj", "k_proj"), ("query", "key")):
        found = tuple(getattr(layer, name, None) for name in names)
        if all(isinstance(one, torch.nn.Linear) for one in found):
            return found  # type: ignore[return-value]
    return None


def _weights(layer: Any, tokens: torch.Tensor) -> torch.Tensor:
    """Return how much each token attends to each other: (N, heads, T, T), rows that sum to 1."""
    if hasattr(layer, "query_key_value"):
        return layer.weights(tokens)  # type: ignore[no-any-return]
    if isinstance(layer, torch.nn.MultiheadAttention):
        both = torch.nn.functional.linear(tokens, layer.in_proj_weight, layer.in_proj_bias)
        query, key, _ = (both if layer.batch_first else both.transpose(0, 1)).chunk(3, 2)
    else:
        made = _query_and_key(layer)
        assert made is not None  # such layers alone are watched
        query, key = (one(tokens) for one in made)
    query, key = (torch.unflatten(one, 2, (_heads(layer), -1)).transpose(1, 2) for one in (query, key))
    return torch.softmax(query @ key.transpose(2, 3) / query.shape[3] ** 0.5, dim=3)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AttentionRollout(Method):
    """Attention rollout: what the class token reads of each patch through all blocks; the same map for every class."""

    explain: ClassVar = staticmethod(attention_rollout)
    kind: Literal["attention-rollout"] = "attention-rollout"
