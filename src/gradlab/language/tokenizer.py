"""A trained tokenizer as a value: its JSON, what it makes of texts, and its digest."""

from __future__ import annotations

import hashlib
import json as _json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gradlab.language._extra import need_text
from gradlab.types import UserError

if TYPE_CHECKING:
    from gradlab.language.tokens import Tokens

PADDING, UNKNOWN, CLASSIFY, SEPARATOR, MASK = SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
"""Tokens that stand for no text, in the order of their ids from 0."""
SHORTEST = 3
"""Least tokens of a text: its beginning, its end and one between."""


@dataclass(frozen=True)
class Tokenizer:
    """Words to numbers, as trained by `WordPiece`.

    Attributes:
        json: the whole tokenizer in the format of the package `tokenizers`; a record keeps this text, and
                `transformers.PreTrainedTokenizerFast` reads it.
    """

    json: str

    def __post_init__(self) -> None:
        if self.vocabulary[: len(SPECIAL)] != SPECIAL:
            raise UserError(
                f"a tokenizer of gradlab begins with {', '.join(SPECIAL)}, got {', '.join(self.vocabulary[:5])}; "
                "train it with WordPiece().train(texts)."
            )

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the JSON."""
        return hashlib.sha256(self.json.encode()).hexdigest()

    @cached_property
    def vocabulary(self) -> tuple[str, ...]:
        """Every token at the place of its id."""
        try:
            tokens = {number: token for token, number in _json.loads(self.json)["model"]["vocab"].items()}
            return tuple(tokens[number] for number in range(len(tokens)))
        except (_json.JSONDecodeError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise UserError(
                "this text is no tokenizer's JSON; take the `json` of one that WordPiece().train(texts) returned."
            ) from error

    def __len__(self) -> int:
        """Count the tokens of the vocabulary."""
        return len(self.vocabulary)

    def encode(self, texts: Sequence[str], max_length: int) -> Tokens:
        """Turn texts into the ids of their tokens, each text between [CLS] and [SEP].

        Args:
            texts: any; what the vocabulary does not hold becomes [UNK], and a special token's name is plain text.
            max_length: tokens of a text at most, with the two at its ends; the rest of a longer one is cut off.

        Raises:
            UserError: a single string, no texts, or a length below 3.
        """
        if isinstance(texts, str) or not len(texts):
            raise UserError("encode reads a list of at least one text; pass [text, text, …].")
        if max_length < SHORTEST:
            raise UserError(
                f"max_length counts [CLS] and [SEP] and must be at least {SHORTEST}, got {max_length}."
            )
        from gradlab.language.tokens import join

        inner = self._inner()
        inner.enable_truncation(max_length)
        encoded = inner.encode_batch(list(texts))
        return join([one.ids for one in encoded], sum(bool(one.overflowing) for one in encoded))

    def decode(self, ids: Sequence[int]) -> str:
        """Join the words and word pieces of `ids` by spaces; special tokens are dropped."""
        return str(self._inner().decode([int(one) for one in ids if int(one) >= len(SPECIAL)]))

    def _inner(self) -> Any:
        need_text("a tokenizer")
        from tokenizers import Tokenizer as Inner

        return Inner.from_str(self.json)
