"""Scores of logits, each against its definition computed another way."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp, softmax
from scipy.stats import entropy as scipy_entropy

from gradlab.detection import (
    GEN,
    Energy,
    MaxSoftmax,
    energy,
    entropy,
    generalised_entropy,
    grad_norm,
    margin,
    max_logit,
    max_softmax,
)
from gradlab.types import UserError
from tests.detection.examples import head, labelled, logits


@settings(max_examples=30)
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
    sure = [[40.0, 0.0], [60.0, 0.0], [800.0, 0.0], [1e4, 0.0]]
    score = max_softmax(sure, 1)
    assert score[0] == pytest.approx(np.exp(-40), rel=1e-12)
    assert score[0] > score[1] > score[2] == score[3] == 0
    for other in (entropy, margin, lambda values: generalised_entropy(values, 0.1, 2)):
        assert other(sure)[0] > other(sure)[1] > other(sure)[2] == 0


def test_equal_logits_are_the_worst_and_equal_classes_count_once():
    assert max_softmax(np.zeros((1, 4)), 1)[0] == pytest.approx(3 / 4)
    assert max_softmax([[2.0, 2.0]], 1)[0] == pytest.approx(1 / 2)
    assert margin([[2.0, 2.0, 0.0]])[0] == pytest.approx(1)
    assert entropy(np.zeros((1, 7)))[0] == pytest.approx(np.log(7))


def test_max_logit_is_minus_the_largest_and_knows_the_scale():
    values = logits()
    assert (max_logit(values) == -values.max(1)).all()
    assert (max_logit(values + 3) == -(values + 3).max(1)).all()


@pytest.mark.parametrize("temperature", [0.5, 1.0, 20.0])
def test_energy_is_minus_log_sum_exp_and_falls_by_what_is_added(temperature):
    values = logits()
    np.testing.assert_allclose(
        energy(values, temperature), -temperature * logsumexp(values / temperature, axis=1), rtol=1e-12
    )
    np.testing.assert_allclose(energy(values + 3, temperature), energy(values, temperature) - 3, rtol=1e-9)
    assert energy([[1e4, 0.0]])[0] == -1e4
    assert (Energy(temperature=temperature).score(values) == energy(values, temperature)).all()


def test_entropy_and_margin_are_those_of_the_probabilities():
    values = logits()
    probabilities = softmax(values, axis=1)
    np.testing.assert_allclose(entropy(values), scipy_entropy(probabilities, axis=1), rtol=1e-8, atol=1e-12)
    ordered = np.sort(probabilities, axis=1)
    np.testing.assert_allclose(margin(values), 1 - (ordered[:, -1] - ordered[:, -2]), rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize(("gamma", "top"), [(0.1, 100), (0.1, 3), (0.5, 1), (0.9, 6)])
def test_generalised_entropy_sums_over_the_largest_probabilities(gamma, top):
    values = logits()
    by_hand = [
        sum(p**gamma * (1 - p) ** gamma for p in sorted(row, reverse=True)[:top])
        for row in softmax(values, axis=1)
    ]
    np.testing.assert_allclose(generalised_entropy(values, gamma, top), by_hand, rtol=1e-6)
    assert (GEN(gamma=gamma, top=top).score(values) == generalised_entropy(values, gamma, top)).all()


def test_generalised_entropy_sees_small_probabilities_that_the_entropy_hardly_sees():
    spread = np.log([[0.99, *[0.01 / 99] * 99]])
    narrow = np.log([[0.985, 0.015, *[1e-12] * 98]])
    assert generalised_entropy(spread, 0.1, 100)[0] > generalised_entropy(narrow, 0.1, 100)[0] * 3


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_grad_norm_is_the_norm_of_the_gradient_that_autograd_finds(temperature):
    features, _ = labelled(12)
    weights = torch.tensor(head().weight, requires_grad=True)
    bias = torch.tensor(head().bias)
    norms = []
    for row in torch.tensor(features):
        found = torch.log_softmax((weights @ row + bias) / temperature, 0)
        (gradient,) = torch.autograd.grad(
            -found.mean(), weights
        )  # cross-entropy with the uniform distribution
        norms.append(float(gradient.abs().sum()))
    made = grad_norm(head().logits(features), features, temperature)
    np.testing.assert_allclose(made, -np.array(norms), rtol=1e-9)


def test_grad_norm_needs_logits_and_features_of_the_same_images():
    with pytest.raises(UserError, match="same images, got 50 and 12"):
        grad_norm(logits(50, 3), labelled(12)[0])


@pytest.mark.parametrize("temperature", [0, -1, float("nan"), float("inf")])
def test_a_temperature_that_is_none_is_refused(temperature):
    for function in (max_softmax, energy):
        with pytest.raises(UserError, match=r"positive number, got .*; 1 is the plain softmax"):
            function(logits(), temperature)
    with pytest.raises(UserError, match="temperature"):
        MaxSoftmax(temperature=temperature)


@pytest.mark.parametrize(("gamma", "top"), [(0.0, 3), (1.0, 3), (0.1, 0), (0.1, 1.5)])
def test_settings_of_the_generalised_entropy_that_are_none_are_refused(gamma, top):
    with pytest.raises(UserError, match=r"gamma must lie in \(0, 1\)"):
        generalised_entropy(logits(), gamma, top)
