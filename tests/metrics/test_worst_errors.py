import numpy as np
import pytest

from gradlab.metrics import worst_errors
from gradlab.types import UserError


def test_it_is_the_sorted_list_of_errors(sample):
    logits, labels = sample
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    errors = [(p.max(), i) for i, p in enumerate(probabilities) if p.argmax() != labels[i]]
    expected = sorted(errors, reverse=True)[:10]
    found = worst_errors(logits, labels, 10)
    assert found.indices.tolist() == [i for _, i in expected]
    assert found.confidences == pytest.approx([p for p, _ in expected])
    assert found.labels.tolist() == labels[found.indices].tolist()
    assert found.predictions.tolist() == logits[found.indices].argmax(1).tolist()
    assert (found.predictions != found.labels).all()


def test_fewer_errors_than_asked_for_are_all_there_are():
    found = worst_errors([[2.0, 0.0], [0.0, 1.0]], [0, 0], 5)
    assert found.indices.tolist() == [1]
    assert len(worst_errors([[2.0, 0.0]], [0], 5).indices) == 0


def test_equal_confidences_keep_the_order_of_the_samples():
    assert worst_errors(np.tile([1.0, 0.0], (4, 1)), [1, 0, 1, 1], 3).indices.tolist() == [0, 2, 3]


def test_k_below_1_is_refused():
    with pytest.raises(UserError, match="k must be at least 1"):
        worst_errors([[1.0, 0.0]], [1], 0)
