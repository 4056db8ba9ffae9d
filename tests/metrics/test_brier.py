import numpy as np
import pytest
import torch
from sklearn.metrics import brier_score_loss

from gradlab.metrics import brier


def test_it_is_the_mean_squared_distance_from_one_hot(sample):
    logits, labels = sample
    probabilities = torch.tensor(logits).softmax(1)
    one_hot = torch.nn.functional.one_hot(torch.tensor(labels), 7)
    assert brier(logits, labels) == pytest.approx(
        ((probabilities - one_hot) ** 2).sum(1).mean().item(), rel=1e-12
    )


def test_with_two_classes_it_is_twice_that_of_sklearn():
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(50, 2)), rng.integers(0, 2, 50)
    second = torch.tensor(logits).softmax(1)[:, 1].numpy()
    assert brier(logits, labels) == pytest.approx(2 * brier_score_loss(labels, second), rel=1e-12)


@pytest.mark.parametrize("classes", [2, 5, 10])
def test_equal_logits_score_1_minus_1_over_k_and_sure_ones_0_or_2(classes):
    assert brier(np.zeros((1, classes)), [1]) == pytest.approx(1 - 1 / classes)
    sure = 1000 * np.eye(classes)[:1]
    assert brier(sure, [0]) == 0
    assert brier(sure, [1]) == 2
