"""Choosing among arms by the validation loss, seed by seed."""

import numpy as np
import pytest

from gradlab.lab.choice import choices, chosen_runs, edge_flags, tell, validation_loss
from gradlab.lab.design import Chosen, Table
from gradlab.lab.evaluate import evaluate
from tests.lab.fakes import arm, claim, context, design, fake_run, part

CHOICE = Chosen(name="best", label="the best", factors={}, among=("low", "high"))


def run_with(*losses: float, accuracy: float = 0.5, seed: int = 0):
    run = fake_run(accuracy, seed, best_epoch=1 + int(np.argmin(np.nan_to_num(losses, nan=np.inf))))
    run.epochs = {"epoch": np.arange(len(losses)) + 1, "validation_loss": np.array(losses)}
    return run


def test_each_seed_takes_the_arm_with_its_lowest_validation_loss():
    runs = {"low": [run_with(3.0, 1.0), run_with(2.0)], "high": [run_with(1.5), run_with(5.0, 1.9, 4.0)]}
    assert choices(CHOICE, runs) == ["low", "high"]
    made = design((arm("low"), arm("high")), chosen=(CHOICE,))
    assert chosen_runs(made, runs) == {"best": [runs["low"][0], runs["high"][1]]}
    assert tell(CHOICE, runs, {"low": "rate 1", "high": "rate 2"}) == "1 (1 of 2), 2 (1 of 2)"


def test_a_run_that_diverged_at_once_is_never_chosen_and_equal_ones_take_the_first():
    assert validation_loss(run_with(np.nan, np.nan)) == np.inf
    assert validation_loss(run_with(np.nan, 2.0)) == 2.0
    assert choices(CHOICE, {"low": [run_with(np.nan)], "high": [run_with(9.0)]}) == ["high"]
    assert choices(CHOICE, {"low": [run_with(1.0)], "high": [run_with(1.0)]}) == ["low"]


def test_the_loss_is_that_of_the_weights_that_are_kept():
    run = run_with(3.0, 1.0, 2.0)
    run.facts["best_epoch"] = 3  # a recipe that keeps the last
    assert validation_loss(run) == 2.0
    run.facts["best_epoch"] = 0
    assert validation_loss(run) == np.inf


def test_a_choice_at_the_end_of_its_range_is_flagged():
    three = Chosen(name="best", label="the best", factors={}, among=("low", "middle", "high"))
    arms = tuple(arm(name) for name in three.among)
    one = claim("T-1", part("best", "low"))
    made = design(arms, one, claim("T-2", part("low", "high")), chosen=(three,))
    runs = {
        "low": [run_with(1.0), run_with(9.0), run_with(9.0)],
        "middle": [run_with(2.0)] * 3,
        "high": [run_with(3.0), run_with(1.0), run_with(3.0)],
    }
    told = "2 of 3 seeds of the best took the first or last of what they could try"
    assert edge_flags(one, made, runs) == [told]
    assert edge_flags(made.claims[1], made, runs) == []


def test_the_test_images_have_no_say():
    good, bad = run_with(2.0, accuracy=0.9), run_with(1.0, accuracy=0.3)
    assert choices(CHOICE, {"low": [good], "high": [bad]}) == ["high"]


def test_a_claim_and_a_table_can_speak_of_what_was_chosen():
    seeds = (0, 1, 2)
    runs = {
        name: [fake_run(accuracy, seed) for seed in seeds] for name, accuracy in (("low", 0.5), ("high", 0.9))
    }
    for run in runs["high"]:
        run.epochs["validation_loss"][:] = 0.0
    table = Table(name="t", title="t", caption="c", measures=("test accuracy",), arms=("best", "low"))
    made = design(
        (arm("low"), arm("high")), claim("T-1", part("best", "high")), chosen=(CHOICE,), tables=(table,)
    )
    results = evaluate(made, runs, context(seeds))
    assert results["claims"][0]["estimate"] == 0.0
    assert not any("could try" in flag for flag in results["claims"][0]["flags"])
    rows, columns = results["tables"]["t"]["rows"], results["tables"]["t"]["columns"]
    assert [row[columns.index("chosen")] for row in rows] == [None, "high (3 of 3)"]
    assert results["tables"]["t"]["display"][1]["header"] == "Chosen on validation"
    assert [row["arm"] for row in results["cost"]["per_arm"]] == ["low", "high"]
    assert len(results["runs"]) == 6


@pytest.mark.parametrize("among", [(), ("low", "none")])
def test_a_choice_among_arms_that_are_not_there_is_refused(among):
    with pytest.raises(ValueError, match="chooses among arms of the study"):
        design((arm("low"),), chosen=(Chosen(name="best", label="b", factors={}, among=among),))
