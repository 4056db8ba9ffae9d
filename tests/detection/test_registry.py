"""The battery that every detector passes, and each score against its definition."""

import subprocess
import sys
from typing import Annotated

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, TypeAdapter
from scipy.special import logsumexp

from gradlab.detection import DETECTORS, Detector, MaxLogit, MaxSoftmax, max_logit, max_softmax
from gradlab.types import UserError


def logits(count=50, classes=6, seed=0):
    return np.random.default_rng(seed).normal(size=(count, classes)) * 4


def test_two_detectors_are_found():
    assert {"max-softmax": MaxSoftmax, "max-logit": MaxLogit} == DETECTORS


def test_scores_need_no_torch():
    code = "import sys, gradlab.detection as d; d.max_logit([[1., 0.]]); print('torch' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["False"]


@pytest.mark.parametrize("kind", DETECTORS)
class TestEveryDetector:
    def test_is_read_from_its_fields(self, kind):
        adapter = TypeAdapter(Annotated[Detector, Field(discriminator="kind")])
        config = DETECTORS[kind]()
        assert (config.kind, config.needs) == (kind, "logits")
        assert adapter.validate_json(adapter.dump_json(config)) == config
        assert "needs" not in adapter.dump_python(config)

    def test_is_larger_where_the_network_is_less_sure(self, kind):
        score = DETECTORS[kind]().score([[9.0, 0, 0], [3.0, 0, 0], [1.0, 0, 0], [0.1, 0, 0]])
        assert (np.diff(score) > 0).all()

    def test_does_not_depend_on_the_order_of_classes_or_on_the_batch(self, kind):
        score, values = DETECTORS[kind]().score, logits()
        np.testing.assert_allclose(score(values[:, ::-1]), score(values), rtol=1e-12)
        assert score(values[7:8])[0] == score(values)[7]

    def test_is_the_same_for_lists_arrays_and_tensors_and_leaves_them(self, kind):
        score, values = DETECTORS[kind]().score, logits()
        kept = values.copy()
        expected = score(values)
        assert expected.shape == (50,)
        assert expected.dtype == np.float64
        assert (score(values.tolist()) == expected).all()
        assert (score(torch.tensor(values, requires_grad=True)) == expected).all()
        half = torch.tensor(values).bfloat16()
        assert (score(half) == score(half.double())).all()
        assert (values == kept).all()

    def test_scores_no_images_as_none(self, kind):
        assert DETECTORS[kind]().score(np.zeros((0, 3))).shape == (0,)

    @pytest.mark.parametrize(
        ("values", "sentence"),
        [
            ([1.0, 2.0], r"shape \(N, K\) with K ≥ 2, got shape \(2,\)"),
            ([[1.0]], r"got shape \(1, 1\)"),
            ([["a", "b"]], "must be numbers"),
            ([[1.0, np.nan]], "must be finite"),
            ([[1.0, np.inf]], "must be finite"),
        ],
    )
    def test_refuses_what_is_no_logits(self, kind, values, sentence):
        with pytest.raises(UserError, match=sentence):
            DETECTORS[kind]().score(values)


@given(temperature=st.floats(0.1, 1000), seed=st.integers(0, 1000))
def test_max_softmax_is_one_minus_the_largest_probability(temperature, seed):
    values = logits(seed=seed)
    scaled = values / temperature
    probabilities = np.exp(scaled - logsumexp(scaled, axis=1, keepdims=True))
    np.testing.assert_allclose(
        max_softmax(values, temperature), 1 - probabilities.max(1), rtol=1e-9, atol=1e-14
    )
    shift = np.random.default_rng(seed).normal(size=(50, 1))
    np.testing.assert_allclose(
        max_softmax(values + shift, temperature), max_softmax(values, temperature), rtol=1e-9
    )


def test_very_sure_images_do_not_tie():
    """1 - p rounds to 0 from a margin of 37 on; the sum over the other classes does not."""
    score = max_softmax([[40.0, 0.0], [60.0, 0.0], [800.0, 0.0], [1e4, 0.0]], 1)
    assert score[0] == pytest.approx(np.exp(-40), rel=1e-12)
    assert score[0] > score[1] > score[2] == score[3] == 0


def test_equal_logits_are_the_worst_and_equal_classes_count_once():
    assert max_softmax(np.zeros((1, 4)), 1)[0] == pytest.approx(3 / 4)
    assert max_softmax([[2.0, 2.0]], 1)[0] == pytest.approx(1 / 2)


def test_max_logit_is_minus_the_largest_and_knows_the_scale():
    values = logits()
    assert (max_logit(values) == -values.max(1)).all()
    assert (max_logit(values + 3) == -(values + 3).max(1)).all()


@pytest.mark.parametrize("temperature", [0, -1, float("nan"), float("inf")])
def test_a_temperature_that_is_none_is_refused(temperature):
    with pytest.raises(UserError, match=r"positive number, got .*; 1 is the plain softmax"):
        max_softmax(logits(), temperature)
    with pytest.raises(UserError, match="temperature"):
        MaxSoftmax(temperature=temperature)
