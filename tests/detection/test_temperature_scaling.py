"""The temperature against SciPy's minimiser, and on logits whose calibration is known."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from gradlab.data.guard import TEST_MARK
from gradlab.detection import temperature_scaling
from gradlab.metrics import accuracy, calibration_error
from gradlab.types import UserError


def drawn(count=4000, classes=5, scale=1.0, seed=0):
    """Logits whose softmax is the distribution that the labels are drawn from, times `scale`."""
    stream = np.random.default_rng(seed)
    logits = stream.normal(size=(count, classes)) * 2
    labels = (logits + stream.gumbel(size=logits.shape)).argmax(1)  # a draw from the softmax
    return logits * scale, labels


@pytest.mark.parametrize("scale", [0.3, 1.0, 4.0])
def test_it_is_the_minimum_of_the_cross_entropy(scale):
    logits, labels = drawn(scale=scale)

    def loss(temperature):
        return -log_softmax(logits / temperature, axis=1)[np.arange(len(labels)), labels].mean()

    found = temperature_scaling(logits, labels)
    assert found == pytest.approx(minimize_scalar(loss, bounds=(0.05, 50), method="bounded").x, rel=1e-3)
    assert found == pytest.approx(scale, rel=0.1)  # the logits were made so


def test_it_mends_the_calibration_and_leaves_the_predictions():
    logits, labels = drawn(scale=4.0)
    scaled = logits / temperature_scaling(logits, labels)
    assert calibration_error(scaled, labels) < 0.03 < 0.1 < calibration_error(logits, labels)
    assert accuracy(scaled.argmax(1), labels) == accuracy(logits.argmax(1), labels)


def test_where_all_are_right_surer_is_better_and_where_all_are_wrong_less_sure():
    assert temperature_scaling([[3.0, 0.0], [0.0, 3.0]], [0, 1]) == pytest.approx(0.01)
    assert temperature_scaling([[3.0, 0.0], [0.0, 3.0]], [1, 0]) == pytest.approx(100)


def test_test_images_and_labels_that_do_not_fit_are_refused():
    logits, labels = drawn(20)
    marked = torch.tensor(logits)
    setattr(marked, TEST_MARK, "digits")
    with pytest.raises(UserError, match="got the test split of 'digits'"):
        temperature_scaling(marked, labels)
    for wrong in (labels[:-1], labels + 5, labels - 1, labels * 0.5):
        with pytest.raises(UserError, match="20 logits need as many labels"):
            temperature_scaling(logits, wrong)
