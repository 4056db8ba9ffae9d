"""Choosing the setting of a detector on validation images, in-distribution and foreign, never on those that are reported."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass as plain
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from gradlab._configuration import dataclass
from gradlab.detection.registry import Detector
from gradlab.metrics import auroc
from gradlab.types import STRICT, UserError

Member = Annotated[Detector, Field(discriminator="kind")]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Tuned:
    """Stands for the setting of a detector with the highest AUROC on validation images; of equals the first.

    Attributes:
        among: settings of one detector, such as (KNN(k=1), KNN(k=10), KNN(k=50)).
    """

    kind: Literal["tuned"] = "tuned"
    among: Annotated[tuple[Member, ...], Field(min_length=1)]

    def __post_init__(self) -> None:
        if len({one.kind for one in self.among}) > 1 or len(set(self.among)) < len(self.among):
            raise UserError(
                "Tuned chooses among different settings of one detector, such as (KNN(k=1), KNN(k=10)); give each once."
            )

    @property
    def needs(self) -> tuple[str, ...]:
        """What its detector reads."""
        return self.among[0].needs

    @property
    def fits(self) -> tuple[str, ...]:
        """What its detector is fitted to."""
        return self.among[0].fits


AnyDetector = Detector | Tuned
"""A detector with fixed settings, or one that is tuned."""


@plain(frozen=True)
class Choice:
    """What was tried on validation images, and which setting was taken."""

    chosen: Detector
    tried: tuple[tuple[Detector, float], ...]


def choose(tuned: Tuned, score: Callable[[Detector], tuple[Any, Any]]) -> Choice:
    """Return the best setting.

    Args:
        score: detector -> its scores of in-distribution and of foreign validation images.
    """
    tried = tuple((one, auroc(*score(one))) for one in tuned.among)
    best = int(np.argmax([value for _, value in tried]))
    return Choice(tried[best][0], tried)


def names_of(detectors: Sequence[AnyDetector]) -> list[str]:
    """Return a name for each detector: its kind, with its settings where a kind is there several times.

    >>> from gradlab.detection import KNN, MaxLogit
    >>> names_of([MaxLogit(), KNN(k=1), KNN(k=50)])
    ['max-logit', 'knn (k 1)', 'knn (k 50)']
    """
    kinds = [f"{one.among[0].kind}, tuned" if isinstance(one, Tuned) else one.kind for one in detectors]
    found = [
        kind if kinds.count(kind) == 1 else f"{kind} ({settings_of(one)})"
        for kind, one in zip(kinds, detectors, strict=True)
    ]
    return [
        f"{kind} ({'; '.join(map(settings_of, one.among))})"
        if isinstance(one, Tuned) and found.count(name) > 1
        else name
        for kind, name, one in zip(kinds, found, detectors, strict=True)
    ]


def settings_of(detector: AnyDetector) -> str:
    """Say the settings of a detector, such as "temperature 10, eps 0.002"."""
    if isinstance(detector, Tuned):
        return f"{len(detector.among)} settings"
    fields = [field.name for field in dataclasses.fields(detector) if field.name != "kind"]
    values = {name: getattr(detector, name) for name in fields}
    return ", ".join(
        f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in values.items()
    )
