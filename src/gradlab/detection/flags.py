"""What makes the numbers of an evaluation mean less than they seem to, each as a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from gradlab.detection.sources import overlapping_classes, source_of
from gradlab.metrics.arrays import Floats

FAR = 0.05, 1.25
"""How far, in mean and as a ratio of deviations, a network's normalisation may be from that of its data unremarked."""

SUM = 1e-3
"""How far from 1 the sum of probabilities may be by rounding, also in half precision."""
SOFTMAX = (
    "energy, max logit and all that apply a softmax mean other than they should; take its last softmax out"
)


def accuracy_flags(accuracy: float, classes: int) -> list[str]:
    """Say where a network does not know its own classes: less than halfway from chance to perfect.

    >>> accuracy_flags(0.41, 10)
    ['in-distribution accuracy is 41 %: the network hardly knows its own classes, so its scores mean little']
    """
    if accuracy >= (1 + 1 / classes) / 2:
        return []
    return [
        f"in-distribution accuracy is {100 * accuracy:.0f} %: the network hardly knows its own classes, so its scores "
        "mean little"
    ]


def chance_flags(aurocs: Mapping[tuple[str, str], tuple[float, float | None]]) -> list[str]:
    """Say which (detector, set) is surely worse than chance.

    Args:
        aurocs: (detector, set) -> AUROC and the upper end of its interval; None where it has none.

    >>> chance_flags({("energy", "mnist"): (0.31, 0.36), ("knn", "mnist"): (0.48, 0.53)})
    ['energy on mnist is worse than chance (AUROC 31 %): it takes foreign images for more familiar than its own']
    """
    return [
        f"{detector} on {name} is worse than chance (AUROC {100 * value:.0f} %): it takes foreign images for more familiar "
        "than its own"
        for (detector, name), (value, high) in aurocs.items()
        if value < 0.5 and (high is None or high < 0.5)
    ]


def constant_flags(scores: Mapping[str, Sequence[Floats]]) -> list[str]:
    """Say which detector gives every image the same score, so that it tells nothing.

    Args:
        scores: detector -> scores of each set of images, (N,).

    >>> constant_flags({"energy": [np.zeros(3), np.zeros(2)], "knn": [np.ones(2), np.zeros(1)]})
    ['energy gives every image the same score: it tells nothing about this network']
    """
    return [
        f"{detector} gives every image the same score: it tells nothing about this network"
        for detector, sets in scores.items()
        if len({float(one) for scored in sets for one in (scored.min(), scored.max())}) == 1
    ]


def output_flags(logits: Floats) -> list[str]:
    """Say where a network returns probabilities, or their logarithms, instead of logits.

    Args:
        logits: (N, K) of in-distribution images.

    >>> output_flags(np.array([[0.9, 0.1], [0.5, 0.5]]))[0].partition(":")[0]
    'the network returns probabilities, not logits'
    """
    values = np.asarray(logits, dtype=np.float64)
    usable = values[np.isfinite(values).all(axis=1)]
    if not len(usable):
        return []
    if (usable >= 0).all() and np.allclose(usable.sum(axis=1), 1, atol=SUM):
        return [f"the network returns probabilities, not logits: {SOFTMAX}"]
    if (usable <= 0).all() and np.allclose(np.exp(usable).sum(axis=1), 1, atol=SUM):
        return [f"the network returns log-probabilities, not logits: {SOFTMAX}"]
    return []


def noise_flags(sources: Iterable[str]) -> list[str]:
    """Say where noise is the only foreign set."""
    if {source_of(name) for name in sources} != {"noise"}:
        return []
    return [
        "noise is the only foreign set, which almost any score finds; add real images, near ones (such as classes that "
        "were left out) and far ones"
    ]


def overlap_flags(name: str, known: Sequence[str], foreign: Sequence[str]) -> list[str]:
    """Say which classes of a foreign set mean the same as one that the network knows."""
    return overlap_words(name, overlapping_classes(known, foreign))


def overlap_words(name: str, found: Mapping[str, str]) -> list[str]:
    """Say which foreign classes overlap with known ones.

    >>> overlap_words("cifar100", {"pickup_truck": "truck"})
    ['cifar100: pickup_truck (truck) overlap in meaning with classes that the network knows; leave them out']
    """
    if not found:
        return []
    told = ", ".join(f"{other} ({own})" for other, own in found.items())
    return [f"{name}: {told} overlap in meaning with classes that the network knows; leave them out"]


def normalisation_flags(model: Any, mean: Sequence[float], std: Sequence[float]) -> list[str]:
    """Say where the network normalises by other numbers than those of its data's training images.

    Args:
        model: a module; looked at is its first layer of the class `Normalise`. mean, std: of the training images.
    """
    from gradlab.models.normalise import Normalise

    layer = next((one for one in model.modules() if isinstance(one, Normalise)), None)
    if layer is None or not mean:
        return []
    scale, shift = (getattr(layer, name).double().flatten().tolist() for name in ("scale", "shift"))
    if len(scale) != len(mean):
        return []
    own_mean = [-b / a for a, b in zip(scale, shift, strict=True)]
    wide = [max(a * s, 1 / (a * s)) > FAR[1] for a, s in zip(scale, std, strict=True)]
    moved = [abs(a - b) > FAR[0] for a, b in zip(own_mean, mean, strict=True)]
    if not any(wide) and not any(moved):
        return []
    told = [
        f"({', '.join(f'{value:.2f}' for value in one)})"
        for one in (own_mean, [1 / a for a in scale], mean, std)
    ]
    return [
        f"the network normalises with mean {told[0]} and deviation {told[1]}, its data have {told[2]} and {told[3]}: right "
        "only if it was trained so"
    ]
