"""Encoded texts of different lengths in one tensor, and padded batches of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Tokens:
    """The token ids of N texts, one after the other without padding.

    Attributes:
        ids: (T,) int64, all texts' ids.
        lengths: (N,) int64, tokens of each text, at least 2.
        truncated: how many texts were longer than the limit and lost their end.
        padding: id that fills a batch up.
    """

    ids: Tensor
    lengths: Tensor
    truncated: int = 0
    padding: int = 0

    def __len__(self) -> int:
        return len(self.lengths)

    def batch(self, indices: Tensor) -> dict[str, Tensor]:
        """Return the texts at `indices` of any shape, filled up with padding to the longest of them, L tokens.

        Returns: "input_ids" (*indices.shape, L) int64, and "attention_mask" of the same shape and type, 1 where there
        is a token and 0 where there is padding.
        """
        lengths = self.lengths[indices]
        places = torch.arange(int(lengths.max()), device=self.ids.device)
        mask = places < lengths[..., None]
        where = (self._starts[indices][..., None] + places).where(mask, 0)
        return {"input_ids": self.ids[where].where(mask, self.padding), "attention_mask": mask.long()}

    @cached_property
    def _starts(self) -> Tensor:
        """Place of each text's first token."""
        return self.lengths.cumsum(0) - self.lengths

    def to(self, device: torch.device | str) -> Tokens:
        """Return these tokens on `device`."""
        return replace(self, ids=self.ids.to(device), lengths=self.lengths.to(device))


def join(encoded: Sequence[Sequence[int]], truncated: int = 0, padding: int = 0) -> Tokens:
    """Put the ids of texts into one tensor."""
    lengths = torch.tensor([len(one) for one in encoded], dtype=torch.int64)
    ids = torch.tensor([number for one in encoded for number in one], dtype=torch.int64)
    return Tokens(ids, lengths, truncated, padding)
