"""Sentences about numbers that mean less than they seem to, and that nothing is said where nothing is wrong."""

from gradlab.detection.flags import (
    accuracy_flags,
    chance_flags,
    noise_flags,
    normalisation_flags,
    overlap_flags,
)
from gradlab.models import CNN
from gradlab.models.wrap import wrap


def test_an_accuracy_halfway_between_chance_and_perfect_is_enough():
    assert accuracy_flags(0.55, 10) == accuracy_flags(0.75, 2) == []
    assert "is 54 %" in accuracy_flags(0.54, 10)[0]


def test_chance_itself_is_not_worse_than_chance():
    assert chance_flags({("a", "b"): 0.5}) == []


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
