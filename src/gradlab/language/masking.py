"""Masking tokens as BERT does: which tokens have to be guessed, and what stands in their place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

RATE = 0.15
"""Share of a text's tokens that have to be guessed (Devlin et al., 2019, section 3.1)."""
MASKED, RANDOM = 0.8, 0.1
"""Shares of these that become [MASK], and another token; the rest stays as it is."""


class Masked(NamedTuple):
    """Texts with tokens to guess.

    Attributes:
        ids: (N, L) int64, as the network reads them. places: (N, M) int64, columns of what is to be guessed, ascending.
        targets: (N, M) int64, what stood there. counts: (N,) how many of the M are meant; the rest fills up.
    """

    ids: Tensor
    places: Tensor
    targets: Tensor
    counts: Tensor

    @property
    def meant(self) -> Tensor:
        """(N, M) bool: which places are to be guessed."""
        return torch.arange(self.places.shape[1], device=self.places.device) < self.counts[:, None]


def mask_tokens(
    ids: Tensor, attention_mask: Tensor, special: Sequence[int], vocab: int, generator: torch.Generator
) -> Masked:
    """Choose 15 % of the tokens of every text, at least one; 80 % of them become [MASK], 10 % any token, 10 % stay.

    As in BERT (Devlin et al., 2019, arXiv:1810.04805, section 3.1 and appendix A.1), with the number of a text's tokens
    rounded as in its code; chosen afresh at every call (dynamic masking; Liu et al., 2019, arXiv:1907.11692).

    Args:
        ids: (N, L) int64. attention_mask: (N, L), 1 for a token and 0 for padding.
        special: ids that are never chosen nor drawn, [MASK] the last of them. vocab: ids that may be drawn are below.
        generator: source of all choices, on the CPU.
    """
    own = torch.tensor(tuple(special), device=ids.device)
    eligible = attention_mask.bool() & ~torch.isin(ids, own)
    counts = (RATE * eligible.sum(1)).round().long().clamp_min(1).minimum(eligible.sum(1))
    noise = torch.rand(ids.shape, generator=generator).to(ids.device).masked_fill(~eligible, 2.0)
    most = max(int(counts.max()), 1)
    chosen = noise.argsort(1)[:, :most]
    meant = torch.arange(most, device=ids.device) < counts[:, None]
    places = chosen.where(meant, ids.shape[1]).sort(1).values  # what fills up stands behind
    places = places.where(places < ids.shape[1], 0)
    targets = ids.gather(1, places)
    fate = torch.rand(places.shape, generator=generator).to(ids.device)
    allowed = torch.tensor(sorted(set(range(vocab)) - set(special)), device=ids.device)
    drawn = allowed[torch.randint(len(allowed), places.shape, generator=generator).to(ids.device)]
    put = torch.where(fate < MASKED, int(special[-1]), torch.where(fate < MASKED + RANDOM, drawn, targets))
    changed = ids.clone()
    rows = torch.arange(len(ids), device=ids.device)[:, None].expand_as(places)
    changed[rows[meant], places[meant]] = put[meant]
    return Masked(changed, places, targets, counts)
