import math

import numpy as np
import pytest
from scipy import stats

from gradlab.statistics import Contrast, Sampled, contrast_values, difference, interval, judge

RELU = np.array([0.970, 0.972, 0.969, 0.971, 0.970, 0.973])
SIGMOID = RELU - np.array([0.760, 0.773, 0.775, 0.859, 0.762, 0.765])  # one run in six stays at chance
LEARNED = {"relu": [True] * 6, "sigmoid": [True, True, True, False, True, True]}


def test_seventy_eight_points_with_five_of_six_learned_are_supported() -> None:
    found = judge(RELU, SIGMOID, delta=0.01, claims=5, learned=LEARNED, unit="fraction", range=(0, 1))
    assert found.verdict == "supported"
    assert found.estimate == pytest.approx(0.782333, abs=1e-6)
    assert found.reading == "better by more than a point"
    assert found.interval.rule == "two groups"
    assert found.explanation.startswith(
        "The 99.2 % interval for runs in two groups [25.6, 90.8] percentage points"
    )
    record = found.as_record()
    assert record["learned"] == {"relu": [6, 6], "sigmoid": [5, 6]}
    assert record["among_learned"] == pytest.approx(np.mean([0.760, 0.773, 0.775, 0.762, 0.765]))
    assert "5 of 6 runs of sigmoid learned: two groups" in found.flags
    assert "in the 5 seeds where every run learned the difference is 76.7 percentage points" in found.flags


def ends_by_hand(level: float, h: float) -> tuple[float, float]:
    """DESIGN: one mixed arm, which is subtracted, and the rest."""
    alpha, n = 1 - level, 6
    half_alpha = alpha / 2
    epsilon = half_alpha / 2
    low_mixed, high_mixed = 1.0, 1.0
    for x in SIGMOID:
        low_mixed *= x
        high_mixed *= 1 - x
    low_mixed, high_mixed = (epsilon * low_mixed) ** (1 / n), 1 - (epsilon * high_mixed) ** (1 / n)
    rest = stats.ttest_1samp(RELU, 0).confidence_interval(1 - half_alpha)
    d = (RELU - SIGMOID).mean()
    low, high = rest.low - high_mixed, rest.high - low_mixed
    return d - math.sqrt((d - low) ** 2 + h**2), d + math.sqrt((high - d) ** 2 + h**2)


@pytest.mark.parametrize("claims", [1, 5])
def test_ends_are_those_of_the_formula(claims: int) -> None:
    found = judge(RELU, SIGMOID, delta=0.01, claims=claims, learned=LEARNED, range=(0, 1))
    assert (found.low, found.high) == pytest.approx(ends_by_hand(1 - 0.04 / claims, 0.0))


def test_test_samples_widen_it_by_their_own_term() -> None:
    rng = np.random.default_rng(0)
    images = 0.3 * rng.normal(size=200)
    arms = {
        "relu": Sampled(RELU, {"test": RELU[:, None] + images - images.mean()}, range=(0, 1)),
        "sigmoid": Sampled(SIGMOID, {"test": np.tile(SIGMOID[:, None], 200)}, range=(0, 1)),
    }
    found = judge(contrast_values(difference("relu", "sigmoid"), arms), delta=0.01, learned=LEARNED)
    h = stats.t.ppf(1 - 0.04 / 4, 199) * images.std(ddof=1) / math.sqrt(200)  # at 1 - alpha / T, T = 2
    assert (found.low, found.high) == pytest.approx(ends_by_hand(0.96, h))


def test_two_mixed_arms_share_the_error_and_weights_turn_ends() -> None:
    a, b = np.array([0.9, 0.9, 0.1, 0.9]), np.array([0.5, 0.6, 0.1, 0.1])
    arms = {"a": Sampled(a, range=(0, 1)), "b": Sampled(b, range=(0, 1))}
    learned = {"a": a > 0.2, "b": b > 0.2}
    found = judge(
        contrast_values(Contrast({"a": 2, "b": -1}, 0.1), arms), delta=0.1, level=0.9, learned=learned
    )
    e = 0.1 / (2 * 2)

    def ends(x: np.ndarray) -> tuple[float, float]:
        return float((e * np.prod(x)) ** 0.25), float(1 - (e * np.prod(1 - x)) ** 0.25)

    assert found.low == pytest.approx(2 * ends(a)[0] - ends(b)[1] + 0.1)
    assert found.high == pytest.approx(2 * ends(a)[1] - ends(b)[0] + 0.1)


def test_another_range_is_scaled_to_zero_and_one() -> None:
    plain = judge(RELU, SIGMOID, delta=0.01, learned=LEARNED, range=(0, 1))
    scaled = judge(100 * RELU - 5, 100 * SIGMOID - 5, delta=1, learned=LEARNED, range=(-5, 95))
    assert (scaled.low, scaled.high) == pytest.approx((100 * plain.low, 100 * plain.high))


def test_without_a_range_or_without_the_arms_the_claim_stays_open() -> None:
    found = judge(RELU, SIGMOID, delta=0.01, learned=LEARNED)
    assert (found.verdict, found.interval.rule) == ("open", "none")
    assert "the measure's range or the spread" in found.explanation
    assert found.more_seeds is not None
    assert found.more_seeds.kind == "nothing"
    alone = judge(RELU - SIGMOID, delta=0.01, learned=[LEARNED["sigmoid"]])
    assert alone.verdict == "open"
    assert any("needs the arms' own values" in flag for flag in alone.flags)


@pytest.mark.parametrize("learned", [[[1] * 6, [0] * 6], {"relu": [True] * 6, "sigmoid": [False] * 6}, None])
def test_all_or_none_learned_is_one_group(learned: object) -> None:
    found = judge(RELU, SIGMOID, delta=0.01, learned=learned, range=(0, 1))  # type: ignore[arg-type]
    assert found.interval.rule == "normal"
    assert (found.low, found.high) == pytest.approx(
        (interval(RELU - SIGMOID, level=0.96).low, interval(RELU - SIGMOID, level=0.96).high)
    )


def test_more_seeds_that_go_on_alike_would_settle_it() -> None:
    a, b = RELU - 0.6, SIGMOID
    found = judge(a, b, delta=0.05, claims=4, learned=LEARNED, range=(0, 1))
    assert found.verdict == "open"
    assert found.more_seeds is not None
    assert (found.more_seeds.kind, found.more_seeds.way) == ("seeds", "supported")
    low = found.more_seeds.low
    assert low is not None
    for times in (1, 2, 3, 4, 5, 6):
        many = judge(
            np.tile(a, times), np.tile(b, times), delta=0.05, claims=4, look=2, range=(0, 1),
            learned={name: list(runs) * times for name, runs in LEARNED.items()},
        )  # fmt: skip
        assert (many.verdict == "supported") is (6 * times >= 6 + low) or abs(6 * times - 6 - low) < 6


def test_the_bound_holds_where_one_run_in_three_fails() -> None:
    """Two-point runs are its hardest case: false verdicts at the true difference, at most the error rate."""
    rng, false, repeats = np.random.default_rng(1), 0, 600
    truth = 0.9 * 2 / 3 + 0.1 / 3 - 0.5
    for _ in range(repeats):
        learned = rng.random(6) < 2 / 3
        a = np.where(learned, 0.9, 0.1) + 0.01 * rng.normal(size=6)
        b = 0.5 + 0.01 * rng.normal(size=6)
        runs = {"a": learned, "b": [True] * 6}
        found = judge(a, b, delta=truth, level=0.9, learned=runs, range=(0, 1))
        false += found.verdict != "open" and 0 < learned.sum() < 6
    assert false / repeats <= 0.1
