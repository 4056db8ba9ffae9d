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
    assert found.verdict == "open"
    more = found.more_seeds
    assert more is not None
    sd, distance = D.std(ddof=1), abs(D.mean() - delta)
    upper = sd * math.sqrt(5 / stats.chi2.ppf(0.2, 5))
    assert more.low == seeds_by_hand(sd, 6, distance, 0.995)
    assert more.high == seeds_by_hand(upper, 6, distance, 0.995)
    way = "support" if D.mean() > delta else "refute"
    assert more.text == (
        f"{more.low} to {more.high} more seeds would {way} the claim if the difference stays as measured "
        f"({more.low} is optimistic)"
    )
    assert more.way == {"support": "supported", "refute": "refuted"}[way]


def test_that_many_seeds_of_the_same_mean_and_sd_do_settle_it() -> None:
    found = judge(D, delta=0.01)
    assert found.more_seeds is not None
    assert found.more_seeds.low is not None
    for short, verdict in ((1, "open"), (0, "supported")):
        total = 6 + found.more_seeds.low - short
        z = np.linspace(-1, 1, total)
        same = D.mean() + D.std(ddof=1) * (z - z.mean()) / z.std(ddof=1)
        assert judge(same, delta=0.01, look=2).verdict == verdict


def test_mirrored_differences_need_as_many_seeds_for_the_mirrored_claim() -> None:
    there, back = judge(D, delta=0.01).more_seeds, judge(-D, delta=0.01, kind="not less").more_seeds
    assert there is not None
    assert back is not None
    assert (there.low, there.high) == (back.low, back.high)
    assert (there.way, back.way) == ("supported", "refuted")


def test_same_waits_for_the_nearer_boundary() -> None:
    d = 0.2 * D
    found = judge(d, delta=0.007, kind="same").more_seeds
    assert found is not None
    assert found.low == seeds_by_hand(d.std(ddof=1), 6, 0.007 - d.mean(), 0.995)
    assert found.way == "supported"


def test_estimate_on_the_boundary_is_settled_by_no_number() -> None:
    found = judge(D, delta=float(D.mean())).more_seeds
    assert found is not None
    assert found.kind == "nothing"
    assert found.text.startswith("no practical number of seeds or samples settles it")


def test_upper_end_beyond_the_cap_says_more_than() -> None:
    found = judge(D, delta=0.0228).more_seeds
    assert found is not None
    assert found.high is None
    assert found.text.startswith(f"at least {found.low} more seeds would support the claim")


def test_so_many_samples_of_the_same_spread_do_settle_it() -> None:
    by_sample = np.random.default_rng(0).normal(size=400)
    d = by_sample - by_sample.mean() + 0.15 + 0.01 * np.random.default_rng(1).normal(size=(6, 1))
    found = judge(d, delta=0.1).more_seeds
    assert found is not None
    assert (found.kind, found.way) == ("samples", "supported")
    assert found.low is not None
    assert found.high is not None
    assert found.text.startswith(f"{found.low:,} to {found.high:,} more test samples would")
    seeds, samples = interval(d).seed_variance, interval(d).sample_variance
    distance = abs(d.mean() - 0.1)

    def half(total: int) -> float:
        shrunk = stats.t.ppf(0.9975, total - 1) ** 2 * samples * 400 / total
        return math.sqrt(stats.t.ppf(0.9975, 5) ** 2 * seeds + shrunk)

    assert half(400 + found.low) < 1.03 * distance  # the skewness adds a little
    assert half(400 + int(0.85 * found.low)) > distance


def test_both_are_needed_where_neither_alone_is_enough() -> None:
    by_sample = np.random.default_rng(0).normal(0.05, 1, 400)
    d = by_sample - by_sample.mean() + 0.05 + 0.1 * np.array([-1, 1, -1, 1, -1, 1.0])[:, None]
    found = judge(d, delta=0.02).more_seeds
    assert found is not None
    assert found.text == "more test samples and more seeds: neither alone would settle it"


def test_seeds_help_where_the_seeds_keep_it_open() -> None:
    by_sample = 0.01 * np.random.default_rng(0).normal(size=400)
    d = by_sample + D[:, None]
    found = judge(d, delta=0.01).more_seeds
    assert found is not None
    assert found.kind == "seeds"


def test_identical_predictions_ask_for_test_samples() -> None:
    found = judge(np.zeros((6, 100)), delta=0.01, kind="same").more_seeds
    assert found is not None
    assert found.kind == "samples"


def test_skewed_samples_that_keep_one_end_open_ask_for_samples() -> None:
    """The normal half-width would fit below delta; the end towards which the samples are skewed does not."""
    d = np.tile(np.arange(360) < 7, (6, 1)).astype(float)
    d[0, 0] = 0
    found = judge(d, delta=0.05, claims=8, kind="same")
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
    assert more_seeds(shown, 0.03, 0.995, "same").kind == "samples"
    assert more_seeds(replace(shown, axes=(Axis("", 360, 5e-5),)), 0.03, 0.995, "same").kind == "seeds"
