import sys
import time

import numpy as np
import pytest

from gradlab.statistics import jackknife, pseudo_values, ratio_samples
from gradlab.types import UserError

RNG = np.random.default_rng(0)


def variance(sums: np.ndarray) -> np.ndarray:
    """Of count, sum and sum of squares, with N as divisor."""
    return np.asarray(sums[..., 2] / sums[..., 0] - (sums[..., 1] / sums[..., 0]) ** 2)


def test_jackknife_of_a_mean_is_the_samples_themselves() -> None:
    x = RNG.normal(size=30)
    found = jackknife(lambda sums: sums[..., 0] / sums[..., 1], np.stack([x, np.ones(30)], axis=1))
    assert found.value == pytest.approx(x.mean())
    assert found.samples == pytest.approx(x)


def test_jackknife_is_leaving_one_out() -> None:
    x = RNG.exponential(size=40)
    found = jackknife(variance, np.stack([np.ones(40), x, x**2], axis=1))
    without = np.array([np.delete(x, i).var() for i in range(40)])
    pseudo = 40 * x.var() - 39 * without
    assert found.value == pytest.approx(x.var())
    assert found.samples - found.samples.mean() == pytest.approx(pseudo - pseudo.mean())
    assert found.samples.mean() == pytest.approx(x.var())


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    x = RNG.exponential(size=25)
    each = np.stack([np.ones(25), x, x**2], axis=1)
    whole = jackknife(variance, each)
    monkeypatch.setattr(sys.modules["gradlab.statistics.jackknife"], "_AT_ONCE", 10)
    assert jackknife(variance, each).samples == pytest.approx(whole.samples)


def test_ten_thousand_samples_take_a_moment() -> None:
    each = RNG.random((10_000, 30))
    started = time.perf_counter()
    jackknife(lambda sums: sums[..., 0] / sums.sum(axis=-1), each)
    assert time.perf_counter() - started < 2


def test_variance_of_a_ratio_is_that_of_many_samples() -> None:
    """Attack success over initially correct images, against 4,000 fresh test sets."""
    n, repeats = 300, 4000
    right = RNG.random((repeats, n)) < 0.8
    broken = right & (RNG.random((repeats, n)) < 0.3)
    spread = (broken.sum(axis=1) / right.sum(axis=1)).var()
    by_samples = [ratio_samples(broken[k], right[k]).samples.var(ddof=1) / n for k in range(200)]
    assert np.mean(by_samples) == pytest.approx(spread, rel=0.1)


def test_ratio_is_its_derivative() -> None:
    top, bottom = RNG.random(20), 1 + RNG.random(20)
    found = ratio_samples(top, bottom)
    assert found.value == pytest.approx(top.sum() / bottom.sum())
    assert found.samples.mean() == pytest.approx(found.value)
    step = 1e-6
    weights = np.ones(20)
    weights[3] += step
    slope = (
        (weights @ top) / (weights @ bottom) - found.value
    ) / step  # derivative by the weight of sample 3
    assert found.samples[3] - found.value == pytest.approx(20 * slope, rel=1e-4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: jackknife(variance, np.ones(4)),
            r"shape \(samples, sums\) with two samples or more, got \(4,\)",
        ),
        (lambda: jackknife(lambda sums: sums, np.ones((4, 1))), r"must map sums of shape \(\.\.\., P\)"),
        (lambda: pseudo_values(1.0, [2.0]), r"shape \(samples,\) with two or more, got \(1,\)"),
        (lambda: ratio_samples([1, 0], [1, 0, 1]), r"got \(2,\) and \(3,\)"),
        (lambda: ratio_samples([0, 0], [0, 0]), "no sample counts.*right on at least one image"),
    ],
)
def test_bad_input_is_refused(make, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UserError, match=message):
        make()
