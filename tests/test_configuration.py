"""A configuration's mistake is one sentence that names class, setting, rule and value."""

import dataclasses
import pickle

import pytest

from gradlab.attacks import PGD
from gradlab.detection import MaxLogit
from gradlab.lab import Figure
from gradlab.models import CNN, MLP
from gradlab.procedures import Train
from gradlab.training import Recipe
from gradlab.types import UserError

MISTAKES = {
    "two": (
        lambda: Recipe(epochs=0, learning_rate=-1),
        "Recipe: learning_rate must be greater than 0, got -1; epochs must be at least 1, got 0.",
    ),
    "unknown": (lambda: Recipe(epoch=3), "Recipe: there is no setting 'epoch'; did you mean 'epochs'?"),
    "none": (
        lambda: MaxLogit(x=1),
        "MaxLogit: there is no setting 'x'; it has no settings.",
    ),
    "word": (
        lambda: Recipe(optimizer="sdg"),
        "Recipe: optimizer must be 'sgd', 'adam', 'adamw' or 'muon', got 'sdg'.",
    ),
    "text": (lambda: Recipe(epochs="many"), "Recipe: epochs must be a whole number, got 'many'."),
    "part": (lambda: Recipe(batch_size=2.5), "Recipe: batch_size must be a whole number, got 2.5."),
    "configuration": (
        lambda: Recipe(stopping=3),
        "Recipe: stopping must be a configuration with a kind, got 3.",
    ),
    "nested": (lambda: CNN(widths=(16, 0)), "CNN: widths[1] must be at least 1, got 0."),
    "by position": (lambda: MLP(16), "MLP: settings are given by name, such as width=16."),
    "ours": (
        lambda: PGD(eps=8),
        "PGD: eps must lie in [0, 1] on the pixel scale, got 8. For 8 grey levels write 8/255.",
    ),
    "fraction": (lambda: PGD(eps="a/b"), "PGD: a fraction is written like 8/255, got a/b."),
    "lacking": (lambda: Figure(name="x"), "Figure: title, caption must be given."),
    "misspelt": (
        lambda: Train(dat="digits", model=MLP(), recipe=Recipe()),
        "Train: data must be given; there is no setting 'dat'; did you mean 'data'?",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_sentence(name):
    make, sentence = MISTAKES[name]
    with pytest.raises(UserError) as caught:
        make()
    assert str(caught.value) == sentence
    assert caught.value.__suppress_context__  # nothing else is printed


def test_a_replaced_value_is_checked_alike_and_a_configuration_can_be_sent_elsewhere():
    with pytest.raises(UserError, match="Recipe: epochs must be at least 1, got 0"):
        dataclasses.replace(Recipe(), epochs=0)
    assert pickle.loads(pickle.dumps(PGD(steps=3))) == PGD(steps=3)
