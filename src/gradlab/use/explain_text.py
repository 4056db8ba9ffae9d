"""Which words a classifier of texts goes by: integrated gradients drawn over the words, and a check with random weights."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from gradlab import language
from gradlab._files import write_whole
from gradlab.explain.highlight import highlight
from gradlab.lab.records.finding import find_record
from gradlab.lab.records.record import Record
from gradlab.procedures.divided_texts import Divided, divided, likeness
from gradlab.types import Count, UserError

LEGEND = (
    "Blue words speak for the class that is predicted, red ones against it. The values of a text add up to its logit minus that "
    "of the same text with [MASK] in the place of every token (integrated gradients)."
)
ENOUGH = 0.05
"""Gap of completeness, as a share of what the values sum to, above which more steps are asked for."""


@dataclass(frozen=True)
class ExplainedText:
    """One text.

    Attributes:
        text: as written. words: the words that were read. values: what each adds to the logit of the predicted class.
        prediction: name of that class. probability: of it, in [0, 1].
        change: its logit minus that of the text without words. gap: what the values sum to, minus that change.
    """

    text: str
    words: tuple[language.Word, ...]
    values: tuple[float, ...]
    prediction: str
    probability: float
    change: float
    gap: float


@dataclass(frozen=True)
class TextExplanations:
    """Texts, readable as text and drawn in a notebook or as a page.

    Attributes:
        rows: one a text.
        randomised: mean rank correlation, over texts of three words or more, of the words' magnitudes with those that the same
            network gives with random weights; near 0 is right, near 1 says that they do not depend on what it learned.
    """

    rows: tuple[ExplainedText, ...]
    randomised: float | None

    def __str__(self) -> str:
        lines = [
            f"{row.prediction} {100 * row.probability:.0f} %: "
            + " ".join(f"{one.text} ({value:+.2f})" for one, value in zip(row.words, row.values, strict=True))
            for row in self.rows
        ]
        return "\n".join([*lines, *self._said()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """Draw every text, in one scale of colours."""
        most = max((abs(value) for row in self.rows for value in row.values), default=0.0)
        drawn = [
            f"<p><b>{escape(row.prediction)}</b> {100 * row.probability:.0f} % "
            f"{highlight(row.text, [(one.start, one.end) for one in row.words], row.values, most)}</p>"
            for row in self.rows
        ]
        return (
            f"<div>{''.join(drawn)}<p>{'<br>'.join(escape(one) for one in (LEGEND, *self._said()))}</p></div>"
        )

    def save(self, path: str | Path) -> Path:
        """Write the drawing as a page that needs nothing else."""
        place = Path(path)
        page = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Which words</title>{self._repr_html_()}</html>\n'
        write_whole(place, page.encode())
        return place

    def _said(self) -> list[str]:
        far = sum(abs(row.gap) > ENOUGH * max(abs(row.change), 1e-6) for row in self.rows)
        found = [f"{far} of {len(self.rows)} texts are not complete; take more steps"] if far else []
        if self.randomised is None:
            return found
        return [
            *found,
            f"rank correlation of the words' magnitudes with those of randomised weights: {self.randomised:.2f}",
        ]


def explain_text(
    classifier: Record | str | Path,
    texts: Sequence[str],
    *,
    steps: Count = 64,
    max_length: Count = 128,
    seed: int = 0,
    runs: str | Path = "runs",
) -> TextExplanations:
    """Explain what a classifier of texts predicts by integrated gradients on its tokens, joined to words.

    Args:
        classifier: a record of text-finetune, its folder or the first characters of its name; or the folder of a classifier
            that transformers reads.
        texts: at least one. steps: points on the way from the text without words. max_length: tokens of a text at most.
        seed: of the random weights of the check. runs: folder in which the name of a record is looked for.

    Raises:
        UserError: no texts, no such record or folder, or one of another kind.
    """
    from gradlab.explain import randomise, restored
    from gradlab.language.text_encoder import longest

    if isinstance(texts, str) or not len(texts) or not all(isinstance(one, str) for one in texts):
        raise UserError("explain_text reads a list of at least one text; pass [text, text, …].")
    model, tokenizer = _opened(classifier, runs)
    length = min(max_length, longest(model.config))
    found = [divided(model, tokenizer, text, length, steps) for text in texts]
    with restored(model):
        randomise(model, seed)
        other = [
            divided(model, tokenizer, text, length, steps, one.chosen)
            for text, one in zip(texts, found, strict=True)
        ]
    pairs = [likeness(one.values, two.values) for one, two in zip(found, other, strict=True)]
    known = [one for one in pairs if not math.isnan(one)]
    names = model.config.id2label
    return TextExplanations(
        tuple(_told(text, one, names) for text, one in zip(texts, found, strict=True)),
        sum(known) / len(known) if known else None,
    )


def _told(text: str, found: Divided, names: Mapping[int, str]) -> ExplainedText:
    return ExplainedText(
        text=text,
        words=found.words,
        values=found.values,
        prediction=names[found.chosen],
        probability=float(found.logits.softmax(0)[found.chosen]),
        change=found.change,
        gap=found.gap,
    )


def _opened(classifier: Record | str | Path, runs: str | Path) -> tuple[Any, language.Tokenizer]:
    """Return a classifier in eval mode and its tokenizer."""
    from gradlab.procedures.text_finetune import classifier_of

    if not isinstance(classifier, Record) and (Path(classifier).expanduser() / "config.json").is_file():
        files = language.find_encoder(classifier)
        names = json.loads(files.config.read_text(encoding="utf-8")).get("id2label", {})
        model, _ = language.load_classifier(files, [names[one] for one in sorted(names, key=int)])
        return model, language.load_encoder(files).tokenizer
    record = (
        classifier
        if isinstance(classifier, Record)
        else find_record(classifier, runs, what="classifier of texts")
    )
    kind = record.spec["procedure"]["kind"]
    if kind != "text-finetune":
        raise UserError(
            f"record {record.hash} is of kind '{kind}'; give a run of text-finetune, or the folder of a classifier."
        )
    return classifier_of(record)
