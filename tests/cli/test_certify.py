"""`gradlab certify`: the finding, the exit code, and one sentence for what cannot be judged."""

import json

import pytest

from gradlab.cli import main
from gradlab.models import save
from tests.attacks.broken import small_mlp


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    names = [str(number) for number in range(10)]
    return str(
        save(
            small_mlp(),
            tmp_path_factory.mktemp("model") / "digits",
            class_names=names,
            facts={"data": "digits"},
        )
    )


def test_a_finding_is_printed_with_its_budget_and_the_code_says_whether_it_is_valid(model, capsys):
    assert main(["certify", model, "--eps", "16/255", "--quick", "--images", "40", "--device", "cpu"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("digits on digits: valid: robust accuracy at most")
    assert "L-infinity changes of 16/255" in told
    assert "Budget: 40 images" in told


def test_everything_is_there_as_json(model, capsys):
    words = [
        "certify",
        model,
        "--eps",
        "0.1",
        "--quick",
        "--images",
        "20",
        "--minutes",
        "0",
        "--json",
        "--device",
        "cpu",
    ]
    code = main(words)
    found = json.loads(capsys.readouterr().out)
    assert (found["finding"] == "valid") == (code == 0)
    assert found["images"] == 20
    assert found["skipped"]["other radii"] == "the 0 minutes were over."
    assert found["eps"] == 0.1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--eps", "8"], "For 8 grey levels write 8/255"),
        (["--eps", "0"], "a radius above 0"),
        (["--eps", "1/255", "--data", "photos"], "photos"),
    ],
)
def test_what_cannot_be_judged_is_one_sentence(model, capsys, words, sentence):
    assert main(["certify", model, *words]) == 1
    told = capsys.readouterr().err
    assert sentence in told
    assert len(told.strip().splitlines()) == 1
