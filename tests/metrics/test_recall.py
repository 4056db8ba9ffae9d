import numpy as np
import pytest
from sklearn.metrics import recall_score

from gradlab.metrics import recall, recall_per_class


def brute_force(predicted, true, k):
    base = true == k
    return (predicted == k)[base].mean() if base.any() else 0.0


def test_recall_per_class_is_a_share_that_can_be_counted(sample):
    predictions, labels = sample[0].argmax(1), sample[1]
    expected = [brute_force(predictions, labels, k) for k in range(7)]
    assert recall_per_class(predictions, labels, 7).tolist() == pytest.approx(expected)


@pytest.mark.parametrize("how", ["macro", "weighted"])
def test_averages_are_those_of_sklearn_over_all_classes(sample, how):
    predictions, labels = sample[0].argmax(1), sample[1]
    expected = recall_score(labels, predictions, labels=range(7), average=how, zero_division=0)
    assert recall(predictions, labels, 7, how=how) == pytest.approx(expected, rel=1e-12)


def test_a_class_without_a_denominator_scores_0():
    assert recall_per_class([0, 0], [0, 0], 2).tolist() == [1, 0]
    assert recall([0, 0], [0, 0], 2) == 0.5
    assert recall([0, 0], [0, 0], 2, how="weighted") == 1


def test_swapping_truth_and_prediction_swaps_precision_and_recall(sample):
    from gradlab.metrics import precision_per_class as other

    predictions, labels = sample[0].argmax(1), sample[1]
    assert np.array_equal(recall_per_class(predictions, labels, 7), other(labels, predictions, 7))
