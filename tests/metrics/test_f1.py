import pytest
from sklearn.metrics import f1_score

from gradlab.metrics import f1, f1_per_class, precision_per_class, recall_per_class


@pytest.mark.parametrize("how", ["macro", "weighted"])
def test_averages_are_those_of_sklearn_over_all_classes(sample, how):
    predictions, labels = sample[0].argmax(1), sample[1]
    expected = f1_score(labels, predictions, labels=range(7), average=how, zero_division=0)
    assert f1(predictions, labels, 7, how=how) == pytest.approx(expected, rel=1e-12)


def test_f1_is_the_harmonic_mean_of_precision_and_recall(sample):
    predictions, labels = sample[0].argmax(1), sample[1]
    for p, r, f in zip(
        precision_per_class(predictions, labels, 6 + 1),
        recall_per_class(predictions, labels, 6 + 1),
        f1_per_class(predictions, labels, 6 + 1),
        strict=True,
    ):
        assert f == pytest.approx(0 if p + r == 0 else 2 * p * r / (p + r))


def test_a_class_that_neither_occurs_nor_is_predicted_scores_0():
    assert f1_per_class([0, 1, 1], [0, 1, 0], 3).tolist() == pytest.approx([2 / 3, 2 / 3, 0])
