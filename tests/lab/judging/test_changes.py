"""Changes between arms against loops over the runs: their size, how many are above 0, and what turns their sign."""

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest
from scipy.stats import t

from gradlab.lab.designing.measured import refuse_unmeasured
from gradlab.lab.designing.shown import Table
from gradlab.lab.judging.changes import how_often
from gradlab.lab.judging.tables import build_table
from gradlab.procedures import PROCEDURES
from gradlab.types import UserError
from tests.lab.fakes import LABELS, arm, claim, context, design, fake_run, part, study
from tests.lab.judging.test_evaluate import evaluate

SEEDS = (0, 1, 2, 3)
ACCURACY = {
    "base here": (0.5, 0.6, 0.7, 0.5),
    "base there": (0.5, 0.5, 0.5, 0.6),
    "more here": (0.8, 0.4, 0.9, 0.8),
    "more there": (0.3, 0.7, 0.2, 0.3),
    "most here": (0.9, 0.9, 0.6, 0.9),
    "most there": (0.2, 0.3, 0.1, 0.9),
}
ARMS = tuple(arm(name, **dict(zip(("training", "set"), name.split(), strict=True))) for name in ACCURACY)
RUNS = {
    name: [fake_run(value, seed) for seed, value in enumerate(values)] for name, values in ACCURACY.items()
}
VALUES = {name: np.array([np.mean(run.predictions == LABELS) for run in runs]) for name, runs in RUNS.items()}
MINUS = {name: f"base {name.split()[1]}" for name in ACCURACY if not name.startswith("base")}
MADE = study(design(ARMS), RUNS, context(SEEDS))
MEASURE = PROCEDURES["train"].measures["test accuracy"]


def table(*measures, minus=MINUS, signs=(), arms=tuple(MINUS)):
    asked = measures or ("test accuracy", "test loss")
    return Table(
        name="changes", title="T", caption="C", measures=asked, arms=arms, minus=dict(minus), signs=signs
    )


def rows(made):
    return [dict(zip(made["columns"], row, strict=True)) for row in made["rows"]]


def test_a_row_is_the_paired_difference_with_students_interval():
    for name, row in zip(MINUS, rows(build_table(table(), MADE)), strict=True):
        d = VALUES[name] - VALUES[MINUS[name]]
        half = t.ppf(0.975, 3) * d.std(ddof=1) / 2
        assert row["test accuracy by seed"] == pytest.approx(d.tolist())
        assert row["test accuracy"] == pytest.approx(d.mean())
        assert row["test accuracy low"] == pytest.approx(max(-1, d.mean() - half))
        assert row["test accuracy high"] == pytest.approx(min(1, d.mean() + half))
        assert row["test accuracy above 0"] == sum(d > 0)
        pairs = [a > b for a, b in product(VALUES[name], VALUES[MINUS[name]])]
        assert (row["test accuracy pairs above 0"], row["test accuracy pairs"]) == (sum(pairs), 16)


def test_a_page_shows_how_many_seeds_and_pairs_are_above_0():
    shown = {one["header"]: one for one in build_table(table(), MADE)["display"]}
    assert shown["Test accuracy, change"]["kind"] == "interval"
    assert shown["Any two runs above 0"]["columns"] == ["test accuracy pairs above 0", "test accuracy pairs"]
    assert shown["Seeds above 0"]["columns"] == ["test loss above 0", "runs"]


def test_one_seed_has_a_change_without_an_interval_and_an_unknown_value_none_at_all():
    one = study(design(ARMS), {name: runs[:1] for name, runs in RUNS.items()}, context((0,)))
    first = rows(build_table(table(), one))[0]
    assert first["test accuracy"] == VALUES["more here"][0] - VALUES["base here"][0]
    assert first["test accuracy low"] is None
    lost = [
        fake_run(0.5, seed, test={"cross_entropy": float("nan"), "calibration_error": 0.1}) for seed in SEEDS
    ]
    unknown = study(design(ARMS), RUNS | {"base here": lost}, context(SEEDS))
    made = rows(build_table(table("calibration error", "test loss"), unknown))
    assert [row["test loss low"] is None for row in made] == [True, False, True, False]


def opposite(pairs):
    return sum(a * b < 0 for a, b in pairs)


def test_signs_are_counted_over_all_pairs_that_differ_in_one_thing_alone():
    d = {name: VALUES[name] - VALUES[other] for name, other in MINUS.items()}
    made = {row["differs"]: row for row in rows(build_table(table(signs=("set", "training")), MADE))}
    assert list(made) == ["set", "training", "seed", "measure"]
    across = {
        "set": [(d[f"{one} here"][s], d[f"{one} there"][s]) for one in ("more", "most") for s in SEEDS],
        "training": [(d[f"more {one}"][s], d[f"most {one}"][s]) for one in ("here", "there") for s in SEEDS],
        "seed": [pair for one in d.values() for pair in combinations(one, 2)],
    }
    for name, pairs in across.items():
        assert 0 < opposite(pairs) < len(pairs)
        assert (made[name]["opposite"], made[name]["pairs"]) == (opposite(pairs), len(pairs))
        assert made[name]["share"] == opposite(pairs) / len(pairs)


ODD = ("more here", "more there", "most there")
"""Arms in which other than half of the signs are opposite, so that a sign that is turned shows."""


def test_a_measure_that_is_better_when_lower_agrees_where_it_falls():
    asked = table("test accuracy", "test loss", signs=("set",), arms=ODD)
    found = rows(build_table(asked, MADE))[-1]
    loss = {
        name: np.array([run.facts["test"]["cross_entropy"] for run in runs]) for name, runs in RUNS.items()
    }
    pairs = [
        (VALUES[name][s] - VALUES[other][s], loss[other][s] - loss[name][s])
        for name, other in MINUS.items()
        if name in ODD
        for s in SEEDS
    ]
    assert opposite(pairs) not in (0, len(pairs) / 2, len(pairs))
    assert (found["differs"], found["opposite"], found["pairs"]) == ("measure", opposite(pairs), len(pairs))


def test_no_change_at_all_is_above_nothing_and_opposite_to_nothing():
    still = study(design(ARMS), RUNS | {"more here": RUNS["base here"]}, context(SEEDS))
    assert how_often(MEASURE, "more here", "base here", still, any_two=False) == "0 of 4 seeds"
    asked = table("test accuracy", arms=("more here", "more there"), signs=("set",))
    assert next(row["opposite"] for row in rows(build_table(asked, still))) == 0


def test_a_sentence_counts_seeds_and_pairs():
    above = sum(VALUES["more here"] > VALUES["base here"])
    pairs = sum(a > b for a, b in product(VALUES["more here"], VALUES["base here"]))
    assert how_often(MEASURE, "more here", "base here", MADE, any_two=False) == f"{above} of 4 seeds"
    says = "In {more here > base here}, {more here > any base here}; {opposite changes: set}."
    made = design(ARMS, claim("C", part("more here", "base here"), says=dict.fromkeys(VERDICTS, says)))
    told = answered(made, table(signs=("set",)))
    counted = rows(build_table(table(signs=("set",)), MADE))[0]
    assert told == (
        f"In {above} of 4 seeds, {pairs} of 16 pairs of runs; {counted['opposite']} of {counted['pairs']}."
    )


VERDICTS = ("supported", "refuted", "open")


def answered(made, *tables):
    return evaluate(replace(made, tables=tables), RUNS, context(SEEDS))["answer"]


@pytest.mark.parametrize(
    ("says", "told"),
    [
        ("{more here > nobody}", r"asks for \{nobody: test accuracy\}"),
        ("{opposite nothing: set}", r"\{opposite nothing: set\}, which no table of signs"),
        ("{opposite changes: colour}", r"\{opposite changes: colour\}, which no table of signs"),
    ],
)
def test_a_sentence_that_asks_for_what_is_not_there_is_refused(says, told):
    made = design(ARMS, claim("C", part("more here", "base here"), says=dict.fromkeys(VERDICTS, says)))
    with pytest.raises(UserError, match=told):
        answered(made, table(signs=("set",)))


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (table(minus={}, signs=("set",)), "names no arm of the study to take from 'more here'"),
        (table(minus=MINUS | {"most there": "base"}), "to take from 'most there'"),
        (table(signs=("colour",)), "the factor 'colour', which none of its arms has"),
    ],
)
def test_a_table_of_changes_is_refused_before_anything_runs(asked, told):
    with pytest.raises(UserError, match=told):
        refuse_unmeasured(replace(design(ARMS), tables=(asked,)), PROCEDURES)
