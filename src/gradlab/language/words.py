"""Tokens to words: which tokens of an encoded text make up each of its words, and where they stand in it."""

from __future__ import annotations

from dataclasses import dataclass

from gradlab.language.tokenizer import Tokenizer


@dataclass(frozen=True)
class Word:
    """A word of a text.

    Attributes:
        text: as written. start, end: where it stands in the text. tokens: places of its tokens among those of the text.
    """

    text: str
    start: int
    end: int
    tokens: tuple[int, ...]


def words_of(tokenizer: Tokenizer, text: str, max_length: int) -> tuple[Word, ...]:
    """Return the words of a text, in their order; the tokens are those of `tokenizer.encode([text], max_length)`.

    The tokens at the ends of a text belong to no word, and words that were cut off are not there.

    Args:
        max_length: tokens of the text at most, with the two at its ends.
    """
    inner = tokenizer.inner()
    inner.enable_truncation(max_length)
    encoded = inner.encode(text)
    places: dict[int, list[int]] = {}
    for place, word in enumerate(encoded.word_ids):
        if word is not None:
            places.setdefault(word, []).append(place)
    found = []
    for tokens in places.values():
        start, end = encoded.offsets[tokens[0]][0], encoded.offsets[tokens[-1]][1]
        # byte-level tokens begin with the space before them
        lead = len(text[start:end]) - len(text[start:end].lstrip())
        found.append(Word(text[start + lead : end], start + lead, end, tuple(tokens)))
    return tuple(found)
