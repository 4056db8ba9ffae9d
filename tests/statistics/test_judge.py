import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from gradlab.statistics import Sampled, against, contrast_values, judge, sign_flip
from gradlab.types import UserError

A = [0.94, 0.95, 0.94, 0.93, 0.945, 0.95]
B = [0.88, 0.87, 0.89, 0.88, 0.86, 0.90]
pairs = st.integers(2, 8).flatmap(
    lambda n: st.tuples(*[arrays(np.float64, n, elements=st.floats(-1, 1, width=32))] * 2)
)


def hand_made(d: np.ndarray, level: float) -> tuple[float, float]:
    found = stats.ttest_1samp(d, 0).confidence_interval(level)
    return found.low, found.high


@pytest.mark.parametrize(
    ("claims", "look", "level"), [(1, 1, 0.96), (8, 1, 0.995), (1, 2, 0.995), (4, 3, 0.999375)]
)
def test_interval_is_at_the_level_that_claims_and_looks_leave(claims: int, look: int, level: float) -> None:
    found = judge(A, B, delta=0.01, claims=claims, look=look)
    assert found.level == pytest.approx(level)
    assert (found.low, found.high) == pytest.approx(hand_made(np.subtract(A, B), level))


def test_bonferroni_decides() -> None:
    assert judge(A, B, delta=0.035).verdict == "supported"
    assert judge(A, B, delta=0.035, claims=8).verdict == "open"


def test_second_look_decides_at_its_own_level() -> None:
    assert judge(A, B, delta=0.035, look=2).verdict == "open"
    assert judge(A, B, delta=0.035, look=2).look == 2


def test_given_level_overrides() -> None:
    assert judge(A, B, delta=0.035, claims=8, level=0.96).verdict == "supported"


@pytest.mark.parametrize("kind", ["more", "same", "not less"])
@pytest.mark.parametrize("shift", [0.0, -0.12, -0.0625, -0.05, -0.08])
@pytest.mark.parametrize("delta", [0.01, 0.03])
def test_each_kind_is_judged_by_its_region(kind: str, shift: float, delta: float) -> None:
    d = np.subtract(A, B) + shift
    low, high = hand_made(d, 0.96)
    first, last = {"more": (delta, np.inf), "same": (-delta, delta), "not less": (-delta, np.inf)}[kind]
    inside, outside = first < low and high < last, high < first or last < low
    expected = "supported" if inside else "refuted" if outside else "open"
    found = judge(d, delta=delta, kind=kind)  # type: ignore[arg-type]
    assert (found.verdict, found.kind) == (expected, kind)


def test_what_the_data_exclude_is_refuted_and_not_open() -> None:
    d = [0.002, -0.001, 0.001, 0.003, 0.0, 0.001]
    more = judge(d, delta=0.01, unit="fraction")
    assert (more.verdict, more.reading) == ("refuted", "equal to within a point")
    assert judge(d, delta=0.01, kind="same").verdict == "supported"
    assert judge(d, delta=0.01, kind="not less").verdict == "supported"


@pytest.mark.slow
@example((np.array([1.0, 0.5, 0.0]), np.array([0.0, 1.0, 0.5])), 0.5)  # estimate exactly 0
@given(pairs, st.floats(0.01, 0.5))
def test_exchanged_arms_get_the_mirrored_verdict(ab: tuple[np.ndarray, np.ndarray], delta: float) -> None:
    a, b = ab
    there, back = judge(a, b, delta=delta), judge(b, a, delta=delta, kind="not less")
    assert back.verdict == {"supported": "refuted", "refuted": "supported", "open": "open"}[there.verdict]
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))
    assert judge(a, b, delta=delta, kind="same").verdict == judge(b, a, delta=delta, kind="same").verdict


@pytest.mark.slow
@given(pairs, st.floats(0.01, 0.5), st.sampled_from([0.5, 4.0]))
def test_another_unit_gives_the_same_verdict(
    ab: tuple[np.ndarray, np.ndarray], delta: float, scale: float
) -> None:
    a, b = ab
    assert judge(scale * a, scale * b, delta=scale * delta).verdict == judge(a, b, delta=delta).verdict


def test_test_samples_can_undo_a_verdict_that_seeds_alone_would_give() -> None:
    rng = np.random.default_rng(4)
    a, b = np.tile(rng.random(80) < 0.95, (6, 1)), np.tile(rng.random(80) < 0.88, (6, 1))
    a[0, 0], b[1, 1] = ~a[0, 0], ~b[1, 1]
    alone, both = judge(a.mean(axis=1), b.mean(axis=1), delta=0.01), judge(a, b, delta=0.01)
    assert alone.verdict == "supported"
    assert both.verdict == "open"
    assert both.samples == 80
    assert both.seed_share is not None
    assert both.seed_share < 0.2
    assert both.more_seeds is not None
    assert both.more_seeds.kind == "samples"


def test_sign_flip_stands_at_the_boundary_that_decides_and_decides_nothing() -> None:
    d = np.subtract(A, B)
    more, less = judge(A, B, delta=0.01), judge(A, B, delta=0.01, kind="not less")
    assert (more.sign_flip_boundary, more.sign_flip) == (0.01, sign_flip(d, 0.01))
    assert (less.sign_flip_boundary, less.sign_flip) == (-0.01, sign_flip(d, -0.01))
    uneven = np.array([0.0, 0.005, -0.005, 0.003, 0.012, -0.003, 0.004, 0.002])
    small = judge(uneven, delta=0.01, kind="same")
    assert sign_flip(uneven, 0.01) > sign_flip(uneven, -0.01)
    assert (small.sign_flip, small.sign_flip_boundary) == (sign_flip(uneven, 0.01), 0.01)
    assert judge(d, delta=0.01, kind="same").sign_flip_boundary == 0.01
    few = judge(A[:3], B[:3], delta=0.01)
    assert (few.verdict, few.sign_flip) == ("supported", 0.25)


def test_fewer_than_six_seeds_say_what_sign_flip_cannot_reach_and_the_interval_decides() -> None:
    found = judge(A[:4], B[:4], delta=0.01)
    assert found.verdict == "supported"
    assert "with 4 seeds the sign-flip cannot reach 0.05 (at best 0.12)" in found.flags
    assert not any("cannot reach" in flag for flag in judge(A, B, delta=0.01).flags)


def test_more_than_twenty_seeds_give_the_same_answer_twice() -> None:
    d = np.random.default_rng(0).normal(0.1, 0.3, 30)
    assert judge(d, delta=0.01) == judge(d, delta=0.01)


def test_equal_differences_without_samples_are_open() -> None:
    found = judge([1.0] * 8, delta=0.1)
    assert found.verdict == "open"
    assert found.explanation.startswith("All differences are equal and say nothing")
    assert found.more_seeds is not None
    assert found.more_seeds.text == "more seeds or test samples: all differences so far are equal"
    assert "no interval" in str(found)


def test_over_samples_the_score_bound_decides_without_a_veto() -> None:
    right = contrast_values(against("a", 0.9), {"a": np.ones((7, 20))})
    assert judge(right, delta=0.01, claims=2).verdict == "open"  # accuracy 0.91 gives this 15 % of the time
    few = judge(np.ones((3, 360)) - 0.9, delta=0.01)
    assert few.verdict == "supported"  # three seeds agree on 360 images: no sign-flip is asked
    assert "all 3 differences are equal" in few.flags[1]


def test_equal_losses_of_all_samples_are_open() -> None:
    flat = Sampled(np.ones(4), {"test": np.ones((4, 30))}, range=(0, 1))
    assert judge(contrast_values(against("a", 0.5), {"a": flat}), delta=0.1).verdict == "open"


def test_one_test_sample_decides_nothing() -> None:
    found = judge(np.ones((6, 1)), np.zeros((6, 1)), delta=0.01)
    assert found.verdict == "open"
    assert found.explanation == "One test sample gives no interval, so nothing is excluded."
    assert found.more_seeds is not None
    assert found.more_seeds.kind == "samples"
    assert judge(np.ones((1, 1)), delta=0.01).more_seeds.kind == "seeds"  # type: ignore[union-attr]


def test_one_arm_alone_wrong_is_judged_by_the_skewed_interval() -> None:
    """7 of 360 where 18 would be delta: the same by the normal interval, which at +delta errs 2.7 times too often."""
    d = np.tile(np.arange(360) < 7, (6, 1))
    normal = stats.ttest_1samp(d[0].astype(float), 0).confidence_interval(0.995)
    assert normal.high < 0.05 < judge(d, delta=0.05, claims=8).high
    assert judge(d, delta=0.05, claims=8, kind="same").verdict == "open"
    assert judge(d, delta=0.05, kind="same").verdict == "supported"


def test_one_seed_is_open_and_asks_for_seeds() -> None:
    found = judge([0.9], [0.1], delta=0.01)
    assert found.verdict == "open"
    assert found.explanation == "One seed gives no interval, so nothing is excluded."
    assert found.more_seeds is not None
    assert found.more_seeds.low == 5
    assert math.isinf(found.high)


@pytest.mark.parametrize(
    ("kind", "d", "expected"),
    [
        ("more", [0.05, 0.06, 0.07, 0.06], "lies entirely above 0.01, as claimed."),
        ("more", [0.001, 0.0, 0.0, 0.001], "lies entirely below 0.01: the claim does not hold."),
        ("more", [0.02, 0.0, 0.01, 0.01], "contains 0.01, so the claim is open."),
        ("same", [0.001, 0.0, 0.0, 0.001], "lies entirely between -0.01 and 0.01, as claimed."),
        ("same", [0.05, 0.06, 0.07, 0.06], "lies entirely above 0.01: the claim does not hold."),
        ("same", [-0.05, -0.06, -0.07, -0.06], "lies entirely below -0.01: the claim does not hold."),
        ("same", [0.1, -0.1, 0.0, 0.0], "contains -0.01 and 0.01, so the claim is open."),
        ("not less", [0.001, 0.0, 0.0, 0.001], "lies entirely above -0.01, as claimed."),
        ("not less", [-0.05, -0.06, -0.07, -0.06], "lies entirely below -0.01: the claim does not hold."),
        ("not less", [-0.01, -0.02, 0.0, 0.0], "contains -0.01, so the claim is open."),
    ],
)
def test_explanation_says_how_the_interval_lies(kind: str, d: list[float], expected: str) -> None:
    assert judge(d, delta=0.01, kind=kind).explanation.endswith(expected)  # type: ignore[arg-type]


def test_explanation_names_level_look_and_unit() -> None:
    found = judge([5.0, 6.0, 7.0, 6.0], delta=2, unit="epochs", look=2)
    assert found.explanation.startswith("The 99.5 % interval [")
    assert "(look 2)" in found.explanation
    assert "2 epochs" in found.explanation


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"a": A, "b": B[:5], "delta": 0.01}, r"same shape, got \(6,\) and \(5,\); give the same seeds"),
        ({"a": A, "b": B, "delta": 0}, "delta must be a positive number"),
        ({"a": [0.9, np.nan], "b": [0.1, 0.2], "delta": 0.1}, "a holds a value that is NaN"),
        ({"a": A, "b": B, "delta": 0.01, "claims": 0}, "claims must be a whole number"),
        (
            {"a": A, "b": B, "delta": 0.01, "learned": {"p": [1, 0], "q": [1, 0]}},
            "one true or false per seed of 'p', expected 6",
        ),
        ({"a": A, "b": B, "delta": 0.01, "learned": {"p": [2] * 6, "q": [1] * 6}}, "one true or false"),
        ({"a": A, "b": B, "delta": 0.01, "kind": "less"}, "kind must be one of"),
        ({"a": A, "b": B, "delta": 0.01, "range": (0, 0.9)}, r"outside the measure's range \(0, 0\.9\)"),
        (
            {"a": A, "b": B, "delta": 0.01, "learned": [[1] * 6]},
            r"one sequence per arm of \['a', 'b'\], got 1",
        ),
        ({"a": A, "b": B, "delta": 0.01, "level": 1}, "level must lie strictly between"),
    ],
)
def test_bad_input_is_refused(arguments: dict, message: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(UserError, match=message):
        judge(**arguments)


def test_arguments_are_left_as_they_were() -> None:
    a, b = np.array(A), np.array(B)
    judge(a, b, delta=0.01)
    np.testing.assert_array_equal(a, A)
    np.testing.assert_array_equal(b, B)
