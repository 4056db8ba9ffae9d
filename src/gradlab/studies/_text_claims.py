"""What is claimed about text transformers that learn from few sentences."""

from __future__ import annotations

from dataclasses import replace

from gradlab.lab.designing.claims import Claim
from gradlab.statistics import against, difference
from gradlab.studies._shared import part

FIGURE = "accuracy-by-layers"
WORDS_ALONE = (
    "Which words stand for praise and which for blame can be learned from a few thousand labelled sentences. What words mean "
    "beyond that, larger models learn from far more text without labels."
)
MORE_LAYERS = (
    "Every further layer lets words take more of their neighbours into account. With few sentences there is little to learn "
    "such relations from, so depth may gain nothing."
)
THREE_POINTS, LEARNED = 0.03, 0.15
"""What a thousand test sentences can show, and how far above guessing a network counts as having learned something."""


def claims_of(layers: tuple[int, ...], classes: int) -> tuple[Claim, ...]:
    """Return the claims; one over `classes` is guessing."""
    few, many = layers[0], layers[-1]
    gap = difference(f"layers-{many}", f"layers-{few}")
    return (
        _learns(few, classes),
        Claim(
            id="text-depth",
            statement=f"{many} layers classify better than {few}",
            parts=(part(f"{many} over {few}", gap),),
            says={
                "supported": f"{many} layers do better by {{size}} ({{layers-{many}}}).",
                "refuted": f"{many} layers do not do a point better ({{layers-{many}}}).",
                "open": f"Whether {many} layers do a point better is open ({{layers-{many}}}).",
            },
            reach="a thousand test sentences cannot show a difference of one point",
            means=MORE_LAYERS,
            figure=FIGURE,
        ),
        replace(_learns(many, classes), says={}),
        Claim(
            id="text-layers-harmless",
            statement=f"{many} layers cost at most three points against {few}",
            parts=(part(f"{many} over {few}", gap, delta=THREE_POINTS, kind="not less"),),
            means=MORE_LAYERS,
            figure=FIGURE,
        ),
    )


def _learns(layers: int, classes: int) -> Claim:
    chance, told = f"guessing: {100 / classes:.3g} %", "1 layer" if layers == 1 else f"{layers} layers"
    reached = f"{{layers-{layers}}} of the test sentences correctly"
    return Claim(
        id=f"text-learns-{layers}",
        statement=f"Trained on these sentences alone, a transformer of {told} is over 15 points better than guessing",
        parts=(part("above guessing", against(f"layers-{layers}", 1 / classes), delta=LEARNED),),
        says={
            "supported": f"Trained on these sentences alone, a transformer of {told} classifies {reached} ({chance}).",
            "refuted": f"A transformer of {told} classifies {reached}, hardly more than chance ({chance}).",
            "open": f"A transformer of {told} classifies {reached} ({chance}).",
        },
        means=WORDS_ALONE,
        figure=FIGURE,
    )
