import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix

from gradlab.metrics import confusion, confusion_percent
from gradlab.types import UserError

PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60)


@given(PAIRS)
def test_confusion_is_a_count_of_pairs(pairs):
    predictions, labels = map(list, zip(*pairs, strict=True))
    found = confusion(predictions, labels, 5)
    expected = [[sum(p == column and t == row for p, t in pairs) for column in range(5)] for row in range(5)]
    assert found.tolist() == expected
    assert found.tolist() == confusion_matrix(labels, predictions, labels=range(5)).tolist()


@given(PAIRS)
def test_rows_in_per_cent_are_those_of_sklearn(pairs):
    predictions, labels = map(list, zip(*pairs, strict=True))
    expected = 100 * confusion_matrix(labels, predictions, labels=range(5), normalize="true")
    assert confusion_percent(confusion(predictions, labels, 5)) == pytest.approx(expected)


def test_a_row_without_samples_stays_zero():
    assert confusion_percent([[1, 3], [0, 0]]).tolist() == [[25, 75], [0, 0]]


def test_the_number_of_classes_is_the_highest_plus_one_where_not_given():
    assert confusion([0, 2], [0, 0]).shape == (3, 3)
    assert confusion([0, 2], [0, 0], 5).shape == (5, 5)


def test_true_classes_are_the_rows():
    assert confusion([1], [0], 2).tolist() == [[0, 1], [0, 0]]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: confusion([0, 3], [0, 1], 3), "With 3 classes all class numbers lie below 3, got 3"),
        (lambda: confusion_percent(np.zeros((2, 3))), r"square confusion matrix, got shape \(2, 3\)"),
    ],
)
def test_impossible_matrices_are_refused(call, sentence):
    with pytest.raises(UserError, match=sentence):
        call()
