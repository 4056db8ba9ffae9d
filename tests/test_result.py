import json

import numpy as np
import pytest

import gradlab
from gradlab.types import UserError
from tests.finished import make_report


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = make_report(tmp_path_factory.mktemp("made"))
    return gradlab.Result(json.loads((folder / "results.json").read_text()), folder)


def test_claims_are_a_frame_with_one_row_each(result):
    claims = result.claims
    assert list(claims["id"]) == ["T-1", "T-2"]
    for row, claim in zip(claims.itertuples(), result.results["claims"], strict=True):
        assert (row.verdict, row.estimate, row.delta) == (claim["verdict"], claim["estimate"], claim["delta"])
        assert [row.low, row.high] == claim["interval"]


def test_claims_print_whole_and_so_does_a_part_of_them(result):
    for claims in (result.claims, result.claims.head(1), result.claims[result.claims.verdict != "x"]):
        lines = str(claims).splitlines()
        assert lines[1::2] == [f"    {statement}" for statement in claims["statement"]]
        assert [line.split(":")[0] for line in lines[::2]] == list(claims["id"])
        assert "…" not in str(claims)
        assert "..." not in str(claims)
        assert all(statement in claims._repr_html_() for statement in claims["statement"])
    assert str(result.claims[["id"]]).splitlines()[1].split() == [
        "0",
        "T-1",
    ]  # other columns as pandas prints them


def test_a_claim_without_an_interval_says_so(result):
    one = dict(result.results["claims"][0], interval=[None, None], estimate=-0.072, unit="fraction")
    claims = gradlab.Result({"claims": [one]}, result.folder).claims
    assert str(claims).splitlines()[0].endswith("−7.2 points, no interval")


def test_tables_are_frames(result):
    table = result.tables["accuracy"]
    assert len(table) == 4
    assert np.allclose(table["test accuracy"], [np.mean(values) for values in table["test accuracy by seed"]])
    assert list(table["depth"]) == [1, 1, 2, 2]


def test_a_record_is_found_by_arm_and_seed(result):
    record = result.record("skip-2", 1)
    assert record.spec["seed"] == 1
    assert record.spec["procedure"]["model"]["residual"]
    table = record.table("predictions")
    assert result.tables["accuracy"]["test accuracy by seed"][3][1] == float(
        (table["prediction"] == table["label"]).mean()
    )


@pytest.mark.parametrize(("arm", "seed"), [("skip-3", 0), ("skip-2", 7)])
def test_a_run_that_is_not_there_is_one_sentence(result, arm, seed):
    with pytest.raises(UserError, match=r"arms are plain-1, skip-1, plain-2, skip-2, seeds \[0, 1, 2\]"):
        result.record(arm, seed)


def test_it_is_shown_as_text_and_as_a_page(result):
    assert str(result) == f"Does it?\n{result.answer}\nReport: {result.report}"
    page = result._repr_html_()
    assert "statement of T-1" in page
    assert "the skip-2" in page
    assert result.report.exists()
