"""How many texts of one part stand in another, as they are and with spelling, case and punctuation evened out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gradlab.data.registry import Role
from gradlab.types import UserError

WORDS = re.compile(r"\w+")


@dataclass(frozen=True)
class Overlap:
    """Texts that are judged, and how many of them a training set holds.

    Attributes:
        judged, known: names of the two data sets. part: of the judged ones. texts: how many.
        exact: that stand in the training part letter by letter. normalised: that stand there once case, accents' form,
            punctuation and spaces are evened out; at least `exact`.
        rows: positions of the latter in their part, ascending.
    """

    judged: str
    known: str
    part: Role
    texts: int
    exact: int
    normalised: int
    rows: tuple[int, ...] = ()

    def describe(self) -> str:
        """Say it in one sentence."""
        if not self.normalised:
            return (
                f"None of the {self.texts:,} {self.part} sentences of '{self.judged}' stands in the training part of "
                f"'{self.known}'."
            )
        share = 100 * self.normalised / self.texts
        return (
            f"{self.normalised:,} of the {self.texts:,} {self.part} sentences of '{self.judged}' ({share:.3g} %) stand in the "
            f"training part of '{self.known}', {self.exact:,} of them letter by letter."
        )


def normalised(text: str) -> str:
    """Return the words of a text alone, in lower case, with single spaces.

    >>> normalised("It's  GOOD")
    'it s good'
    >>> normalised("A film -- good, or bad?") == normalised("a film good , or bad ?")
    True
    """
    return " ".join(WORDS.findall(unicodedata.normalize("NFKC", text).casefold()))


def same_words(texts: Sequence[str]) -> list[str]:
    """Return the normalised form of every text; one without words stands for itself."""
    return [normalised(text) or text.strip() for text in texts]


def overlap(judged: Any, known: Any, *, part: Role = "test") -> Overlap:
    """Count how many texts of a part of `judged` stand in the training part of `known`; neither is changed.

    Args:
        judged, known: data sets of texts; the same one twice looks for copies across its parts.

    Raises:
        UserError: images, or a part that is not there.
    """
    texts, training = _part(judged, part).texts, _part(known, "train").texts
    letters, words = set(training), set(same_words(training))
    rows = tuple(row for row, text in enumerate(same_words(texts)) if text in words)
    exact = sum(text in letters for text in texts)
    return Overlap(judged.name, known.name, part, len(texts), exact, len(rows), rows)


def _part(data: Any, part: Role) -> Any:
    split = getattr(data, part, None)
    if split is None or not hasattr(split, "texts"):
        raise UserError(
            f"'{getattr(data, 'name', data)}' has no {part} texts; an overlap is counted between data sets of texts, such as "
            "sst2 and rotten-tomatoes."
        )
    return split
