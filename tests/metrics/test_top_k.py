import numpy as np
import pytest
from sklearn.metrics import top_k_accuracy_score

from gradlab.metrics import accuracy, top_k
from gradlab.types import UserError


@pytest.mark.parametrize("k", [1, 2, 3, 5, 6])
def test_without_ties_it_is_that_of_sklearn(sample, k):
    logits, labels = sample
    assert top_k(logits, labels, k) == top_k_accuracy_score(labels, logits, k=k, labels=range(7))


def test_ties_are_ranked_by_class_number_as_argmax_does():
    logits = np.zeros((3, 3))
    assert [top_k(logits, [0, 1, 2], k) for k in (1, 2, 3)] == pytest.approx([1 / 3, 2 / 3, 1])
    rng = np.random.default_rng(1)
    coarse, labels = rng.integers(0, 3, (100, 4)), rng.integers(0, 4, 100)
    assert top_k(coarse, labels, 1) == accuracy(coarse.argmax(1), labels)


def test_it_grows_with_k_up_to_1(sample):
    values = [top_k(*sample, k) for k in range(1, 10)]
    assert values == sorted(values)
    assert values[6:] == [1, 1, 1]


def test_k_below_1_is_refused(sample):
    with pytest.raises(UserError, match="k must be at least 1, got 0"):
        top_k(*sample, 0)
