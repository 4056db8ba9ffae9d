import numpy as np
import pytest

from gradlab.metrics import calibration_error, calibration_error_samples, f1, f1_samples
from gradlab.types import UserError

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 4, 60)
PREDICTIONS = np.where(RNG.random(60) < 0.7, LABELS, RNG.integers(0, 4, 60))
LOGITS = 2 * RNG.normal(size=(60, 4)) + 2 * np.eye(4)[LABELS]


def expected(value: float, without: list[float]) -> np.ndarray:
    left_out = np.array(without)
    return np.asarray(value - (len(left_out) - 1) * (left_out - left_out.mean()))


def test_f1_leaves_one_out() -> None:
    found = f1_samples(PREDICTIONS, LABELS, 4)
    rest = [f1(np.delete(PREDICTIONS, i), np.delete(LABELS, i), 4) for i in range(60)]
    assert found.value == pytest.approx(f1(PREDICTIONS, LABELS, 4))
    assert found.samples == pytest.approx(expected(found.value, rest))


def test_f1_of_a_class_that_neither_occurs_nor_is_predicted_counts_as_zero() -> None:
    assert f1_samples(PREDICTIONS, LABELS, 6).value == pytest.approx(f1(PREDICTIONS, LABELS, 6))


@pytest.mark.parametrize("bins", [1, 15])
def test_calibration_error_leaves_one_out(bins: int) -> None:
    found = calibration_error_samples(LOGITS, LABELS, bins=bins)
    rest = [
        calibration_error(np.delete(LOGITS, i, axis=0), np.delete(LABELS, i), bins=bins) for i in range(60)
    ]
    assert found.value == pytest.approx(calibration_error(LOGITS, LABELS, bins=bins))
    assert found.samples == pytest.approx(expected(found.value, rest))


def test_one_sample_and_no_bins_are_refused() -> None:
    with pytest.raises(UserError, match="two samples or more"):
        f1_samples([1], [1])
    with pytest.raises(UserError, match="bins must be at least 1"):
        calibration_error_samples(LOGITS, LABELS, bins=0)
