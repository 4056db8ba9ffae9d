"""Sentences that can be used: UTF-8, no NUL, with a label each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gradlab.data._facts import Labels
from gradlab.data._limits import shown
from gradlab.data._sources import RawTexts
from gradlab.data.contents import TextPart
from gradlab.data.registry import Role
from gradlab.types import UserError

TEXT_COLUMNS = ("text", "sentence")


def check_texts(texts: Sequence[Any], where: object) -> tuple[str, ...]:
    """Return the sentences as they are.

    Raises:
        UserError: one that is missing, no text, no UTF-8, or has a NUL; names its row, counted from 0.
    """
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            found = "no text" if text is None else f"a {type(text).__name__} instead of a text"
            raise UserError(f"Row {row} of {shown(where)} has {found}; remove or fix it.")
        if "\0" in text:
            raise UserError(f"The text in row {row} of {shown(where)} has a NUL character; remove it.")
        if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
            raise UserError(f"The text in row {row} of {shown(where)} is not UTF-8; write it again.")
    return tuple(texts)


def parts_of_texts(
    texts: Mapping[Role, tuple[str, ...]],
    labels: Mapping[Role, Labels | None],
    class_names: tuple[str, ...],
) -> RawTexts:
    """Join sentences and labels; a part without labels is left out, with a note."""
    parts, notes = {}, []
    for role, sentences in texts.items():
        if (numbers := labels[role]) is None:
            notes.append(f"The {role} part of the source has no labels (all are −1) and was left out.")
            continue
        parts[role] = TextPart(sentences, numbers)
    return RawTexts(parts, class_names, notes + notes_of_blanks({r: one.texts for r, one in parts.items()}))


def notes_of_blanks(texts: Mapping[Role, Sequence[str]]) -> list[str]:
    """Say how many sentences of each part are empty."""
    counts = {role: sum(not text.strip() for text in part) for role, part in texts.items()}
    return [f"{count:,} {role} sentences are empty." for role, count in counts.items() if count]
