"""Recipes: what they refuse and how they describe themselves."""

import pytest

from gradlab.training import Cosine, Patience, Recipe, StagnationOverfit


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            {"momentum": 0.9},
            "momentum and nesterov belong to optimizer='sgd' and 'muon', got optimizer='adam'",
        ),
        ({"optimizer": "sgd", "nesterov": True}, "nesterov needs momentum above 0"),
        ({"optimizer": "adan"}, "'sgd', 'adam', 'adamw' or 'muon'"),
        ({"learning_rate": 0}, "greater than 0"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"epochs": 0}, "at least 1"),
        ({"batch_size": 2.5}, "a whole number"),
        ({"label_smoothing": 1.0}, "less than 1"),
        ({"clip_norm": -1}, "greater than 0"),
        ({"ema": 1.0}, "less than 1"),
        ({"epoch": 3}, "epoch"),
        ({"epochs": 2, "sizes": (8, 8, 16)}, "sizes name one size an epoch, got 3 for 2 epochs"),
        ({"schedule": {"kind": "polynomial"}}, "kind"),
    ],
)
def test_wrong_recipes_are_refused_by_name(arguments, words):
    with pytest.raises(ValueError, match=words):
        Recipe(**arguments)


def test_parts_can_be_given_as_plain_dictionaries():
    recipe = Recipe(
        schedule={"kind": "cosine", "floor": "1/10"}, stopping={"kind": "patience", "patience": 3}
    )
    assert recipe == Recipe(schedule=Cosine(floor=0.1), stopping=Patience(patience=3))


def test_describe_says_everything_that_is_not_the_default():
    assert Recipe(learning_rate=1e-4, epochs=21).describe() == (
        "Adam 0.0001, batch 128, 21 epochs, best validation loss kept"
    )
    recipe = Recipe(
        optimizer="sgd",
        learning_rate=0.1,
        momentum=0.9,
        nesterov=True,
        weight_decay=5e-4,
        schedule=Cosine(),
        label_smoothing=0.1,
        clip_norm=1.0,
        ema=0.99,
        stopping=StagnationOverfit(),
        keep="last",
    )
    assert recipe.describe() == (
        "SGD 0.1, Nesterov momentum 0.9, weight decay 0.0005, cosine schedule, batch 128, at most 20 epochs, "
        "stopped by stagnation-overfit, label smoothing 0.1, gradient clipped at 1, weight average 0.99, "
        "last weights kept"
    )
