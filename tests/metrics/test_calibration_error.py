import numpy as np
import pytest

from gradlab.metrics import calibration_bins, calibration_error
from gradlab.types import UserError


def with_confidence(values):
    """Two-class logits whose class 0 has the given probabilities."""
    values = np.asarray(values, dtype=np.float64)
    return np.stack([np.log(values), np.log1p(-values)], axis=1)


def brute_force(logits, labels, bins):
    """Guo et al. (2017), eq. 3, sample by sample; bin m is ((m-1)/M, m/M]."""
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    total = 0.0
    for m in range(bins):
        hits, confidences = [], []
        for p, label in zip(probabilities, labels, strict=True):
            if m / bins < p.max() <= (m + 1) / bins:
                hits.append(p.argmax() == label)
                confidences.append(p.max())
        if hits:
            total += len(hits) / len(labels) * abs(np.mean(hits) - np.mean(confidences))
    return total


@pytest.mark.parametrize("bins", [1, 5, 15, 100])
def test_it_is_the_sum_over_bins_done_sample_by_sample(sample, bins):
    assert calibration_error(*sample, bins=bins) == pytest.approx(brute_force(*sample, bins), rel=1e-9)


def test_a_model_that_is_sure_and_wrong_on_everything_has_error_1():
    """A known library returned 0.00 here."""
    logits = np.tile([50.0, 0.0], (100, 1))
    for adaptive in (False, True):
        assert calibration_error(logits, np.ones(100, dtype=int), adaptive=adaptive) == pytest.approx(1)
        assert calibration_error(logits, np.zeros(100, dtype=int), adaptive=adaptive) == pytest.approx(0)


def test_confidence_that_equals_the_share_of_hits_has_error_0():
    logits = with_confidence([0.8] * 10 + [0.6] * 5)
    labels = [0] * 8 + [1] * 2 + [0] * 3 + [1] * 2
    assert calibration_error(logits, labels) == pytest.approx(0, abs=1e-12)


def test_overconfidence_by_a_tenth_is_an_error_of_a_tenth():
    logits = with_confidence([0.9] * 10)
    assert calibration_error(logits, [0] * 8 + [1] * 2) == pytest.approx(0.1)


def test_bins_report_what_is_in_them_and_empty_ones_are_left_out():
    found = calibration_bins(with_confidence([0.9, 0.9, 0.6]), [0, 1, 0], bins=10)
    assert [b.count for b in found] == [1, 2]
    assert [b.confidence for b in found] == pytest.approx([0.6, 0.9])
    assert [b.accuracy for b in found] == [1, 0.5]


def test_a_confidence_on_an_edge_belongs_to_the_lower_bin():
    found = calibration_bins([[0.0, 0.0], [1.0, 0.0]], [0, 1], bins=2)  # confidences 0.5 and 0.73
    assert [(b.count, b.accuracy) for b in found] == [(1, 1), (1, 0)]


def test_adaptive_bins_have_equal_counts(sample):
    counts = [b.count for b in calibration_bins(*sample, bins=15, adaptive=True)]
    assert sum(counts) == 200
    assert max(counts) - min(counts) <= 1


def test_one_bin_is_the_distance_of_the_means(sample):
    logits, labels = sample
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    expected = abs((logits.argmax(1) == labels).mean() - probabilities.max(1).mean())
    for adaptive in (False, True):
        assert calibration_error(logits, labels, bins=1, adaptive=adaptive) == pytest.approx(expected)


def test_adaptive_bins_do_not_depend_on_the_order_of_equal_confidences():
    logits = with_confidence([0.7] * 20)
    labels = np.array([0] * 12 + [1] * 8)
    shuffled = np.random.default_rng(0).permutation(labels)
    one, other = (calibration_error(logits, y, bins=4, adaptive=True) for y in (labels, shuffled))
    assert one == pytest.approx(other, abs=1e-12)


def test_no_bins_are_refused(sample):
    with pytest.raises(UserError, match="bins must be at least 1, got 0"):
        calibration_error(*sample, bins=0)
