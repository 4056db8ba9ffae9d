"""The numbers by which attacks are judged, over one row an image; the procedure `attack` and `robustness` share them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from gradlab.metrics.arrays import Floats, to_numpy
from gradlab.statistics import ratio_samples

if TYPE_CHECKING:
    from gradlab.attacks.attacked import Attacked

Columns = Mapping[str, np.ndarray]
"""Name -> (N,): what `columns_of` returns, or a table that was stored."""
COLUMNS = (
    "label", "clean", "prediction", "target", "linf", "l2", "l0", "ssim", "psnr", "iterations", "queries",
    "clean_confidence", "confidence", "blind",
)  # fmt: skip
NEVER = -1
"""In whole-number columns: no target, no success, or not known."""


def columns_of(found: Attacked) -> dict[str, np.ndarray]:
    """Return what an attack did to each of N images, as columns.

    label, clean, prediction: class numbers, the last under attack. target: its class; -1 for an untargeted attack.
    linf, l2, l0: size of the change, l0 in pixels. ssim, psnr: likeness to the image as given. iterations: until the first
    success; -1 where it never came. queries: passes of the model until then, or all of them. Both are -1 where the attack
    does not tell. clean_confidence, confidence: probability of the true class before and under attack. blind: the gradient
    at the image as given is zero.
    """
    labels = to_numpy(found.labels)
    before, after = (usable(to_numpy(one)) for one in (found.clean_logits, found.adversarial_logits))
    wholes = {
        "target": found.targets,
        "iterations": found.iterations,
        "queries": found.queries,
        "l0": found.l0,
    }
    known = {
        name: np.full(len(labels), NEVER) if one is None else to_numpy(one) for name, one in wholes.items()
    }
    sizes = {"linf": to_numpy(found.linf), "l2": to_numpy(found.l2), "ssim": found.ssim, "psnr": found.psnr}
    made = {
        "label": labels.astype(np.int16),
        "clean": before.argmax(1).astype(np.int16),
        "prediction": after.argmax(1).astype(np.int16),
        **{name: values.astype(np.int32) for name, values in known.items()},
        **{name: values.astype(np.float32) for name, values in sizes.items()},
        "clean_confidence": confidence(before, labels),
        "confidence": confidence(after, labels),
        "blind": to_numpy(found.is_blind).astype(bool),
    }
    return {name: made[name] for name in COLUMNS}


def usable(logits: np.ndarray) -> np.ndarray:
    """Return logits (N, K) as float32; a row that is not finite has none but zeros: every class alike, chance."""
    logits = logits.astype(np.float32)
    return np.where(np.isfinite(logits).all(axis=1, keepdims=True), logits, np.float32(0))


def confidence(logits: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return the softmax probability of one class a row, (N,) float32, from finite logits (N, K)."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    chosen = shifted[np.arange(len(classes)), classes.astype(np.int64)]
    return np.asarray(np.exp(chosen) / np.exp(shifted).sum(axis=1), dtype=np.float32)


@dataclass(frozen=True)
class Number:
    """A mean over some of the images.

    Attributes:
        name: in words. unit: "fraction", "iterations", "queries", "pixels", "dB" or "". better: which direction is.
        counts: columns -> (N,) what each image adds. over: columns -> (N,) 1 for the images that count, else 0; None for all.
        needs: a column that older tables do not have. range: its least and largest possible value, or None.
    """

    name: str
    unit: str
    better: Literal["higher", "lower", "neither"]
    counts: Callable[[Columns], Floats]
    over: Callable[[Columns], Floats] | None = None
    needs: str = "label"
    range: tuple[float, float] | None = None

    def value(self, columns: Columns) -> float:
        """Return the mean; NaN where no image counts, or the columns are not there."""
        if self.needs not in columns:
            return float("nan")
        values, weights = self.parts(columns)
        return float(values.sum() / weights.sum()) if weights.any() else float("nan")

    def samples(self, columns: Columns) -> Floats:
        """Return what every image contributes, (N,): its mean is the value, its variance that of the value.

        Raises:
            UserError: no image counts.
        """
        values, weights = self.parts(columns)
        return values if self.over is None else ratio_samples(values, weights).samples

    def parts(self, columns: Columns) -> tuple[Floats, Floats]:
        """Return numerator and denominator of every image."""
        values = self.counts(columns)
        if self.over is None:
            return values, np.ones_like(values)
        weights = self.over(columns)
        with np.errstate(invalid="ignore"):  # an unchanged image has an infinite PSNR, and does not count
            return np.where(weights > 0, values, 0.0), weights


def _column(name: str) -> Callable[[Columns], Floats]:
    return lambda columns: np.asarray(columns[name], dtype=np.float64)


def is_right(columns: Columns) -> Floats:
    """Return 1 for images that are classified correctly as given, else 0."""
    return _floats(columns["clean"] == columns["label"])


def is_still_right(columns: Columns) -> Floats:
    """Return 1 for images that are classified correctly before and under attack, else 0."""
    return is_right(columns) * _floats(columns["prediction"] == columns["label"])


def is_success(columns: Columns) -> Floats:
    """Return 1 where an image that was classified correctly now is its target, or without one anything else; else 0."""
    fooled = columns["prediction"] != columns["label"]
    if "target" in columns:
        target = columns["target"]
        fooled = np.where(target == NEVER, fooled, columns["prediction"] == target)
    return is_right(columns) * _floats(fooled)


def _is_counted(name: str) -> Callable[[Columns], Floats]:
    """Return 1 for successes whose count is known."""
    return lambda columns: is_success(columns) * (columns[name] > NEVER)


def _drop(columns: Columns) -> Floats:
    return _column("clean_confidence")(columns) - _column("confidence")(columns)


def _floats(values: np.ndarray) -> Floats:
    return np.asarray(values, dtype=np.float64)


NUMBERS = (
    Number("robust accuracy", "fraction", "higher", is_still_right, range=(0, 1)),
    Number("clean accuracy", "fraction", "higher", is_right, range=(0, 1)),
    Number("attack success", "fraction", "neither", is_success, is_right, range=(0, 1)),
    Number(
        "iterations to success", "iterations", "neither", _column("iterations"), _is_counted("iterations"), "iterations"
    ),
    Number("queries to success", "queries", "neither", _column("queries"), _is_counted("queries"), "queries"),
    Number("confidence drop", "fraction", "neither", _drop, is_right, "confidence", (-1, 1)),
    Number("L-infinity change", "", "neither", _column("linf"), is_success, "linf", (0, 1)),
    Number("L2 change", "", "neither", _column("l2"), is_success, "l2"),
    Number("pixels changed", "pixels", "neither", _column("l0"), is_success, "l0"),
    Number("SSIM", "", "neither", _column("ssim"), is_success, "ssim", (-1, 1)),
    Number("PSNR", "dB", "neither", _column("psnr"), is_success, "psnr"),
)  # fmt: skip
"""Success and the drop in confidence are over the images that were classified correctly before; what an image cost and how
it changed are over the successes."""
