"""Sentences about numbers that mean less than they seem to, and that nothing is said where nothing is wrong."""

import numpy as np
import pytest

from gradlab.detection.flags import (
    accuracy_flags,
    chance_flags,
    constant_flags,
    noise_flags,
    normalisation_flags,
    output_flags,
    overlap_flags,
)
from gradlab.models import CNN
from gradlab.models.wrap import wrap


def test_an_accuracy_halfway_between_chance_and_perfect_is_enough():
    assert accuracy_flags(0.55, 10) == accuracy_flags(0.75, 2) == []
    assert "is 54 %" in accuracy_flags(0.54, 10)[0]


def test_only_what_is_surely_worse_than_chance_is_named():
    assert chance_flags({("a", "b"): (0.5, None), ("c", "b"): (0.4, 0.5)}) == []
    assert "a on b is worse than chance (AUROC 40 %)" in chance_flags({("a", "b"): (0.4, 0.49)})[0]
    assert chance_flags({("a", "b"): (0.4, None)})  # as far as anything is known


def test_noise_of_either_kind_alone_is_named():
    assert noise_flags(["noise@32", "gaussian-noise"])
    assert noise_flags(["noise@32", "mnist@32:rgb"]) == []


def test_overlap_is_said_of_classes_alone_that_overlap():
    assert overlap_flags("x", ("cat",), ("dog", "apple")) == []
    assert "pickup_truck (truck)" in overlap_flags("x", ("truck",), ("pickup_truck", "apple"))[0]


def test_a_normalisation_is_compared_with_the_training_images():
    network = CNN(widths=(4,)).build((3, 8, 8), 2, seed=0, mean=(0.49, 0.48, 0.45), std=(0.25, 0.24, 0.26))
    assert normalisation_flags(network, (0.49, 0.48, 0.45), (0.25, 0.24, 0.26)) == []
    assert normalisation_flags(network, (0.47, 0.48, 0.45), (0.25, 0.26, 0.26)) == []
    assert "(0.60, 0.48, 0.45)" in normalisation_flags(network, (0.6, 0.48, 0.45), (0.25, 0.24, 0.26))[0]
    assert normalisation_flags(network, (0.49, 0.48, 0.45), (0.25, 0.24, 0.4))
    assert (
        normalisation_flags(wrap(network, (0.5,), (0.5,)), (0.5,) * 3, (0.25,) * 3) == []
    )  # one number for all
    assert normalisation_flags(network, (), ()) == []


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_probabilities_and_their_logarithms_are_told_from_logits(dtype):
    logits = np.random.default_rng(0).normal(0, 3, (50, 10))
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    assert output_flags(logits.astype(dtype)) == []
    assert output_flags(np.abs(logits).astype(dtype)) == output_flags(-np.abs(logits).astype(dtype)) == []
    assert "returns probabilities" in output_flags(probabilities.astype(dtype))[0]
    assert "returns log-probabilities" in output_flags(np.log(probabilities).astype(dtype))[0]
    assert output_flags(np.full((3, 2), np.nan)) == []


def test_a_detector_that_tells_nothing_is_named_and_one_that_is_constant_on_one_set_is_not():
    zeros, ones = np.zeros(3), np.ones(2)
    assert constant_flags({"a": [zeros, ones], "b": [zeros, zeros]}) == [
        "b gives every image the same score: it tells nothing about this network"
    ]
