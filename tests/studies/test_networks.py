"""The networks that studies share: defined once, of two accuracies, with the epochs whose weights are kept."""

import pytest

from gradlab.lab.designing.procedure import walk
from gradlab.studies import STUDIES, Setup, build_design
from gradlab.studies._nets import shared_net, small_cnn
from gradlab.training import RECIPES

CIFAR = Setup(
    preset="standard", data="cifar10", train_images=45_000, class_count=10, image_size=32, channels=3
)
DIGITS = Setup(preset="quick", data="digits", train_images=1_293, class_count=10, image_size=8, channels=1)
JUDGING = (
    "attacks",
    "targeted-attacks",
    "fgsm-budget",
    "ood-detection",
    "odin",
    "where-it-looks",
    "attention-under-attack",
)


def design(setup):
    return build_design(STUDIES["networks"], "networks", setup, {})


def test_the_arms_are_the_networks_that_other_studies_name():
    for setup in (CIFAR, DIGITS):
        made = design(setup)
        long, short = (made.arm(name).procedure for name in ("long", "short"))
        assert (long, short) == (
            shared_net(setup, setup.data),
            shared_net(setup, setup.data, "short"),
        )
        snapshots = [arm.procedure for arm in made.arms if arm.procedure.kind == "snapshot"]
        assert [one.epoch for one in snapshots] == [1, 2, 4]
        assert all(one.net == long for one in snapshots)


def test_on_colour_images_they_are_about_a_megabyte_and_trained_by_the_fast_recipe():
    long, short = (shared_net(CIFAR, "cifar10", length) for length in ("long", "short"))
    size = 4 * long.model.parameter_count((3, 32, 32), 10)
    assert 0.9e6 < size < 1.3e6
    fast = RECIPES["fast"].recipe
    same = [name for name in fast.__dataclass_fields__ if name not in ("epochs", "snapshots")]
    for one in (long, short):
        assert [getattr(one.recipe, name) for name in same] == [getattr(fast, name) for name in same]
        assert one.train_images is None
    assert (long.recipe.epochs, short.recipe.epochs) == (fast.epochs, 2)


def test_on_small_data_they_are_the_small_cnn():
    long, short = (shared_net(DIGITS, "digits", length) for length in ("long", "short"))
    small = small_cnn(DIGITS, "digits")
    assert long.model == short.model == small.model
    assert (long.recipe.epochs, short.recipe.epochs) == (small.recipe.epochs, 1)
    assert long.recipe.keep == "last"


def test_other_epochs_are_those_of_the_long_training_alone():
    brief = shared_net(DIGITS, "digits", epochs=3)
    assert (brief.recipe.epochs, brief.recipe.snapshots) == (3, (1, 2))
    assert shared_net(CIFAR, "cifar10", "short", epochs=3) == shared_net(CIFAR, "cifar10", "short")


@pytest.mark.parametrize("name", JUDGING)
def test_studies_that_judge_a_network_judge_a_shared_one(name):
    made = build_design(STUDIES[name], name, CIFAR, {})
    trained = {one for arm in made.arms for one in walk(arm.procedure) if one.kind == "train"}
    shared = {one for arm in design(CIFAR).arms for one in walk(arm.procedure) if one.kind == "train"}
    own = (
        {made.arm("net weaker CNN").procedure} if name == "ood-detection" else set()
    )  # of full size from the start
    assert {one for one in trained if one.data == "cifar10"} - shared == own
    assert trained & shared


def test_a_short_training_is_set_against_a_stopped_one_only_where_the_rate_falls():
    assert [claim.id for claim in design(CIFAR).claims] == ["networks-longer", "networks-rate"]
    assert [claim.id for claim in design(DIGITS).claims] == ["networks-longer"]
