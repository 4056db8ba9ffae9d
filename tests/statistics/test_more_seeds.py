import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from gradlab.statistics import Interval, interval, judge, more_seeds
from gradlab.statistics._samples import Axis

D = np.array([0.02, 0.00, 0.04, 0.01, 0.03, 0.05])


def seeds_by_hand(sd: float, n: int, distance: float, level: float) -> int:
    total = n + 1
    while stats.t.ppf(0.5 + level / 2, total - 1) * sd / math.sqrt(total) >= distance:
        total += 1
    return total - n


@pytest.mark.parametrize("delta", [0.005, 0.01, 0.04])
def test_range_runs_from_the_sd_to_its_upper_bound_at_the_next_looks_level(delta: float) -> None:
    found = judge(D, delta=delta)
    assert found.verdict == "inconclusive"
    more = found.more_seeds
    assert more is not None
    sd, distance = D.std(ddof=1), abs(D.mean() - delta)
    upper = sd * math.sqrt(5 / stats.chi2.ppf(0.2, 5))
    assert more.low == seeds_by_hand(sd, 6, distance, 0.995)
    assert more.high == seeds_by_hand(upper, 6, distance, 0.995)
    assert more.text == f"{more.low} to {more.high} more seeds"


def test_that_many_seeds_of_the_same_mean_and_sd_do_settle_it() -> None:
    found = judge(D, delta=0.01)
    assert found.more_seeds is not None
    assert found.more_seeds.low is not None
    for short, verdict in ((1, "inconclusive"), (0, "supported")):
        total = 6 + found.more_seeds.low - short
        z = np.linspace(-1, 1, total)
        same = D.mean() + D.std(ddof=1) * (z - z.mean()) / z.std(ddof=1)
        assert judge(same, delta=0.01, look=2).verdict == verdict


def test_nearest_boundary_is_the_mirror_one_for_negative_estimates() -> None:
    assert judge(-D, delta=0.01).more_seeds == judge(D, delta=0.01).more_seeds


def test_estimate_on_the_boundary_is_settled_by_no_number() -> None:
    found = judge(D, delta=float(D.mean())).more_seeds
    assert found is not None
    assert found.kind == "nothing"
    assert "no practical number of seeds settles it: the estimate sits at the boundary 0.025" in found.text


def test_upper_end_beyond_the_cap_says_more_than() -> None:
    found = judge(D, delta=0.0228).more_seeds
    assert found is not None
    assert found.high is None
    assert found.text.endswith("to more than 1,000 more seeds")


def test_seeds_do_not_help_where_the_samples_alone_leave_it_open() -> None:
    by_sample = np.random.default_rng(0).normal(0.05, 1, 400)
    d = by_sample + 0.01 * np.random.default_rng(1).normal(size=(6, 1))
    found = judge(d, delta=0.02).more_seeds
    assert found is not None
    assert found.kind == "samples"
    assert found.text.startswith("more test samples, not seeds: the 400 samples alone leave ±0.1")


def test_seeds_help_where_the_seeds_keep_it_open() -> None:
    by_sample = 0.01 * np.random.default_rng(0).normal(size=400)
    d = by_sample + D[:, None]
    found = judge(d, delta=0.01).more_seeds
    assert found is not None
    assert found.kind == "seeds"


def test_identical_predictions_ask_for_test_samples() -> None:
    found = judge(np.zeros((6, 100)), delta=0.01).more_seeds
    assert found is not None
    assert found.kind == "samples"


def test_skewed_samples_that_keep_one_end_open_ask_for_samples() -> None:
    """The normal half-width would fit below delta; the end towards which the samples are skewed does not."""
    d = np.tile(np.arange(360) < 7, (6, 1)).astype(float)
    d[0, 0] = 0
    found = judge(d, delta=0.05, claims=8)
    one = found.interval
    half = stats.t.ppf(1 - 0.005 / 16, 359) * math.sqrt(one.sample_variance)
    assert half < 0.05 - found.estimate
    assert found.more_seeds is not None
    assert found.more_seeds.kind == "samples"


def test_a_far_boundary_counts_too() -> None:
    """Skewed towards -delta: the estimate is nearer to +delta, but -delta is the one in the interval."""
    shown = Interval(
        estimate=0.002, low=-0.04, high=0.03, level=0.995, n=6, seed_variance=1e-7,
        degrees_of_freedom=5, axes=(Axis("", 360, 5e-5, (0.95, -0.9), is_binary=True),),
    )  # fmt: skip
    assert more_seeds(shown, 0.03, 0.995).kind == "samples"
    assert more_seeds(replace(shown, axes=(Axis("", 360, 5e-5),)), 0.03, 0.995).kind == "seeds"


def test_waiting_for_sign_flip_sets_a_least_number() -> None:
    spread = interval([0.5, 0.6, 0.55], level=0.96)
    assert more_seeds(spread, 0.01, 0.995).low != 6
    waiting = more_seeds(spread, 0.01, 0.995, sign_flip=True)
    assert (waiting.low, waiting.high, waiting.text) == (6, None, "at least 6 more seeds")


def test_six_seeds_reach_exactly_one_in_thirty_two() -> None:
    waiting = more_seeds(interval([0.5, 0.6, 0.55], level=0.96), 0.01, 1 - 1 / 32, sign_flip=True)
    assert waiting.low == 3
