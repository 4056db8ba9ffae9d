"""What a classifier of texts goes by: one text divided among its words, and the same with random weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gradlab import language
from gradlab._torch import torch

FEWEST = 3
"""Words of a text from which on the order of their values says anything."""


@dataclass(frozen=True)
class Divided:
    """One text whose score is divided among its words.

    Attributes:
        words: those that were read. values: what each adds to the logit of `chosen`. logits: (K,) float64 of the text.
        chosen: the class that is explained. change: its logit minus that of the text without words.
        gap: what the values sum to, minus that change.
    """

    words: tuple[language.Word, ...]
    values: tuple[float, ...]
    logits: torch.Tensor
    chosen: int
    change: float
    gap: float


def divided(
    model: Any,
    tokenizer: language.Tokenizer,
    text: str,
    length: int,
    steps: int,
    target: int | None = None,
) -> Divided:
    """Divide a logit among the words of a text by integrated gradients, from [MASK] in the place of every token.

    Args:
        model: a classifier of transformers. length: tokens of the text at most. steps: points on the way.
        target: the class; the predicted one if not given.
    """
    from gradlab.explain import token_gradients

    words = language.words_of(tokenizer, text, length)
    device = next(model.parameters()).device
    inputs = {
        name: one.to(device)
        for name, one in tokenizer.encode([text], length).batch(torch.tensor([0])).items()
    }
    baseline = inputs["input_ids"].clone()
    baseline[0, [place for one in words for place in one.tokens]] = tokenizer.special_ids[-1]
    found = token_gradients(model, inputs, baseline, target, steps=steps)
    with torch.no_grad():
        logits = model(**inputs).logits[0].double().cpu()
    values = found.values[0].tolist()
    return Divided(
        words=words,
        values=tuple(sum(values[place] for place in one.tokens) for one in words),
        logits=logits,
        chosen=int(logits.argmax()) if target is None else target,
        change=float(found.scores - found.baseline_scores),
        gap=float(found.gap),
    )


def likeness(values: Sequence[float], other: Sequence[float]) -> float:
    """Return the rank correlation of the magnitudes of a text's words with other ones; NaN of fewer than three words."""
    from gradlab.explain import rank_correlation

    if len(values) < FEWEST:
        return float("nan")
    return float(rank_correlation(*(torch.tensor(one).abs()[None] for one in (values, other))))
