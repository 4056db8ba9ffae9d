"""The texts on which an encoder is pre-trained: training sentences alone, each once, none that is judged anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from gradlab.data import TextSplit
from gradlab.data.overlap import normalised, same_words
from gradlab.types import UserError

if TYPE_CHECKING:
    from gradlab.data import TextDataset


@dataclass(frozen=True, eq=False)
class Corpus:
    """Texts without labels (all are 0) for masked-language pre-training.

    Attributes:
        train: what trains. validation: validation sentences of the same sets, for the loss alone.
        counts: training sentences found; copies among them, and what holds no word; left out since they stand in a test, or
            else in a validation part of any of the sets; kept.
    """

    train: TextSplit
    validation: TextSplit
    counts: dict[str, int]


def pretraining_corpus(sets: Sequence[TextDataset]) -> Corpus:
    """Gather the training sentences of several data sets, each once; sentences are the same if their words are.

    A sentence that also stands in a test or validation part of any of the sets is left out, so that no text on which
    anything is judged or chosen has been seen. Validation sentences that stand in a test part are left out as well.

    Raises:
        UserError: a set without training and validation sentences, or none is left.
    """
    found = [text for data in sets for text in data.trainable()[0].texts]
    judged = {
        role: {words for data in sets if role in data.splits for words in same_words(data.splits[role].texts)}
        for role in ("test", "validation")
    }
    unique = _unique(found)
    in_test = {words for words in unique if words in judged["test"]}
    chosen = {words for words in unique if words in judged["validation"]} - in_test
    kept = [text for words, text in unique.items() if words not in in_test and words not in chosen]
    held = _unique([text for data in sets for text in data.trainable()[1].texts])
    validation = [text for words, text in held.items() if words not in judged["test"]]
    if not kept or not validation:
        names = ", ".join(data.name for data in sets)
        raise UserError(
            f"no sentence of {names} is left to train or to validate on; name further data sets of texts."
        )
    counts = {
        "found": len(found),
        "copies": len(found) - len(unique),
        "in test": len(in_test),
        "in validation": len(chosen),
        "kept": len(kept),
    }
    return Corpus(_split(kept, "train"), _split(validation, "validation"), counts)


def _unique(texts: Sequence[str]) -> dict[str, str]:
    """Return the words of every text -> the first text that has them; one without words is left out."""
    first: dict[str, str] = {}
    for text in texts:
        first.setdefault(normalised(text), text)
    first.pop("", None)
    return first


def _split(texts: Sequence[str], role: str) -> TextSplit:
    return TextSplit(tuple(texts), torch.zeros(len(texts), dtype=torch.int64), role)  # type: ignore[arg-type]
