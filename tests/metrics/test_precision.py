import numpy as np
import pytest
from sklearn.metrics import precision_score

from gradlab.metrics import precision, precision_per_class


def brute_force(predicted, true, k):
    base = predicted == k
    return (true == k)[base].mean() if base.any() else 0.0


def test_precision_per_class_is_a_share_that_can_be_counted(sample):
    predictions, labels = sample[0].argmax(1), sample[1]
    expected = [brute_force(predictions, labels, k) for k in range(7)]
    assert precision_per_class(predictions, labels, 7).tolist() == pytest.approx(expected)


@pytest.mark.parametrize("how", ["macro", "weighted"])
def test_averages_are_those_of_sklearn_over_all_classes(sample, how):
    predictions, labels = sample[0].argmax(1), sample[1]
    expected = precision_score(labels, predictions, labels=range(7), average=how, zero_division=0)
    assert precision(predictions, labels, 7, how=how) == pytest.approx(expected, rel=1e-12)


def test_a_class_without_a_denominator_scores_0():
    assert precision_per_class([0, 0], [0, 0], 2).tolist() == [1, 0]
    assert precision([0, 0], [0, 0], 2) == 0.5
    assert precision([0, 0], [0, 0], 2, how="weighted") == 1


def test_swapping_truth_and_prediction_swaps_precision_and_recall(sample):
    from gradlab.metrics import recall_per_class as other

    predictions, labels = sample[0].argmax(1), sample[1]
    assert np.array_equal(precision_per_class(predictions, labels, 7), other(labels, predictions, 7))
