"""The study of epochs and foreign images: one training, whose kept weights are judged alike."""

from dataclasses import replace

import pytest

from gradlab.lab.designing.procedure import walk
from gradlab.studies import STUDIES, build_design
from gradlab.studies._nets import shared_net
from tests.studies.setups import setup


def design(data="cifar10", preset="standard"):
    return build_design(STUDIES["epochs-and-ood"], "epochs-and-ood", setup(preset, data), {})


@pytest.mark.parametrize(("data", "epochs"), [("cifar10", [1, 2, 4, 6]), ("digits", [1, 2, 4, 12])])
def test_all_epochs_are_of_one_training(data, epochs):
    made = design(data)
    trained = {one for arm in made.arms for one in walk(arm.procedure) if one.kind == "train"}
    assert len(trained) == 1
    assert [arm.factors["epoch"] for arm in made.arms if arm.name.startswith("net ")] == epochs


def test_every_epoch_trains_at_the_size_that_is_judged():
    own, shared = (
        design().arm("net 6").procedure,
        shared_net(setup("standard", "cifar10"), "cifar10"),
    )
    assert shared.recipe.sizes
    assert own.recipe.sizes == ()
    assert own == replace(
        shared, recipe=replace(shared.recipe, sizes=(), epochs=6), train_images=own.train_images
    )


def test_where_the_shared_training_sees_one_size_it_is_the_one_that_is_judged():
    assert design("digits").arm("net 12").procedure == shared_net(setup("standard", "digits"), "digits[0-7]")


def test_every_epoch_is_scored_on_the_same_images_by_the_same_detectors():
    scores = {arm.procedure for arm in design().arms if arm.procedure.kind == "score"}
    assert len(scores) == 4
    assert len({(one.out, one.detectors, one.images, one.fit_images) for one in scores}) == 1


def test_claims_set_the_last_epoch_against_the_first_and_the_one_before():
    first, settled = design().claims[:2]
    assert dict(first.parts[0].contrast.weights) == {
        "max-softmax CIFAR-100 6": 1,
        "max-softmax CIFAR-100 1": -1,
    }
    assert dict(settled.parts[0].contrast.weights) == {
        "max-softmax CIFAR-100 6": 1,
        "max-softmax CIFAR-100 4": -1,
    }
    assert settled.parts[0].kind == "same"
