"""The battery that every registered score passes."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from gradlab import metrics
from gradlab.metrics import METRICS, evaluate
from gradlab.types import UserError

NAMES = list(METRICS)


def test_there_are_eleven_scores():
    assert len(NAMES) == 11


def test_public_names_are_functions_and_classes_and_no_module_hides_one():
    assert all(not hasattr(getattr(metrics, name), "__path__") for name in metrics.__all__)
    assert callable(metrics.accuracy)
    assert callable(metrics.f1)


def test_scores_need_no_torch_and_no_scipy():
    code = "import sys, gradlab.metrics as m; m.evaluate([[1., 0.]], [0]); print('torch' in sys.modules, 'scipy' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("name", NAMES)
class TestEveryScore:
    def test_lies_in_the_range_of_its_unit(self, name, sample):
        high = {"fraction": 1, "squared probability": 2, "nats": np.inf}[METRICS[name].unit]
        assert 0 <= METRICS[name](*sample) <= high

    def test_is_best_for_perfect_predictions_and_worse_for_wrong_ones(self, name):
        labels = np.arange(30) % 10
        perfect = 100 * np.eye(10)[labels]
        wrong = 100 * np.eye(10)[(labels + 1) % 10] - 50 * np.eye(10)[labels]
        best, worse = METRICS[name](perfect, labels), METRICS[name](wrong, labels)
        if METRICS[name].better == "higher":
            assert best == pytest.approx(1)
            assert worse < best
        else:
            assert best == pytest.approx(0, abs=1e-12)
            assert worse > best

    def test_does_not_depend_on_the_order_of_the_samples(self, name, sample):
        logits, labels = sample
        order = np.random.default_rng(3).permutation(len(labels))
        assert METRICS[name](logits[order], labels[order]) == pytest.approx(
            METRICS[name](logits, labels), rel=1e-12
        )

    def test_does_not_depend_on_a_constant_added_to_a_samples_logits(self, name, sample):
        logits, labels = sample
        shift = np.random.default_rng(3).normal(size=(len(labels), 1))
        assert METRICS[name](logits + shift, labels) == pytest.approx(METRICS[name](logits, labels), rel=1e-9)

    def test_is_the_same_for_lists_arrays_and_tensors(self, name, sample):
        logits, labels = sample
        expected = METRICS[name](logits, labels)
        assert METRICS[name](logits.tolist(), labels.tolist()) == expected
        assert METRICS[name](torch.tensor(logits, requires_grad=True), torch.tensor(labels)) == expected

    def test_takes_half_precision(self, name, sample):
        logits, labels = torch.tensor(sample[0]).bfloat16(), sample[1]
        assert METRICS[name](logits, labels) == METRICS[name](logits.double(), labels)

    def test_leaves_its_inputs_as_they_were(self, name, sample):
        logits, labels = sample
        before = logits.copy(), labels.copy()
        METRICS[name](logits, labels)
        assert (logits == before[0]).all()
        assert (labels == before[1]).all()

    def test_does_not_change_when_every_sample_is_there_twice(self, name, sample):
        logits, labels = sample
        twice = METRICS[name](np.repeat(logits, 2, axis=0), np.repeat(labels, 2))
        assert twice == pytest.approx(METRICS[name](logits, labels), rel=1e-9)

    @pytest.mark.parametrize(
        ("logits", "labels", "sentence"),
        [
            (
                [[1.0, np.nan]],
                [0],
                "logits must be finite, got NaN or infinity; the model that made them has diverged",
            ),
            ([[1.0, 2.0]], [2], "labels must lie below the 2 columns of the logits, got 2"),
            ([[1.0, 2.0]], [0, 1], r"shape \(2, K\), one row per label, got shape \(1, 2\)"),
            ([1.0, 2.0], [0, 1], r"got shape \(2,\)"),
            ([["a", "b"]], [0], "logits must be numbers"),
            ([[1.0, 2.0]], [-1], "labels must be class numbers from 0, got -1"),
            ([[1.0, 2.0]], [0.5], r"labels must be class numbers of shape \(N,\)"),
            ([[1.0, 2.0]], [[0]], r"got shape \(1, 1\)"),
            (np.zeros((0, 2)), np.zeros(0, dtype=int), r"with N ≥ 1"),
        ],
    )
    def test_refuses_what_it_cannot_score_in_one_sentence(self, name, logits, labels, sentence):
        with pytest.raises(UserError, match=sentence):
            METRICS[name](logits, labels)


def test_evaluate_gives_every_score(sample):
    found = evaluate(*sample)
    assert list(found) == NAMES
    assert all(found[name] == METRICS[name](*sample) for name in NAMES)
    assert all(type(value) is float for value in found.values())


def test_predictions_and_labels_must_be_equally_many():
    with pytest.raises(UserError, match="the same length, got 2 and 3"):
        metrics.accuracy([0, 1], [0, 1, 1])
