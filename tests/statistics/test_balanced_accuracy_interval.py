import numpy as np
import pytest
from scipy import stats

from gradlab.statistics import balanced_accuracy_interval
from gradlab.types import UserError


def test_it_is_the_mean_of_the_recalls_with_its_variance() -> None:
    labels = np.repeat([0, 1, 2], [50, 30, 20])
    correct = np.concatenate([np.arange(50) < 45, np.arange(30) < 15, np.arange(20) < 20])
    found = balanced_accuracy_interval(correct, labels, level=0.99)
    assert found.estimate == pytest.approx((0.9 + 0.5 + 1) / 3)
    variance = 0.0
    for k, n in ((45, 50), (15, 30), (20, 20)):
        p = (k + 1) / (n + 2)
        variance += p * (1 - p) / n / 9
    half = stats.t.ppf(0.99, 97) * np.sqrt(variance)
    assert (found.low, found.high) == pytest.approx((found.estimate - half, found.estimate + half))


def test_a_commonest_class_of_95_percent_hides_nothing() -> None:
    labels = np.repeat([0, 1], [950, 50])
    always = balanced_accuracy_interval(labels == 0, labels)
    assert (labels == 0).mean() == 0.95
    assert always.estimate == 0.5
    assert not always.has_learned
    assert balanced_accuracy_interval(
        np.r_[np.ones(930), np.zeros(20), np.ones(45), np.zeros(5)], labels
    ).has_learned


@pytest.mark.slow
@pytest.mark.parametrize(("classes", "each"), [(2, 10), (2, 50), (10, 36), (10, 9)])
def test_guessing_is_called_learned_in_about_one_of_a_thousand(classes: int, each: int) -> None:
    labels = np.repeat(np.arange(classes), each)
    rng = np.random.default_rng(0)
    repeats, learned = 4000, 0
    for right in rng.random((repeats, labels.size)) < 1 / classes:
        learned += balanced_accuracy_interval(right, labels).has_learned
    assert learned / repeats <= 0.003 + 3 * np.sqrt(0.003 / repeats)


def test_ends_are_one_sided() -> None:
    labels = np.repeat([0, 1], 100)
    correct = np.tile(np.arange(100) < 80, 2)
    half = stats.norm.ppf(0.999) * np.sqrt(0.16 / 200)
    assert balanced_accuracy_interval(correct, labels).low == pytest.approx(0.8 - half, abs=0.02)


@pytest.mark.parametrize(
    ("correct", "labels", "message"),
    [
        ([1, 0], [0, 1, 1], r"one entry per sample each, correct 0 or 1, got shapes \(2,\) and \(3,\)"),
        ([2, 0], [0, 1], "correct 0 or 1"),
        ([1, 0], [1, 1], "two classes or more, got 1"),
    ],
)
def test_bad_input_is_refused(correct: list[int], labels: list[int], message: str) -> None:
    with pytest.raises(UserError, match=message):
        balanced_accuracy_interval(correct, labels)
