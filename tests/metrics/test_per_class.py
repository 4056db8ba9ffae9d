import pytest
from sklearn.metrics import precision_recall_fscore_support

from gradlab.metrics import per_class
from gradlab.types import UserError


def test_rows_are_those_of_sklearn(sample):
    predictions, labels = sample[0].argmax(1), sample[1]
    rows = per_class(predictions, labels, list("abcdefg"))
    expected = precision_recall_fscore_support(labels, predictions, labels=range(7), zero_division=0)
    assert [row.name for row in rows] == list("abcdefg")
    for name, column in zip(("precision", "recall", "f1", "samples"), expected, strict=True):
        assert [getattr(row, name) for row in rows] == pytest.approx(list(column))


def test_more_classes_than_names_are_refused():
    with pytest.raises(UserError, match="With 2 classes all class numbers lie below 2, got 2"):
        per_class([0, 2], [0, 1], ["a", "b"])
