"""Simulated data for statistics_coverage.py, and the interval rules in vector form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, ndtr, stdtrit, xlogy

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scenario:
    """Two arms on one test set. A prediction is right when ability + seed + image + arm's image + noise > 0.

    All effects are normal; `seed`, `image`, `arm_image` are their SDs, the noise of one prediction has SD 1.
    """

    name: str
    ability_a: float
    ability_b: float
    seed: float
    image: float
    arm_image: float

    def accuracy(self, ability: float) -> float:
        """Expected accuracy over all seeds and images, in [0, 1]."""
        return float(ndtr(ability / np.sqrt(1 + self.seed**2 + self.image**2 + self.arm_image**2)))

    @property
    def truth(self) -> float:
        """Expected accuracy of a minus that of b."""
        return self.accuracy(self.ability_a) - self.accuracy(self.ability_b)


SCENARIOS = (
    Scenario("alike but for noise", 5, 5, 0.0, 2.0, 0.0),
    Scenario("close twins", 5, 4.5, 0.05, 2.0, 0.3),
    Scenario("a clear difference", 4, 3, 0.2, 2.0, 0.7),
    Scenario("seeds dominate", 3, 2, 0.5, 1.5, 1.0),
)
EQUAL = Scenario("equal arms", 4, 4, 0.2, 2.0, 0.7)


@dataclass(frozen=True)
class Statistics:
    """Per repeat: the mean difference, s^2/n, s_N^2/N and s_C^2/(nN) of its data, and the skewness to either end."""

    estimate: Floats
    seeds: Floats
    samples: Floats
    noise: Floats
    below: Floats
    above: Floats


Ends = tuple[Floats, Floats]
"""How far the interval reaches below and above the estimate."""


def the_rule(found: Statistics, n: int, samples: int, level: float) -> Ends:
    """The rule of gradlab.statistics.interval, for many repeats at once."""
    squared = normal(found, n, samples, level)[0] ** 2
    weight = stdtrit(samples - 1, 0.5 + level / 2) ** 2 / samples
    below, above = (
        np.maximum(
            np.sqrt(squared),
            (weight * skew + np.sqrt((weight * skew) ** 2 + 4 * (1 + weight) * squared)) / (2 * (1 + weight)),
        )
        for skew in (found.below, found.above)
    )
    return below, above


def normal(found: Statistics, n: int, samples: int, level: float) -> Ends:
    """The rule without its score bound: the normal interval of both sources."""
    upper = 0.5 + level / 2
    by_seeds = np.where(found.seeds < 1e-18, found.noise, found.seeds)
    by_samples = np.maximum(found.samples - found.noise, 0)
    half = np.sqrt(stdtrit(n - 1, upper) ** 2 * by_seeds + stdtrit(samples - 1, upper) ** 2 * by_samples)
    return half, half


def satterthwaite(found: Statistics, n: int, samples: int, level: float) -> Ends:
    """The rule that was not taken: one t with Satterthwaite's degrees of freedom, on s^2/n + s_N^2/N."""
    variance = found.seeds + found.samples
    with np.errstate(invalid="ignore", divide="ignore"):
        freedom = variance**2 / (found.seeds**2 / (n - 1) + found.samples**2 / (samples - 1))
    half = np.where(variance > 0, stdtrit(freedom, 0.5 + level / 2) * np.sqrt(variance), 0.0)
    return half, half


def seeds_only(found: Statistics, n: int, samples: int, level: float) -> Ends:
    """What a table of means over seeds does: no variance of the test samples."""
    del samples
    half = stdtrit(n - 1, 0.5 + level / 2) * np.sqrt(found.seeds)
    return half, half


RULES = {"rule": the_rule, "normal": normal, "satterthwaite": satterthwaite, "seeds_only": seeds_only}


def binary_differences(
    scenario: Scenario, shape: tuple[int, int, int], rng: np.random.Generator
) -> NDArray[np.int8]:
    """Correctness of a minus that of b: (repeats, seeds, samples) in {-1, 0, 1}."""
    repeats, _, samples = shape

    def normal(*size: int) -> NDArray[np.float32]:
        return rng.standard_normal(size, dtype=np.float32)

    image = np.float32(scenario.image) * normal(repeats, 1, samples)
    correct = []
    for ability in (scenario.ability_a, scenario.ability_b):
        latent = normal(*shape)
        latent += image + np.float32(scenario.arm_image) * normal(repeats, 1, samples)
        latent += np.float32(scenario.seed) * normal(repeats, shape[1], 1)
        correct.append((latent > -ability).astype(np.int8))
    return correct[0] - correct[1]


def crossed_statistics(d: NDArray[np.int8], sizes: tuple[int, ...]) -> Iterator[tuple[int, Statistics]]:
    """Statistics of the first n seeds, for every n in `sizes`."""
    samples = d.shape[2]
    by_seed = d.mean(axis=2, dtype=np.float64)
    squares = np.cumsum((d != 0).sum(axis=2), axis=1)
    running = np.cumsum(d, axis=1, dtype=np.int16)
    for n in sizes:
        seeds, columns = by_seed[:, :n], running[:, n - 1] / n
        mean, of_seeds, of_columns = (
            seeds.mean(axis=1),
            seeds.var(axis=1, ddof=1),
            columns.var(axis=1, ddof=1),
        )
        residual = squares[:, n - 1] - n * samples * mean**2
        residual -= samples * (n - 1) * of_seeds + n * (samples - 1) * of_columns
        noise = np.maximum(residual, 0) / ((n - 1) * (samples - 1)) / (n * samples)
        third = ((columns - mean[:, None]) ** 3).sum(axis=1)
        skew = _skew(mean, of_columns * (samples - 1), third, _agreement(noise * n * samples, of_columns, n))
        yield n, Statistics(mean, of_seeds / n, of_columns / samples, noise, *skew)


def _agreement(of_one: Floats, of_columns: Floats, n: int) -> Floats:
    """Intraclass correlation of the predictions on one sample."""
    between = np.maximum(of_columns - of_one / n, 0)
    with np.errstate(invalid="ignore"):
        return np.where(of_one < 1e-18, 1.0, between / (between + of_one))


def _skew(
    mean: Floats, second: Floats, third: Floats, agreement: Floats, lowest: float = -1.0, highest: float = 1.0
) -> Ends:
    """Skewness to either end, with one more sample towards the end of the range."""
    below, above = (
        np.where(second + far**2 > 1e-24, (sign * third + far**3) / np.maximum(second + far**2, 1e-24), 0.0)
        for sign, far in ((-1, agreement * (mean - lowest)), (1, agreement * (highest - mean)))
    )
    return below, above


def agreeing(
    more: Floats, less: Floats, samples: int, constant: float = 0.0, lowest: float = -1.0
) -> Statistics:
    """Statistics where all seeds agree: of N samples `more` are +1, `less` are -1, less a constant."""
    mean, square = (more - less) / samples, (more + less) / samples
    second = samples * (square - mean**2)
    third = samples * (mean - 3 * mean * square + 2 * mean**3)
    zero = np.zeros(len(mean))
    skew = _skew(mean, second, third, zero + 1, lowest)
    return Statistics(mean - constant, zero, second / (samples - 1) / samples, zero, *skew)


def direct(
    scenario: Scenario, samples: int, repeats: int, sizes: tuple[int, ...], rng: np.random.Generator
) -> dict[int, Statistics]:
    """Statistics of simulated predictions, in blocks that fit a cache."""
    block = max(1, 400_000 // (max(sizes) * samples))
    found: dict[int, list[Statistics]] = {n: [] for n in sizes}
    for start in range(0, repeats, block):
        d = binary_differences(scenario, (min(block, repeats - start), max(sizes), samples), rng)
        for n, one in crossed_statistics(d, sizes):
            found[n].append(one)
    names = [field.name for field in fields(Statistics)]
    return {
        n: Statistics(*(np.concatenate([getattr(one, name) for one in parts]) for name in names))
        for n, parts in found.items()
    }


def components(found: Statistics, n: int, samples: int) -> tuple[float, float, float]:
    """Variance per seed, per sample and per single prediction, from the mean squares of a direct simulation."""
    noise = float(found.noise.mean()) * n * samples
    seed = max(0.0, float(found.seeds.mean()) * n - noise / samples)
    sample = max(0.0, float(found.samples.mean()) * samples - noise / n)
    return seed, sample, noise


def sufficient(
    parts: tuple[float, float, float], n: int, samples: int, repeats: int, rng: np.random.Generator
) -> Statistics:
    """The same statistics drawn from their joint distribution in a normal crossed model with these variances.

    The mean and the three mean squares are independent: a normal and three scaled chi-squares.
    """
    seed, sample, noise = parts
    freedom = (n - 1) * (samples - 1)
    total = seed / n + sample / samples + noise / (n * samples)
    even = np.zeros(repeats)  # a normal model has no skewness
    return Statistics(
        np.sqrt(total) * rng.standard_normal(repeats),
        (seed / n + noise / (n * samples)) * rng.chisquare(n - 1, repeats) / (n - 1),
        (sample / samples + noise / (n * samples)) * rng.chisquare(samples - 1, repeats) / (samples - 1),
        noise / (n * samples) * rng.chisquare(freedom, repeats) / freedom,
        even,
        even,
    )


def of_seeds(d: Floats) -> Statistics:
    """Statistics of (repeats, n) differences without test samples."""
    zero = np.zeros(len(d))
    return Statistics(d.mean(axis=1), d.var(axis=1, ddof=1) / d.shape[1], zero, zero, zero, zero)


@dataclass(frozen=True)
class Agreeing:
    """Images on which all seeds agree: shares of +1 and of -1, less a constant; the truth is delta."""

    samples: int
    more: float
    less: float = 0.0
    constant: float = 0.0

    @property
    def delta(self) -> float:
        """The true difference."""
        return self.more - self.less - self.constant

    @property
    def name(self) -> str:
        """What is compared."""
        if self.constant:
            return f"{self.samples} images, {self.more:.0%} right, against {self.constant:.0%}"
        only = f"a alone right on {100 * self.more:g} %"
        return f"{self.samples} images, {only}" + (f", b alone on {100 * self.less:g} %" if self.less else "")

    def statistics(self, more: Floats, less: Floats) -> Statistics:
        """Statistics of outcomes, whose range is 0 to 1 less the constant where there is one."""
        return agreeing(more, less, self.samples, self.constant, 0.0 if self.constant else -1.0)


AGREEING = (
    Agreeing(360, 0.05),
    Agreeing(360, 0.03),
    Agreeing(100, 0.10),
    Agreeing(1000, 0.02),
    Agreeing(100, 0.20, 0.05),
    Agreeing(200, 0.035, 0.005),
    *(Agreeing(samples, 0.91, constant=0.9) for samples in (20, 50, 100, 360)),
)


def outcomes(case: Agreeing) -> tuple[Floats, Floats, Floats]:
    """Counts of +1 and of -1 with their multinomial probability."""
    counts = np.arange(case.samples + 1.0)
    more, less = (grid.ravel() for grid in np.meshgrid(counts, counts if case.less else counts[:1]))
    possible = more + less <= case.samples
    more, less = more[possible], less[possible]
    rest = case.samples - more - less
    logarithm = gammaln(case.samples + 1) - gammaln(more + 1) - gammaln(less + 1) - gammaln(rest + 1)
    logarithm += xlogy(more, case.more) + xlogy(less, case.less) + xlogy(rest, 1 - case.more - case.less)
    return more, less, np.exp(logarithm)
