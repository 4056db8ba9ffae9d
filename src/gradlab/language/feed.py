"""Texts on their way into training: encoded once, batched by length, padded to each batch's longest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gradlab.language.lengths import evaluation_batches, padding_share, training_order
from gradlab.types import UserError

if TYPE_CHECKING:
    from gradlab.data import Role, TextSplit
    from gradlab.data.splits import Origin
    from gradlab.language.tokenizer import Tokenizer
    from gradlab.language.tokens import Tokens


@dataclass(frozen=True, eq=False)
class TokenFeed:
    """A `gradlab.training.Feed` of encoded texts; `fit(network, feed, recipe, validation=feed)` reads it.

    Attributes:
        tokens: the encoded texts in their split's order; `tokens.truncated` counts those that were too long.
        labels: (N,) int64, on the same device.
        role: of the split; "test" is refused by whatever trains or selects.
        origin: of the split.
    """

    tokens: Tokens
    labels: Tensor
    role: Role
    origin: Origin

    def __len__(self) -> int:
        """Count the texts."""
        return len(self.labels)

    def digest(self) -> str:
        """Return a SHA-256 over the encoded texts and their labels."""
        found = hashlib.sha256()
        for tensor in (self.tokens.lengths, self.tokens.ids, self.labels):
            found.update(tensor.cpu().numpy().tobytes())
        return found.hexdigest()

    def order(self, seed: int, epoch: int, batch_size: int) -> Tensor:
        """Return the order in which `seed` visits the texts in `epoch`, like lengths side by side; see `training_order`."""
        return training_order(self.tokens.lengths, batch_size, seed=seed, epoch=epoch)

    def batch(self, indices: Tensor) -> dict[str, Tensor]:
        """Return the encoded texts at `indices`, padded to the longest; see `Tokens.batch`."""
        return self.tokens.batch(indices)

    def parts(self) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
        """Yield indices (B,) and encoded texts (B, L) of the whole split, the shortest first, each once."""
        for indices in evaluation_batches(self.tokens.lengths):
            yield indices, self.batch(indices)

    def padding(self, batch_size: int | None = None, *, seed: int = 0, epoch: int = 1) -> float:
        """Return the share of padding among all tokens, in [0, 1): of an epoch's batches, or of `parts` without a size."""
        lengths = self.tokens.lengths
        if batch_size is None:
            return padding_share(lengths, evaluation_batches(lengths))
        return padding_share(lengths, torch.split(self.order(seed, epoch, batch_size), batch_size))

    def to(self, device: torch.device, dtype: torch.dtype) -> TokenFeed:  # noqa: ARG002 - token ids stay integers
        """Return this feed on `device`; itself where it is there already."""
        if device == self.labels.device:
            return self
        return replace(self, tokens=self.tokens.to(device), labels=self.labels.to(device))


def token_feed(split: TextSplit, tokenizer: Tokenizer, *, max_length: int) -> TokenFeed:
    """Encode the texts of a split, once.

    Args:
        split: texts with labels, of any role.
        tokenizer: trained on the training texts.
        max_length: tokens of a text at most, with the two at its ends; at most the network's.

    Raises:
        UserError: no texts, or a length below 3.
    """
    if not len(split):
        raise UserError("a part without texts can neither train nor be judged; give it at least one text.")
    tokens = tokenizer.encode(split.texts, max_length).to(split.labels.device)
    return TokenFeed(tokens, split.labels, split.role, split.origin)
