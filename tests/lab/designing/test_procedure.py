import json

import pytest

from gradlab.lab import Pick
from gradlab.lab.designing.procedure import (
    dump_procedure,
    inputs_of,
    names_of,
    read_procedure,
    roles,
    walk,
)
from tests.lab.toy import TOOLBOX, Constant, Draw, Sum

LOW, HIGH = Draw(mean=-1.0), Draw(data="other")
PICK = Pick(among=(LOW, HIGH), by="distance")
DEEP = Sum(of=(PICK, Sum(of=(LOW, Constant(name="c", digest="0f")), factor=3.0)))


@pytest.mark.parametrize("procedure", [LOW, PICK, DEEP], ids=lambda one: one.kind)
def test_a_procedure_with_all_its_inputs_survives_its_json(procedure):
    text = json.dumps(dump_procedure(procedure))
    again = read_procedure(json.loads(text), TOOLBOX.kinds)
    assert again == procedure
    assert hash(again) == hash(procedure)
    assert json.dumps(dump_procedure(again)) == text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (
            {"kind": "nonsense"},
            "there is no kind of procedure called 'nonsense'; known are draw, sum, constant",
        ),
        ({}, "called None"),
        ([], r"called \[\]"),
        ({"kind": "sum", "of": [{"kind": "nonsense"}]}, "called 'nonsense'"),
    ],
)
def test_an_unknown_kind_is_one_sentence_at_any_depth(data, text):
    with pytest.raises(ValueError, match=text):
        read_procedure(data, TOOLBOX.kinds)


@pytest.mark.parametrize(
    "data", [{"kind": "draw", "colour": 3}, {"kind": "draw", "count": 0}, {"kind": "sum"}]
)
def test_an_unknown_field_a_wrong_value_and_a_missing_one_are_errors(data):
    with pytest.raises(ValueError, match=r"colour|count|of"):
        read_procedure(data, TOOLBOX.kinds)


def test_an_input_is_a_procedure():
    with pytest.raises(ValueError, match=r"an input is a procedure, such as Train\(...\), got str"):
        Sum(of=("low",))


def test_fields_are_told_apart_by_their_role():
    assert roles(Draw) == {"data": "data"}
    assert roles(Sum) == {"of": "input"}
    assert list(inputs_of(DEEP)) == [("of.0", PICK), ("of.1", DEEP.of[1])]
    assert names_of(HIGH) == ["other"]
    assert names_of(DEEP) == []


def test_walking_meets_everything_that_a_procedure_rests_on():
    assert list(walk(DEEP)) == [DEEP, PICK, LOW, HIGH, DEEP.of[1], LOW, DEEP.of[1].of[1]]
