"""Features of texts from a frozen encoder: any layer, first token or mean, in batches of like length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gradlab.data import TextSplit
from gradlab.data.guard import TEST_MARK
from gradlab.language.lengths import evaluation_batches
from gradlab.language.pooling import POOLINGS, Pooling
from gradlab.training.device import autocast
from gradlab.training.modes import kept_modes
from gradlab.training.recipe import Precision
from gradlab.types import UserError

if TYPE_CHECKING:
    from gradlab.language.text_encoder import TextEncoder
    from gradlab.language.tokens import Tokens


def features(
    encoder: TextEncoder,
    texts: TextSplit | Sequence[str],
    *,
    layer: int = -1,
    pooling: Pooling = "mean",
    max_length: int | None = None,
    precision: Precision = "fp32",
) -> Tensor:
    """Return one vector a text from one layer of an encoder, which is left as it was.

    Args:
        texts: a part of a data set, or a list of texts. layer: 0 is the embeddings, 1 the first block, -1 the last.
        pooling: "cls" takes the first token's vector, "mean" the mean over all tokens, those at the ends included and padding
            left out.
        max_length: tokens of a text at most; as many as the encoder reads where it is left out.
        precision: number format of the forward pass; bf16 is faster where the processor has it.

    Returns: (N, D) float32 on the CPU, in the order of the texts; those of test texts are marked, so that nothing is fitted
    to them.

    Raises:
        UserError: no texts, or no such layer.
    """
    (found,) = all_features(
        encoder, texts, layers=(layer,), poolings=(pooling,), max_length=max_length, precision=precision
    ).values()
    return found


@torch.no_grad()
def all_features(
    encoder: TextEncoder,
    texts: TextSplit | Sequence[str],
    *,
    layers: Sequence[int],
    poolings: Sequence[Pooling] = POOLINGS,
    max_length: int | None = None,
    precision: Precision = "fp32",
) -> Mapping[tuple[int, Pooling], Tensor]:
    """Return the features of several layers and poolings from one forward pass; arguments and errors as for `features`."""
    chosen = _checked(encoder, texts, layers, poolings)
    given = list(texts.texts if isinstance(texts, TextSplit) else texts)
    tokens = encoder.tokenizer.encode(given, min(max_length or encoder.max_length, encoder.max_length))
    device = next(encoder.parameters()).device
    found = {
        (layer, pooling): torch.empty(len(given), encoder.hidden_size)
        for layer in layers
        for pooling in poolings
    }
    with kept_modes(encoder):
        encoder.eval()
        for rows, inputs in _batches(tokens, device):
            with autocast(device, precision):
                states = encoder.hidden_states(**inputs)
            for layer, place in chosen.items():
                for pooling in poolings:
                    found[layer, pooling][rows] = pool(
                        states[place].float(), inputs["attention_mask"], pooling
                    ).cpu()
    if isinstance(texts, TextSplit) and texts.role == "test":
        for one in found.values():
            setattr(one, TEST_MARK, texts.origin.name)
    return found


def pool(hidden: Tensor, attention_mask: Tensor, pooling: Pooling) -> Tensor:
    """Turn a layer's output into one vector a text.

    Args:
        hidden: (N, L, D). attention_mask: (N, L), 1 for a token and 0 for padding.
    Returns: (N, D): the first token's vector, or the mean over the tokens.
    """
    if pooling == "cls":
        return hidden[:, 0]
    weights = attention_mask.to(hidden.dtype).unsqueeze(-1)
    return (hidden * weights).sum(1) / weights.sum(1)


def _checked(
    encoder: TextEncoder, texts: TextSplit | Sequence[str], layers: Sequence[int], poolings: Sequence[Pooling]
) -> dict[int, int]:
    """Return each layer that is asked for -> its place among the hidden states."""
    if isinstance(texts, str) or not len(texts):
        raise UserError(
            "features reads a list of at least one text, or a part of a data set; pass [text, text, …]."
        )
    wrong = [one for one in poolings if one not in POOLINGS]
    if wrong:
        raise UserError(f"pooling must be one of {', '.join(POOLINGS)}, got {wrong[0]!r}.")
    count = encoder.layers
    outside = [one for one in layers if not -count - 1 <= one <= count]
    if outside:
        raise UserError(
            f"this encoder has the layers 0 (its embeddings) to {count}, or -1 for the last, got {outside[0]}."
        )
    return {layer: layer % (count + 1) for layer in layers}


def _batches(tokens: Tokens, device: torch.device) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
    """Yield rows and encoded texts, the shortest first, as many at a time as fit into 4,096 tokens."""
    for rows in evaluation_batches(tokens.lengths):
        yield rows, {name: one.to(device) for name, one in tokens.batch(rows).items()}
