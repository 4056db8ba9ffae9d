import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss

from gradlab.metrics import cross_entropy


def test_the_loss_is_that_of_torch_and_sklearn(sample):
    logits, labels = sample
    ours = cross_entropy(logits, labels)
    assert ours == pytest.approx(
        torch.nn.functional.cross_entropy(torch.tensor(logits), torch.tensor(labels)).item(), rel=1e-12
    )
    probabilities = torch.tensor(logits).softmax(1).numpy()
    assert ours == pytest.approx(log_loss(labels, probabilities, labels=range(7)), rel=1e-12)


@pytest.mark.parametrize("classes", [2, 10, 1000])
def test_equal_logits_lose_log_k(classes):
    assert cross_entropy(np.zeros((3, classes)), [0, 1, 1]) == pytest.approx(math.log(classes))


@given(st.floats(-1e4, 1e4))
def test_a_constant_added_to_the_logits_changes_nothing(shift):
    logits = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, 1.0]])
    assert cross_entropy(logits + shift, [0, 2]) == pytest.approx(cross_entropy(logits, [0, 2]), abs=1e-9)


def test_huge_logits_do_not_overflow():
    assert cross_entropy([[1e4, 0.0]], [1]) == 1e4
    assert cross_entropy([[1e4, 0.0]], [0]) == 0
