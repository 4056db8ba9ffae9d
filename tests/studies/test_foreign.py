"""Foreign sets for data of several kinds: of another source, of the network's shape, without classes that mean the same."""

import pytest

from gradlab.data import DATASETS, parse
from gradlab.detection import overlapping_classes
from gradlab.detection.sources import refuse_shared_source
from gradlab.studies import Setup
from gradlab.studies._foreign import NEAR, NOISE, foreign, in_distribution, tuned_on
from gradlab.types import UserError

DIGITS = Setup(preset="quick", data="digits", train_images=1293, class_count=10, image_size=8, channels=1)
CIFAR = Setup(
    preset="standard", data="cifar10", train_images=45_000, class_count=10, image_size=32, channels=3
)


def test_two_classes_are_left_out_of_data_without_a_near_set():
    assert in_distribution(DIGITS) == "digits[0-7]"
    assert foreign(DIGITS) == {
        "digits[8,9]": NEAR,
        "photos@8:grey": "photographs",
        "gaussian-noise@8:grey": NOISE,
    }
    assert tuned_on(DIGITS) is None
    with pytest.raises(UserError, match="at least four, got 3"):
        in_distribution(Setup(preset="quick", data="x", train_images=9, class_count=3))


def test_foreign_classes_of_cifar10_that_mean_the_same_are_left_out():
    assert in_distribution(CIFAR) == "cifar10"
    known = DATASETS["cifar10"].class_names
    for name in (next(iter(foreign(CIFAR))), tuned_on(CIFAR)):
        base, derived = parse(name)
        names = DATASETS[base].class_names
        kept = {
            names[number]
            for part in derived.classes
            for number in range(int(part.split("-")[0]), int(part.split("-")[-1]) + 1)
        }
        assert kept == set(names) - set(overlapping_classes(known, names))
        assert derived.size == (32, 32)
    refuse_shared_source(tuned_on(CIFAR), foreign(CIFAR))
    assert list(foreign(CIFAR).values()) == ["CIFAR-100", "MNIST", "textures", NOISE]
