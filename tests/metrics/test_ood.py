"""Scores of out-of-distribution detection against scikit-learn and plain loops; larger score = more out-of-distribution."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sklearn

from gradlab.metrics import aupr_in, aupr_out, auroc, detection_error, fpr_at_tpr, roc_curve
from gradlab.types import UserError

SCORES = st.lists(st.integers(-4, 4), min_size=1, max_size=25)
"""Few values, so that there are ties."""
ALL = (auroc, aupr_in, aupr_out, fpr_at_tpr, detection_error, roc_curve)


def both(inside, outside):
    return np.array([0] * len(inside) + [1] * len(outside)), np.array([*inside, *outside], dtype=float)


@given(SCORES, SCORES)
def test_auroc_is_the_count_of_pairs_and_that_of_sklearn(inside, outside):
    pairs = [(b > a) + (a == b) / 2 for a in inside for b in outside]
    assert auroc(inside, outside) == pytest.approx(sum(pairs) / len(pairs), abs=1e-12)
    assert auroc(inside, outside) == pytest.approx(sklearn.roc_auc_score(*both(inside, outside)), abs=1e-12)
    assert auroc(inside, outside) + auroc(outside, inside) == pytest.approx(1)


@given(SCORES, SCORES)
def test_aupr_is_the_average_precision_of_sklearn_with_either_set_positive(inside, outside):
    is_outside, scores = both(inside, outside)
    expected = sklearn.average_precision_score(is_outside, scores)
    assert aupr_out(inside, outside) == pytest.approx(expected, abs=1e-12)
    expected = sklearn.average_precision_score(1 - is_outside, -scores)
    assert aupr_in(inside, outside) == pytest.approx(expected, abs=1e-12)


@given(SCORES, SCORES)
def test_balanced_aupr_is_that_of_sets_repeated_to_one_size(inside, outside):
    same = inside * len(outside), outside * len(inside)
    for score in (aupr_in, aupr_out):
        assert score(inside, outside, balanced=True) == pytest.approx(score(*same), abs=1e-12)


@given(SCORES, SCORES, st.sampled_from([0.01, 0.5, 0.8, 0.95, 1.0]))
def test_fpr_at_tpr_is_that_of_the_strictest_threshold_that_finds_enough(inside, outside, tpr):
    for positive, found, wrong in (
        ("in", inside, outside),
        ("out", [-s for s in outside], [-s for s in inside]),
    ):
        enough = [t for t in sorted(found) if sum(s <= t for s in found) / len(found) >= tpr - 1e-12]
        expected = sum(s <= enough[0] for s in wrong) / len(wrong)
        assert fpr_at_tpr(inside, outside, tpr=tpr, positive=positive) == pytest.approx(expected)


def test_both_conventions_of_fpr_95_by_hand():
    """20 inside: 0, 1, ..., 19. 95 % of them are accepted up to 18. Outside: 15.5, 18, 18.5, 30."""
    inside, outside = np.arange(20), np.array([15.5, 18, 18.5, 30])
    assert fpr_at_tpr(inside, outside) == 2 / 4  # 15.5 and 18
    assert (
        fpr_at_tpr(inside, outside, positive="out") == 4 / 20
    )  # all four outside need ≥ 15.5: 16, 17, 18, 19


def test_19_of_20_are_95_percent_although_floats_say_more():
    assert 0.95 * 100 != 95 or 0.55 * 100 != 55  # why: 55.00000000000001
    assert fpr_at_tpr(np.arange(100), [54.5], tpr=0.55) == 0
    assert fpr_at_tpr(np.arange(100), [53.5], tpr=0.55) == 1


@given(SCORES, SCORES)
def test_detection_error_is_the_smallest_mean_of_both_rates(inside, outside):
    thresholds = [-10, *inside, *outside]
    errors = [(np.mean([s > t for s in inside]) + np.mean([s <= t for s in outside])) / 2 for t in thresholds]
    assert detection_error(inside, outside) == pytest.approx(min(errors), abs=1e-12)


@given(SCORES, SCORES)
def test_the_roc_curve_has_the_corners_and_the_area_of_sklearn_s(inside, outside):
    is_outside, scores = both(inside, outside)
    fpr, tpr, _ = sklearn.roc_curve(1 - is_outside, -scores, drop_intermediate=False)
    curve = roc_curve(inside, outside, points=10_000)
    assert np.interp(fpr, curve.fpr, curve.tpr) == pytest.approx(
        np.maximum.reduceat(tpr, np.unique(fpr, return_index=True)[1])[np.searchsorted(np.unique(fpr), fpr)]
    )
    assert np.trapezoid(curve.tpr, curve.fpr) == pytest.approx(auroc(inside, outside))


@given(SCORES, SCORES, st.integers(2, 8))
def test_a_thinned_curve_has_its_ends_and_only_points_of_the_curve(inside, outside, points):
    curve, whole = roc_curve(inside, outside, points=points), roc_curve(inside, outside, points=1000)
    assert 2 <= len(curve.fpr) <= points
    assert (curve.fpr[0], curve.tpr[0], curve.fpr[-1], curve.tpr[-1]) == (0, 0, 1, 1)
    assert set(zip(curve.fpr, curve.tpr, strict=True)) <= set(zip(whole.fpr, whole.tpr, strict=True))
    assert (np.diff(curve.fpr) + np.diff(curve.tpr) > 0).all()


def test_thinning_to_200_points_hardly_moves_the_area():
    rng = np.random.default_rng(0)
    inside, outside = rng.normal(size=5000), rng.normal(1, 1, 3000)
    curve = roc_curve(inside, outside)
    assert len(curve.fpr) <= 200
    assert np.trapezoid(curve.tpr, curve.fpr) == pytest.approx(auroc(inside, outside), abs=2e-4)


def test_perfect_reversed_and_equal_scores():
    low, high = [1, 2, 3], [4, 5]
    assert (auroc(low, high), aupr_in(low, high), aupr_out(low, high)) == (1, 1, 1)
    assert (fpr_at_tpr(low, high), detection_error(low, high)) == (0, 0)
    assert (auroc(high, low), fpr_at_tpr(high, low), detection_error(high, low)) == (0, 1, 0.5)
    assert (auroc([1, 1], [1]), detection_error([1, 1], [1])) == (0.5, 0.5)
    assert aupr_in([1, 1], [1]) == pytest.approx(2 / 3)
    assert aupr_in([1, 1], [1], balanced=True) == 0.5
    curve = roc_curve(low, high)
    assert (curve.fpr.tolist(), curve.tpr.tolist()) == ([0, 0, 1], [0, 1, 1])


@pytest.mark.parametrize("score", ALL)
def test_only_the_order_of_scores_counts_and_any_array_is_read(score):
    rng = np.random.default_rng(1)
    inside, outside = rng.normal(size=60).round(1), rng.normal(1, 1, 40).round(1)
    expected = score(inside, outside)
    others = [
        (np.exp(inside), np.exp(outside)),
        (inside.tolist(), outside.tolist()),
        (torch.tensor(inside), torch.tensor(outside, requires_grad=True)),
        (inside[::-1], rng.permutation(outside)),
    ]
    for other in others:
        found = score(*other)
        assert str(found) == str(expected)


@pytest.mark.parametrize("score", ALL)
@pytest.mark.parametrize(
    ("inside", "outside", "sentence"),
    [
        ([], [1.0], r"in-distribution scores must be numbers of shape \(N,\) with N ≥ 1, got shape \(0,\)"),
        ([1.0], [[1.0]], r"out-of-distribution scores .* got shape \(1, 1\)"),
        ([1.0], [np.nan, 1.0], "out-of-distribution scores must not contain NaN, got 1 of 2"),
        (["a"], [1.0], "in-distribution scores must be numbers"),
    ],
)
def test_what_is_no_scores_is_refused(score, inside, outside, sentence):
    with pytest.raises(UserError, match=sentence):
        score(inside, outside)


def test_settings_that_make_no_sense_are_refused():
    with pytest.raises(UserError, match=r"tpr must lie in \(0, 1\], got 95; 95 % is 0.95"):
        fpr_at_tpr([1.0], [2.0], tpr=95)
    with pytest.raises(UserError, match="'in' or 'out', got 'ood'"):
        fpr_at_tpr([1.0], [2.0], positive="ood")
    with pytest.raises(UserError, match="at least its two ends, got points=1"):
        roc_curve([1.0], [2.0], points=1)
