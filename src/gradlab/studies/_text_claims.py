"""What is claimed about text transformers that learn from few sentences."""

from __future__ import annotations

from gradlab.lab.designing.claims import Claim
from gradlab.statistics import against, difference
from gradlab.studies._shared import TWO_POINTS, part

FIGURE = "accuracy-by-layers"
WORDS_ALONE = (
    "Which words stand for praise and which for blame can be learned from a few thousand labelled sentences. What words mean "
    "beyond that, larger models learn from far more text without labels."
)
MORE_LAYERS = (
    "Every further layer lets words take more of their neighbours into account. With few sentences there is little to learn "
    "such relations from, so depth may gain nothing."
)
LEARNED = 0.15
"""Points above guessing from which a network counts as having learned something."""


def claims_of(layers: tuple[int, ...], classes: int) -> tuple[Claim, ...]:
    """Return the claims; one over `classes` is guessing."""
    few, many = layers[0], layers[-1]
    chance, told = f"guessing: {100 / classes:.3g} %", "1 layer" if few == 1 else f"{few} layers"
    return (
        Claim(
            id="text-learns",
            statement=f"Sentences alone teach a transformer of {told} over 15 points more than guessing",
            parts=(part("above guessing", against(f"layers-{few}", 1 / classes), delta=LEARNED),),
            says={
                "supported": f"Sentences alone teach a transformer of {told} to classify {{layers-{few}}} of the test sentences "
                f"correctly ({chance}).",
                "refuted": f"A transformer of {told} classifies {{layers-{few}}} of the test sentences correctly, hardly "
                f"more than chance ({chance}).",
                "open": f"A transformer of {told} classifies {{layers-{few}}} of the test sentences correctly ({chance}).",
            },
            means=WORDS_ALONE,
            figure=FIGURE,
        ),
        Claim(
            id="text-depth",
            statement=f"{many} layers classify better than {few}",
            parts=(part(f"{many} over {few}", difference(f"layers-{many}", f"layers-{few}")),),
            says={
                "supported": f"{many} layers do better by {{size}} ({{layers-{many}}}).",
                "refuted": f"{many} layers do not do a point better ({{layers-{many}}}).",
                "open": f"Whether {many} layers do a point better is open ({{layers-{many}}}).",
            },
            means=MORE_LAYERS,
            figure=FIGURE,
        ),
        Claim(
            id="text-layers-harmless",
            statement=f"{many} layers cost at most two points against {few}",
            parts=(
                part(
                    f"{many} over {few}",
                    difference(f"layers-{many}", f"layers-{few}"),
                    delta=TWO_POINTS,
                    kind="not less",
                ),
            ),
            means=MORE_LAYERS,
            figure=FIGURE,
        ),
    )
