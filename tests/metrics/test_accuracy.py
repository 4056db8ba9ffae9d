import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from gradlab.metrics import accuracy


def test_accuracy_is_that_of_sklearn(sample):
    logits, labels = sample
    predictions = logits.argmax(1)
    assert accuracy(predictions, labels) == accuracy_score(labels, predictions)


@pytest.mark.parametrize(("predictions", "value"), [([0, 1, 2], 1), ([1, 2, 0], 0), ([0, 1, 0], 2 / 3)])
def test_accuracy_counts_equal_pairs(predictions, value):
    assert accuracy(predictions, np.arange(3)) == pytest.approx(value)
