"""A claim on a number that a run does not have is open, and costs the others nothing."""

import json
import math

import pytest

from gradlab.lab.judging.evaluate import evaluate
from gradlab.procedures import PROCEDURES
from tests.lab.fakes import arm, claim, context, design, fake_run, looked, opened, part

SEEDS = (0, 1, 2)
RUNS = {
    "good": [fake_run(0.9, seed) for seed in SEEDS],
    "bad": [fake_run(0.5, seed, **({"best_epoch": math.nan} if seed == 1 else {})) for seed in SEEDS],
}


@pytest.fixture(scope="module")
def found():
    """Claims of a study in which one run of "bad" has no best epoch."""
    sure, lacking = (
        part("good", "bad", label="accuracy"),
        part("good", "bad", measure="best epoch", label="epochs"),
    )
    worse = part("bad", "good", label="worse")
    claims = (
        claim("known", sure),
        claim("lacks", lacking, says={"open": "It is open: {bad: best epoch}."}),
        claim("both", sure, lacking, says={"open": "Open in {undecided}."}),
        claim("refuted", worse, lacking, says={"refuted": "Not {fails}."}),
    )  # fmt: skip
    made, asked = design((arm("good"), arm("bad")), *claims), context(SEEDS)
    result = evaluate(made, opened(made, RUNS, asked), looked(made, asked), PROCEDURES)
    return json.loads(json.dumps(result, allow_nan=False))


def test_the_claim_is_open_and_says_which_run_lacks_what(found):
    claims = {one["id"]: one for one in found["claims"]}
    assert {name: one["verdict"] for name, one in claims.items()} == {
        "known": "supported",
        "lacks": "open",
        "both": "open",
        "refuted": "refuted",
    }
    lacks = claims["lacks"]
    assert lacks["estimate"] is None
    assert lacks["interval"] == [None, None]
    assert lacks["parts"][0]["differences"] == []
    assert "the bad: no best epoch at seed 1" in lacks["flags"]
    parts = {one["label"]: one["verdict"] for one in claims["both"]["parts"]}
    assert parts == {"accuracy": "supported", "epochs": "open"}


def test_the_answer_names_what_is_open_and_what_fails(found):
    assert found["answer"] == "It is open: nothing known. Open in epochs. Not worse."
