"""Choosing among procedures by a measure on validation data, seed by seed."""

import numpy as np
import pytest

from gradlab.lab import Pick, Table
from gradlab.lab.judging.choice import choice_of, edge_flags, tell
from gradlab.lab.judging.evaluate import evaluate
from gradlab.lab.records.binding import Bound, refuse_test_choice
from gradlab.procedures import PROCEDURES
from gradlab.types import UserError
from tests.lab.fakes import (
    RECIPE,
    Arm,
    arm,
    claim,
    context,
    design,
    fake_run,
    looked,
    opened,
    part,
    results,
    study,
)

LOW, HIGH = arm("low"), arm("high", recipe=RECIPE.__class__(epochs=9))
PICK = Pick(among=(LOW.procedure, HIGH.procedure))
BEST = Arm(name="best", label="the best", factors={}, procedure=PICK)


def run_with(*losses: float, accuracy: float = 0.5, seed: int = 0):
    run = fake_run(accuracy, seed, best_epoch=1 + int(np.argmin(np.nan_to_num(losses, nan=np.inf))))
    run.tables["epochs"] = {"epoch": np.arange(len(losses)) + 1, "validation_loss": np.array(losses)}
    return run


def taken(*runs, by="validation loss"):
    return choice_of(Pick(among=PICK.among, by=by), [results(run) for run in runs])


def test_the_lowest_validation_loss_is_taken_and_the_highest_validation_accuracy():
    low, high = run_with(3.0, 1.0), run_with(1.5, 1.6)
    assert taken(low, high) == 0
    assert taken(high, low) == 1
    low.tables["epochs"]["validation_accuracy"], high.tables["epochs"]["validation_accuracy"] = (
        np.array([0.1, 0.2]),
        np.array([0.3, 0.1]),
    )
    assert taken(low, high, by="validation accuracy") == 1


def test_a_run_that_diverged_at_once_is_never_taken_and_of_equal_ones_the_first():
    assert taken(run_with(np.nan, np.nan), run_with(9.0)) == 1
    assert taken(run_with(np.nan, 2.0), run_with(9.0)) == 0
    assert taken(run_with(1.0), run_with(1.0)) == 0


def test_the_loss_is_that_of_the_weights_that_are_kept():
    run = run_with(3.0, 1.0, 2.0)
    run.facts["best_epoch"] = 3  # a recipe that keeps the last
    assert taken(run, run_with(1.5)) == 1
    assert taken(run, run_with(2.5)) == 0
    run.facts["best_epoch"] = 0
    assert taken(run, run_with(1e9)) == 1


def test_the_test_images_have_no_say():
    assert taken(run_with(2.0, accuracy=0.9), run_with(1.0, accuracy=0.3)) == 1


@pytest.mark.parametrize("by", ["test accuracy", "gradient flow at the end", "nonsense"])
def test_choosing_by_anything_but_validation_data_is_refused(by):
    with pytest.raises(UserError, match=rf"validation data \(validation loss, .*\), got '{by}'"):
        refuse_test_choice(Pick(among=PICK.among, by=by), PROCEDURES)


def test_a_choice_among_nothing_or_among_several_kinds_is_refused():
    from tests.lab.toy import Draw

    for among in ((), (LOW.procedure, Draw())):
        with pytest.raises(ValueError, match="chooses among at least one procedure, all of one kind"):
            Pick(among=among)


def bound(arms, rows):
    """Bindings in which each arm's seeds are of the given procedures."""
    return {
        (name, seed): Bound(procedure, seed, "", {}, {})
        for name, row in zip(arms, rows, strict=True)
        for seed, procedure in enumerate(row)
    }


def test_a_choice_at_the_end_of_its_range_is_flagged():
    arms = [arm(name, recipe=RECIPE.__class__(epochs=epochs)) for epochs, name in enumerate("abc", 1)]
    a, b, c = (one.procedure for one in arms)
    best = Arm(name="best", label="the best", factors={}, procedure=Pick(among=(a, b, c)))
    one, other = claim("T-1", part("best", "a")), claim("T-2", part("a", "c"))
    made = design((*arms, best), one, other)
    told = "2 of 3 seeds of the best took the first or last of what they could try"
    assert edge_flags(one, made, bound(["best"], [(a, b, c)]), (0, 1, 2)) == [told]
    assert edge_flags(one, made, bound(["best"], [(b, b, b)]), (0, 1, 2)) == []
    assert edge_flags(other, made, bound(["best"], [(a, b, c)]), (0, 1, 2)) == []


def test_what_was_chosen_is_told_without_the_words_that_all_share():
    assert tell(["rate 1", "rate 2", "rate 1"], ["rate 1", "rate 2"]) == "1 (2 of 3), 2 (1 of 3)"
    assert tell(["low"], ["low", "high"]) == "low (1 of 1)"


def test_a_claim_and_a_table_can_speak_of_what_was_chosen():
    seeds = (0, 1, 2)
    runs = {
        name: [fake_run(accuracy, seed) for seed in seeds] for name, accuracy in (("low", 0.5), ("high", 0.9))
    }
    table = Table(name="t", title="t", caption="c", measures=("test accuracy",), arms=("best", "low"))
    made = design((LOW, HIGH, BEST), claim("T-1", part("best", "high")), tables=(table,))
    asked = context(seeds)
    found = study(design((LOW, HIGH)), runs, asked)
    chosen = {("best", seed): found.bound["high", seed] for seed in seeds}
    whole = type(opened(design(()), {}, asked))(bound={**found.bound, **chosen}, runs=found.runs)
    told = evaluate(made, whole, looked(made, asked), PROCEDURES)
    assert told["claims"][0]["estimate"] == 0.0
    assert not any("could try" in flag for flag in told["claims"][0]["flags"])
    rows, columns = told["tables"]["t"]["rows"], told["tables"]["t"]["columns"]
    assert {row[columns.index("arm")]: row[columns.index("chosen")] for row in rows} == {
        "the low": None,
        "the best": "high (3 of 3)",
    }
    assert told["tables"]["t"]["display"][1]["header"] == "Chosen on validation"
    assert [row["arm"] for row in told["cost"]["per_arm"]] == ["low", "high"]
    assert len(told["runs"]) == 6
