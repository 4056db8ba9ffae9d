"""Learned vectors in the place of a prompt's first words, as CoOp has them."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from gradlab.clip.network import CLIP
from gradlab.types import UserError

FILLER = "X"
"""Word that keeps the places of the learned vectors, as in the authors' code."""


class LearnedContext(nn.Module):
    """Token ids (T, L) to vectors (T, L, D): those of the embedding, but learned ones after the token that begins a text.

    Attributes:
        embedding: of the text tower. vectors: (M, D), the context.
    """

    def __init__(self, embedding: nn.Embedding, vectors: Tensor) -> None:
        super().__init__()
        self.embedding, self.vectors = embedding, nn.Parameter(vectors)

    @property
    def weight(self) -> Tensor:
        """The table of the embedding, as the text tower asks for it."""
        return self.embedding.weight

    def forward(self, input_ids: Tensor) -> Tensor:
        """Look the tokens up."""
        found = self.embedding(input_ids)
        end = 1 + len(self.vectors)
        context = self.vectors.expand(len(found), -1, -1)
        return torch.cat([found[:, :1], context, found[:, end:]], dim=1)


def with_context(clip: CLIP, count: int, std: float, seed: int) -> CLIP:
    """Return a frozen copy whose texts begin with `count` learned vectors, N(0, std²) at the start.

    Raises:
        UserError: a prompt was learned already, or the tokenizer cuts the filler into several tokens.
    """
    if clip.template:
        raise UserError(
            "this CLIP has a learned prompt already; learn another one from the model that it began with."
        )
    template = " ".join([FILLER] * count) + " {}."
    made = CLIP(copy.deepcopy(clip.model), clip.tokenizer, copy.deepcopy(clip.preprocessing), template)
    made.requires_grad_(False)
    one, two = (int(made.tokens([text])["input_ids"].shape[1]) for text in (FILLER, f"{FILLER} {FILLER}"))
    if two - one != 1:
        raise UserError(
            f"the tokenizer cuts '{FILLER}' into {two - one} tokens, so that learned vectors have no places; take the "
            "tokenizer that belongs to the model."
        )
    places = made.model.text_model.embeddings
    stream = torch.Generator().manual_seed(seed)
    table = places.token_embedding.weight
    vectors = std * torch.randn(count, table.shape[1], generator=stream)
    places.token_embedding = LearnedContext(places.token_embedding, vectors.to(table))
    return made
