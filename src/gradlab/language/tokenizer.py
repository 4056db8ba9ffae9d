"""A tokenizer as a value, trained here or published: its JSON, what it makes of texts, and its digest."""

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
"""Tokens that stand for no text, in the order of their ids from 0 where `WordPiece` trained the tokenizer."""
SHORTEST = 3
"""Least tokens of a text: its beginning, its end and one between."""


@dataclass(frozen=True)
class Tokenizer:
    """Words to numbers, as trained by `WordPiece`, or published with an encoder.

    Attributes:
        json: the whole tokenizer in the format of the package `tokenizers`; a record keeps this text, and
                `transformers.PreTrainedTokenizerFast` reads it.
        special: what it calls padding, an unknown word, the first and the last token of a text, and a masked token.
    """

    json: str
    special: tuple[str, ...] = SPECIAL

    def __post_init__(self) -> None:
        missing = [token for token in self.special if token not in self.numbers]
        if missing:
            raise UserError(
                f"the vocabulary of this tokenizer lacks its special tokens {', '.join(missing)}; train one with "
                "WordPiece().train(texts), or take the tokenizer that came with the encoder."
            )

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the JSON."""
        return hashlib.sha256(self.json.encode()).hexdigest()

    @cached_property
    def vocabulary(self) -> tuple[str, ...]:
        """Every token at the place of its id."""
        try:
            tokens = _tokens(_json.loads(self.json))
            return tuple(tokens[number] for number in range(len(tokens)))
        except (
            _json.JSONDecodeError,
            KeyError,
            TypeError,
            AttributeError,
            ValueError,
            RecursionError,
        ) as error:
            raise UserError(
                "this text is no tokenizer's JSON; take the `json` of one that WordPiece().train(texts) returned."
            ) from error

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The id of every token."""
        return {token: number for number, token in enumerate(self.vocabulary)}

    @cached_property
    def special_ids(self) -> tuple[int, ...]:
        """Ids of `special`, in its order."""
        return tuple(self.numbers[token] for token in self.special)

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
        others = [one for one in texts if not isinstance(one, str)]
        if others:
            raise UserError(f"encode reads texts, got {others[0]!r} among them; remove or replace it.")
        if max_length < SHORTEST:
            raise UserError(
                f"max_length counts [CLS] and [SEP] and must be at least {SHORTEST}, got {max_length}."
            )
        from gradlab.language.tokens import join

        inner = self.inner()
        inner.enable_truncation(max_length)
        encoded = inner.encode_batch(list(texts))
        cut_off = sum(bool(one.overflowing) for one in encoded)
        return join([one.ids for one in encoded], cut_off, padding=self.special_ids[0])

    def decode(self, ids: Sequence[int]) -> str:
        """Join the words and word pieces of `ids` by spaces; special tokens are dropped."""
        return str(self.inner().decode([int(one) for one in ids if int(one) not in self.special_ids]))

    def inner(self) -> Any:
        """Return a new tokenizer of the package `tokenizers`, which neither fills up nor cuts off."""
        need_text("a tokenizer")
        from tokenizers import Tokenizer as Inner

        inner = Inner.from_str(self.json)
        inner.no_padding()  # some published ones do
        inner.no_truncation()
        inner.encode_special_tokens = True  # else "[SEP]" in a text, which anybody may write, would end it
        return inner


def _tokens(data: Any) -> dict[int, str]:
    """Return id -> token; the vocabulary is a dictionary, or of unigram models a list of (token, score)."""
    known = data["model"]["vocab"]
    listed = enumerate(token for token, _ in known) if isinstance(known, list) else ()
    tokens = dict(listed) if isinstance(known, list) else {number: token for token, number in known.items()}
    return tokens | {one["id"]: one["content"] for one in data.get("added_tokens", ())}
