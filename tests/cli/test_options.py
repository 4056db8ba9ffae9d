"""Options come from the fields of a configuration, and go back into it."""

import dataclasses
import re
from typing import Annotated, Literal, get_args

import pytest
from cyclopts import Group
from pydantic import Field
from pydantic.dataclasses import dataclass

from gradlab.augmentation import AUGMENTATION_SETS
from gradlab.cli._options import build, field_texts, kinds_of, parameters_of
from gradlab.models import MLP
from gradlab.training import Cosine, Patience, Recipe, StepDecay
from gradlab.types import STRICT, Count, UserError


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Turn:
    """Turn.

    Attributes:
        degrees: how far.
    """

    kind: Literal["turn"] = "turn"
    degrees: Count = 10


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Blur:
    kind: Literal["blur"] = "blur"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Several:
    """A configuration with a list of others.

    Attributes:
        first: one of them. second: many of
            them. third: a number.
    """

    first: Annotated[Turn | Blur, Field(discriminator="kind")] | None = None
    second: tuple[Annotated[Turn | Blur, Field(discriminator="kind")], ...] = ()
    third: Count = 1


def names(config):
    return [one.name for one in parameters_of(config, Group("g"), {})]


@pytest.mark.parametrize("config", [MLP, Recipe])
def test_every_field_is_an_option_and_has_a_help(config):
    found = names(config)
    fields = [field.name for field in dataclasses.fields(config)]
    assert len(fields) >= 12
    assert set(fields) <= set(found)
    assert all(name.partition("__")[0] in fields for name in found)


@pytest.mark.parametrize("config", [MLP, Recipe])
def test_every_option_says_what_it_is_and_what_it_is_without_it(config):
    for one in parameters_of(config, Group("g"), {}):
        told = get_args(one.annotation)[1]
        assert len(told.help) > 10, one.name
        has_default = told.show_default or one.default is False
        assert has_default or re.search(r"; (default|left out:) ", told.help), one.name
        assert not re.search(r"\bNone\b|\bTrue\b|`", told.help), one.name


def test_the_default_of_a_dotted_option_is_told_by_kind_where_kinds_differ():
    told = {one.name: get_args(one.annotation)[1].help for one in parameters_of(Recipe, Group("g"), {})}
    assert told["schedule__floor"].endswith("in [0, 1]; default 0.")
    assert told["schedule__floor"].startswith("of cosine and linear: the last rate")
    assert told["mixing__alpha"].endswith("; default 0.2 of mixup, 1 of cutmix.")
    assert told["mixing__probability"] == "share of the images that are mixed; default 1."
    assert told["stopping__min_delta"].startswith("of patience: a loss is better if it")
    assert "; of stagnation-overfit: a loss hardly moves" in told["stopping__min_delta"]
    assert told["stopping__min_delta"].endswith("; default 0 of patience, 0.001 of stagnation-overfit.")
    assert told["stopping__patience"].endswith("; default 5.")


def test_several_fields_may_be_told_in_one_line():
    assert field_texts(Several) == {"first": "one of them.", "second": "many of them.", "third": "a number."}


def test_a_choice_of_configurations_gets_dotted_options_and_a_list_takes_kinds():
    assert names(Several) == ["first", "first__degrees", "second", "third"]
    hints = {field.name: field.type for field in dataclasses.fields(Several)}
    assert set(hints) == {"first", "second", "third"}
    assert kinds_of(Turn | Blur | None) == ({"turn": Turn, "blur": Blur}, False)
    assert kinds_of(tuple[Turn | Blur, ...]) == ({"turn": Turn, "blur": Blur}, True)


def test_what_was_typed_is_built():
    assert build(
        Several, {"first": "turn", "first__degrees": 3, "second": ("blur", "turn"), "third": None}
    ) == Several(first=Turn(degrees=3), second=(Blur(), Turn()))
    assert build(Recipe, {"schedule": "cosine", "schedule__floor": 0.1, "stopping": "patience"}) == Recipe(
        schedule=Cosine(floor=0.1), stopping=Patience()
    )
    assert build(Recipe, {"schedule": "step", "epochs": None}) == Recipe(schedule=StepDecay())


def test_a_list_takes_kinds_and_named_lists():
    built = build(Recipe, {"augmentation": ("light", "noise")})
    light = AUGMENTATION_SETS["light"]
    assert built.augmentation[:-1] == light
    assert built.augmentation[-1].kind == "noise"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"schedule__floor": 0.1}, "--schedule.floor needs --schedule; give it one of step, cosine, one-cycle, linear."),
        ({"schedule": "cosine", "schedule__every": 2}, "--schedule.every is not of cosine, which takes --schedule.floor."),
        ({"schedule": "cosine", "schedule__floor": 3.0}, "--schedule.floor should be less than or equal to 1, got 3.0."),
        ({"batch_size": 0}, "--batch-size should be greater than or equal to 1, got 0."),
        ({"learning_rate": float("nan")}, "--learning-rate should be"),
        ({"momentum": 0.9}, "momentum and nesterov belong to optimizer='sgd'"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_named_by_its_option(options, sentence):
    with pytest.raises(UserError) as caught:
        build(Recipe, options)
    assert str(caught.value).startswith(sentence)
