"""Dots of a table: rows of the first run, grouped, in panels, each group with its mean."""

import numpy as np
import pytest

from gradlab.lab.designing.shown import Figure
from gradlab.lab.judging import figures
from gradlab.report import figures as report
from tests.lab.fakes import arm, context, design, fake_run, study

ARMS = (arm("plain-2", kind="plain", depth=2), arm("skip-2", kind="skip", depth=2))
FIGURE = Figure(
    name="plane", title="t", caption="c", mark="points", table="predictions", x="u", y="v", by="label", panel="arm"
)  # fmt: skip


def runs():
    made = {}
    for number, one in enumerate(ARMS):
        made[one.name] = [fake_run(0.7, seed) for seed in range(2)]
        for run in made[one.name]:
            rng = np.random.default_rng(number)
            count = len(run.predictions)
            run.tables["predictions"] |= {"u": rng.normal(size=count), "v": rng.normal(size=count)}
    return made


def draw(figure, made):
    (drawn,) = figures.draw_figures(study(design(ARMS, figures=(figure,)), made, context((0, 1))))
    return drawn


def test_every_row_of_the_first_run_is_a_dot_in_the_colour_of_its_class():
    made = runs()
    drawn = draw(FIGURE, made)
    assert drawn["kind"] == "points"
    assert (drawn["x"]["label"], drawn["y"]["label"]) == ("u", "v")
    assert [panel["title"] for panel in drawn["panels"]] == [one.label for one in ARMS]
    for panel, one in zip(drawn["panels"], ARMS, strict=True):
        table = made[one.name][0].tables["predictions"]
        assert [series["name"] for series in panel["series"]] == ["a", "b", "c", "d"]
        for number, series in enumerate(panel["series"]):
            mine = table["label"] == number
            assert series["points"] == [
                [a, b] for a, b in zip(table["u"][mine], table["v"][mine], strict=True)
            ]
            assert (series["x"], series["y"]) == (
                [pytest.approx(table["u"][mine].mean())],
                [pytest.approx(table["v"][mine].mean())],
            )


def test_rows_and_arms_can_be_chosen_and_columns_that_are_no_labels_stand_for_themselves():
    made = runs()
    drawn = draw(
        Figure(
            name="plane", title="t", caption="c", mark="points", table="predictions", x="u", y="v", by="prediction",
            where={"arm": "skip-2", "label": 2},
        ),
        made,
    )  # fmt: skip
    (panel,) = drawn["panels"]
    table = made["skip-2"][0].tables["predictions"]
    assert sum(len(series["points"]) for series in panel["series"]) == (table["label"] == 2).sum()
    assert [series["name"] for series in panel["series"]] == [
        str(one) for one in np.unique(table["prediction"][table["label"] == 2])
    ]


@pytest.mark.slow
def test_the_page_draws_it():
    drawn_figure = draw(FIGURE, runs())
    svg = report.draw(drawn_figure, order=report.series_order([drawn_figure]))
    assert svg.count("<use") >= 2 * 200
