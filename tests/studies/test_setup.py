import json
from dataclasses import asdict

import pytest

from gradlab.data import DATASETS
from gradlab.lab import Design
from gradlab.studies import STUDIES, build_design
from gradlab.studies.setup import Setup, beside_of, is_python_only, parameters_of, usual_data
from gradlab.types import UserError
from tests.studies.setups import setup


def build(name, **parameters) -> Design:
    return build_design(STUDIES[name], name, setup(), parameters)


def test_parameters_are_those_after_the_setup():
    assert list(parameters_of(STUDIES["residual-mlp"])) == [
        "setting",
        "depths",
        "width",
        "epochs",
        "learning_rate",
        "batch_size",
        "init",
    ]


def test_small_data_are_those_with_fewer_than_ten_thousand_training_images():
    assert setup(train_images=9_999).is_small
    assert not setup(train_images=10_000).is_small


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"depth": 3}, r"study 'residual-mlp' has no parameter 'depth'; did you mean 'depths'\?"),
        (
            {"depths": (-3,)},
            r"depths=\(-3,\) does not fit study 'residual-mlp': input should be greater than or equal to 1",
        ),
        ({"depths": 3}, "depths=3 does not fit study 'residual-mlp'"),
        ({"depths": "abc"}, "depths='abc' does not fit"),
        ({"setting": "005"}, "setting='005' does not fit study 'residual-mlp': input should be '003'"),
        ({"learning_rate": 0}, "learning_rate=0 does not fit .*: input should be greater than 0"),
        ({"epochs": 2.5}, "epochs=2.5 does not fit"),
        ({"init": "lecun"}, "init='lecun' does not fit"),
        (
            {"setting": "000", "depths": (2,)},
            "setting 000 fixes its nets; depths and width belong to settings 003 and 004",
        ),
        ({"setting": "004", "depths": (3,)}, "its depths are even; got"),
    ],
)
def test_a_parameter_that_does_not_fit_is_one_sentence(given, text):
    with pytest.raises(UserError, match=text) as caught:
        build("residual-mlp", **given)
    assert "\n" not in str(caught.value)


def test_what_a_model_refuses_is_one_sentence():
    with pytest.raises(UserError, match=r"^(depth=0 does not fit study|study) 'compare'"):
        build("compare", depth=0)


def test_numbers_are_read_from_words_as_from_a_command_line():
    assert build("residual-mlp", depths=("2", "8"), epochs="5").parameters["depths"] == [2, 8]


def test_only_marked_parameters_are_for_python_alone():
    from typing import get_type_hints

    hints = get_type_hints(STUDIES["compare"], include_extras=True)
    assert [name for name in parameters_of(STUDIES["compare"]) if is_python_only(hints[name])] == ["models"]


def test_every_study_runs_on_the_data_that_it_takes_where_nothing_is_said():
    found = {name: usual_data(study) for name, study in STUDIES.items()}
    texts = {name for name, data in found.items() if DATASETS[data].holds == "text"}
    assert texts == {name for name in STUDIES if name.startswith("text-")}
    assert len(texts) == 4
    assert {found[name] for name in ("clip-zero-shot", "clip-lora")} == {"coloured-digits"}
    assert list(found.values()).count("digits") == len(STUDIES) - 6
    assert usual_data(lambda: None) == usual_data(lambda setup: setup) == "digits"


def test_a_study_is_told_which_of_the_further_data_that_it_asks_for_are_here(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADLAB_CACHE", str(tmp_path / "cache"))
    for name in ("trec", "sst2", "mnist"):
        (tmp_path / name).mkdir()
    assert beside_of(STUDIES["clip-lora"], tmp_path) == ("sst2", "trec")
    assert beside_of(STUDIES["text-features"], tmp_path) is None
    kept = json.loads(
        json.dumps(asdict(Setup(preset="quick", data="d", train_images=1, class_count=2, beside=("a",))))
    )
    assert Setup(**kept).beside == ("a",)  # as verify --design reads it
