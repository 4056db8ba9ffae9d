import dataclasses

import pytest

from gradlab.augmentation import AUGMENTATION_SETS
from gradlab.studies import STUDIES, build_design
from gradlab.studies._regularisers_arms import REGULARISERS
from gradlab.types import UserError
from tests.studies.setups import setup


def design(preset="standard", data="mnist", **parameters):
    return build_design(STUDIES["regularisers"], "regularisers", setup(preset, data), parameters)


def arms_of(made, size):
    return {arm.name.removesuffix(f"-{size}"): arm for arm in made.arms if arm.name.endswith(f"-{size}")}


@pytest.mark.parametrize("size", ["few", "all"])
def test_each_arm_differs_from_none_in_its_regulariser_alone(size):
    arms = arms_of(design(), size)
    assert set(arms) == set(REGULARISERS)
    none = arms["none"]
    assert (none.procedure.model.norm, none.procedure.model.dropout, none.procedure.recipe.keep) == (
        "none",
        0.0,
        "last",
    )
    for name, arm in arms.items():
        changed = {
            field.name
            for group, base in (
                (arm.procedure.model, none.procedure.model),
                (arm.procedure.recipe, none.procedure.recipe),
            )
            for field in dataclasses.fields(group)
            if getattr(group, field.name) != getattr(base, field.name)
        }
        assert changed == {*REGULARISERS[name].net, *REGULARISERS[name].recipe}
        assert arm.procedure.train_images == none.procedure.train_images


def test_the_small_training_set_is_drawn_for_every_seed_and_the_other_is_whole():
    made = design(few=500)
    assert {arm.procedure.train_images for arm in arms_of(made, "few").values()} == {500}
    assert {arm.procedure.train_images for arm in arms_of(made, "all").values()} == {None}
    assert {arm.factors["images"] for arm in made.arms} == {500, 55_000}


def test_augmentation_is_that_of_lab_002():
    arms = arms_of(design(), "all")
    assert arms["light"].procedure.recipe.augmentation == AUGMENTATION_SETS["light"]
    assert arms["heavy"].procedure.recipe.augmentation == AUGMENTATION_SETS["heavy"]


def test_augmentation_is_claimed_to_beat_every_other_regulariser():
    claims = {claim.id: claim for claim in design().claims}
    others = set(REGULARISERS) - {"light"}
    best = claims["C002-02b"]
    assert {tuple(part.contrast.weights) for part in best.parts} == {
        ("light-all", f"{n}-all") for n in others
    }
    loss = claims["C002-02"]
    assert {part.measure for part in loss.parts} == {"test loss"}
    assert [part.contrast.weights for part in loss.parts] == [
        {"none-all": 1.0, "light-all": -1.0},
        {"dropout-norm-all": 1.0, "light-all": -1.0},
    ]


def test_the_lab_had_another_protocol_and_the_study_says_so():
    assert any("three different nets" in deviation for deviation in design("full").deviations)


def test_a_small_set_as_large_as_the_data_is_refused():
    with pytest.raises(UserError, match="few must be below the 1,293 training images"):
        design(data="digits", few=1_293)


def test_tiny_images_are_neither_blurred_nor_bent():
    made = build_design(STUDIES["regularisers"], "regularisers", setup(data="digits", image_size=8), {})
    kinds = {step.kind for arm in made.arms for step in arm.procedure.recipe.augmentation}
    assert kinds == {"rotation", "shift", "scale", "shear", "perspective", "erasing"}
    assert {"blur", "elastic"} <= {
        step.kind for arm in design().arms for step in arm.procedure.recipe.augmentation
    }
