"""Harder data: skewed and bimodal seeds, ceilings, runs in two groups, delta retyped, skewed samples that are few."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from _statistics_auroc import Detection, _draw
from _statistics_data import Scenario, direct, normal, of_seeds, the_rule
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from gradlab.statistics import Sampled, alpha_at, contrast_values, difference, interval, judge
from gradlab.statistics.interval import Interval

Floats = NDArray[np.float64]
Stream = Callable[..., np.random.Generator]
Rows = list[dict[str, Any]]
SMALLEST = 0.93
CEILINGS = (
    Scenario("99.5 % against 99.1 %", 5.9, 5.4, 0.1, 2.0, 0.3),
    Scenario("99.9 % twice", 7, 7, 0.1, 2.0, 0.3),
)
GROUPS = (
    ("the worse arm fails at times, +78 points", 0.97, 0.20, 0.11, "b", 0.85),
    ("the better arm fails at times, +67 points", 0.95, 0.12, 0.10, "a", 0.8),
    ("the better arm fails at times, +29 points", 0.95, 0.50, 0.10, "a", 0.8),
)
"""What happens, accuracy of the better and of the worse arm where they learn, chance, who fails, share that learns."""


def of_seeds_alone(repeats: int, stream: Stream) -> Rows:
    """Student's interval over seeds whose differences are not normal (SD 1)."""

    def bimodal(rng: np.random.Generator, size: tuple[int, int], share: float) -> Floats:
        far = rng.random(size) < share
        return np.asarray((far - share) * 5 + 0.3 * rng.standard_normal(size), dtype=np.float64)

    shapes: dict[str, Callable[[np.random.Generator, tuple[int, int]], Floats]] = {
        "exponential": lambda rng, size: rng.exponential(size=size) - 1,
        "lognormal": lambda rng, size: rng.lognormal(size=size) - math.exp(0.5),
        "one in three far off": lambda rng, size: bimodal(rng, size, 1 / 3),
        "one in ten far off": lambda rng, size: bimodal(rng, size, 0.1),
    }
    rows = []
    for name, draw in shapes.items():
        for n in (6, 12, 20):
            found = of_seeds(draw(stream("shape", name, n), (repeats, n)))
            below, above = the_rule(found, n, 2, 0.95)
            held = (found.estimate - below <= 0) & (found.estimate + above >= 0)
            rows.append(_row("seeds", f"{name}, no test samples", n, held, held))
    return rows


def ceilings(repeats: int, stream: Stream) -> Rows:
    """Two arms that are nearly always right, 360 images."""
    rows = []
    for scenario in CEILINGS:
        found = direct(scenario, 360, repeats, (3, 6, 12), stream("ceiling", scenario.name))
        for n, one in found.items():
            held = []
            for rule in (the_rule, normal):
                below, above = rule(one, n, 360, 0.95)
                held.append(
                    (one.estimate - below <= scenario.truth + 1e-12)
                    & (one.estimate + above >= scenario.truth - 1e-12)
                )
            rows.append(_row("ceiling", f"{scenario.name}, 360 images", n, *held))
    return rows


def few_samples(repeats: int, stream: Stream) -> Rows:
    """Losses of one arm (lognormal over images, with noise), and AUROC near 1, with few samples; six seeds."""
    rows = []
    for sigma in (1.0, 2.0):
        for samples in (50, 360, 2000):
            rng, held = stream("loss", str(sigma), samples), []
            truth = math.exp((sigma**2 + 0.3**2) / 2)
            for _ in range(repeats // 2):
                image = sigma * rng.standard_normal(samples)
                losses = np.exp(image + 0.3 * rng.standard_normal((6, samples)))
                held.append(_both(interval(Sampled(losses.mean(axis=1), {"test": losses})), truth))
            rows.append(_row("samples", f"log-loss SD {sigma:g}, {samples:,} images", 6, *np.array(held).T))
    for each, shift in ((50, 3.0), (50, 5.0), (300, 3.0), (300, 5.0)):
        case = Detection(each, each, shift, 0.05, 0.5)
        rng = stream("near one", each, str(shift))
        held = [_both(interval(_draw(case, 6, rng)), case.truth) for _ in range(repeats // 2)]
        rows.append(
            _row("samples", f"AUROC {case.truth:.4f}, {each} and {each} images", 6, *np.array(held).T)
        )
    return rows


def _both(found: Interval, truth: float) -> tuple[bool, bool]:
    """Whether the interval holds the truth, and whether it would without its score bound; a point holds nothing."""
    upper = 0.5 + found.level / 2
    squared = stdtrit(found.n - 1, upper) ** 2 * found.seed_variance
    squared += sum(stdtrit(axis.samples - 1, upper) ** 2 * axis.variance for axis in found.axes)
    # Where nothing shows a spread the claim stays open, whatever is compared.
    held = found.low <= truth <= found.high or not found.has_spread
    return held, abs(found.estimate - truth) <= math.sqrt(squared) or not found.has_spread


def _row(kind: str, case: str, n: int, held: NDArray[Any], plain: NDArray[Any]) -> dict[str, Any]:
    coverage = float(np.mean(held))
    return {
        "kind": kind, "case": case, "n": n, "coverage": coverage,
        "normal": float(np.mean(plain)), "holds": coverage >= SMALLEST,
    }  # fmt: skip


def groups(repeats: int, stream: Stream) -> Rows:
    """Six seeds, five claims, 360 images. `false`: at a delta that is the true difference, the interval excludes it, and
    the study has runs in two groups; `hidden`: the same where all six learned. `power`: supported at delta = 1 point."""
    rows = []
    level = 1 - alpha_at(1) / 5
    for name, better, worse, chance, who, share in GROUPS:
        rng = stream("groups", name)
        accuracies = {"a": better, "b": worse}
        truth = better - worse + (1 - share) * (chance - accuracies[who]) * (1 if who == "a" else -1)
        counts = {"false": 0, "hidden": 0, "mixed": 0, "power": 0}
        for _ in range(repeats // 2):
            d, learned = _draw_groups(accuracies, chance, who, share, rng)
            found = judge(d, delta=0.01, learned=learned, level=level)
            mixed = found.interval.rule == "two groups"
            misses = not found.low <= truth <= found.high
            counts["mixed"] += mixed
            counts["false"] += misses and mixed
            counts["hidden"] += misses and not mixed
            counts["power"] += found.verdict == "supported" and mixed
        total = repeats // 2
        rows.append(
            {
                "case": name,
                "allowed": 1 - level,
                "mixed": counts["mixed"] / total,
                "false": counts["false"] / total,
                "hidden": counts["hidden"] / total,
                "power": counts["power"] / max(1, counts["mixed"]),
            }
        )
    return rows


def _draw_groups(
    accuracies: dict[str, float], chance: float, who: str, share: float, rng: np.random.Generator
) -> tuple[Any, dict[str, NDArray[np.bool_]]]:
    """Correctness of both arms, six seeds on 360 images; a run that does not learn names one class."""
    image = rng.standard_normal(360)
    arms, learned = {}, {}
    for arm, accuracy in accuracies.items():
        threshold = _quantile(accuracy) * math.sqrt(2)
        right = (image + rng.standard_normal((6, 360)) < threshold).astype(float)
        runs = rng.random(6) < share if arm == who else np.ones(6, dtype=bool)
        one_class = (rng.random(360) < chance).astype(float)
        right[~runs] = one_class
        arms[arm] = Sampled(right.mean(axis=1), {"test": right}, binary=True)
        learned[arm] = runs
    return contrast_values(difference("a", "b"), arms), learned


def _quantile(share: float) -> float:
    low, high = -8.0, 8.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if ndtr(middle) < share else (low, middle)
    return low


def retyped(repeats: int, stream: Stream) -> dict[str, float]:
    """Looks at 6 and 12 seeds, delta typed anew after each so as to decide: some verdict is false where an interval
    excludes the true difference. `counted`: look 2 spends 0.005; `reset`: a new delta counts as a first look."""
    d = stream("retyped").standard_normal((repeats, 12))
    excluded = {}
    for name, levels in {"counted": (alpha_at(1), alpha_at(2)), "reset": (alpha_at(1), alpha_at(1))}.items():
        misses = np.zeros(repeats, dtype=bool)
        for n, alpha in zip((6, 12), levels, strict=True):
            found = of_seeds(d[:, :n])
            below, _ = the_rule(found, n, 2, 1 - alpha)
            misses |= np.abs(found.estimate) > below
        excluded[name] = float(misses.mean())
    return excluded
