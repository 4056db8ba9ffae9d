import dataclasses
import itertools
import math

import numpy as np
import pytest
from scipy.stats import t
from sklearn.metrics import confusion_matrix

from gradlab.lab import load
from gradlab.lab.designing.shown import Figure, Reference
from gradlab.lab.judging import figures
from gradlab.types import UserError
from tests.lab import toy
from tests.lab.fakes import LABELS, arm, context, design, fake_run, study

ARMS = tuple(arm(f"{kind}-{depth}", kind=kind, depth=depth) for depth in (8, 2) for kind in ("plain", "skip"))
RUNS = {
    one.name: [fake_run(0.5 + 0.1 * number + 0.01 * seed, seed, epochs=2 + seed) for seed in range(3)]
    for number, one in enumerate(ARMS)
}
TEXT = {"title": "Title", "caption": "Caption"}


def draw_figures(made, runs):
    return figures.draw_figures(study(made, runs, context(tuple(range(len(next(iter(runs.values()))))))))


def draw(figure):
    (drawn,) = draw_figures(design(ARMS, figures=(figure,)), RUNS)
    assert (drawn["name"], drawn["title"], drawn["caption"]) == (figure.name, "Title", "Caption")
    return drawn


def accuracy(run):
    return sum(int(p == label) for p, label in zip(run.predictions, LABELS, strict=True)) / len(LABELS)


def test_a_line_has_a_point_a_seed_and_the_mean_of_each_arm_in_order_of_x():
    drawn = draw(Figure(name="depths", **TEXT, x="depth", y="test accuracy", by="kind", x_scale="category"))
    assert drawn["x"] == {"label": "depth", "scale": "category"}
    assert drawn["y"]["percent"] is True
    (panel,) = drawn["panels"]
    assert [series["name"] for series in panel["series"]] == ["plain", "skip"]
    for series in panel["series"]:
        arms = [RUNS[f"{series['name']}-{depth}"] for depth in (2, 8)]
        assert series["x"] == [2.0, 8.0]
        assert series["y"] == pytest.approx([np.mean([accuracy(run) for run in runs]) for runs in arms])
        assert series["points"] == [
            [depth, accuracy(run)] for depth, runs in zip((2.0, 8.0), arms, strict=True) for run in runs
        ]
        assert all(
            low < mean < high
            for low, mean, high in zip(series["low"], series["y"], series["high"], strict=True)
        )


def test_a_curve_is_the_mean_over_the_seeds_that_got_this_far():
    figure = Figure(
        name="c",
        **TEXT,
        table="epochs",
        x="epoch",
        y="validation_accuracy",
        by="kind",
        panel="depth",
        where={"depth": 2},
    )
    drawn = draw(figure)
    (panel,) = drawn["panels"]
    assert panel["title"] == "depth 2"
    assert drawn["y"] == {"label": "validation accuracy", "scale": "linear", "percent": True, "range": None}
    for series in panel["series"]:
        runs = RUNS[f"{series['name']}-2"]
        assert series["x"] == [1.0, 2.0, 3.0, 4.0]
        for number, mean in enumerate(series["y"]):
            values = [
                run.epochs["validation_accuracy"][number] for run in runs if len(run.epochs["epoch"]) > number
            ]
            assert mean == pytest.approx(sum(values) / len(values), rel=1e-12)
            if len(values) == 1:
                assert series["low"][number] is series["high"][number] is None
                continue
            half = t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / math.sqrt(len(values))
            assert series["low"][number] == pytest.approx(max(0.0, mean - half))
            assert series["high"][number] == pytest.approx(min(1.0, mean + half))


def test_gradients_are_averaged_as_powers_of_ten_a_panel_a_time():
    figure = Figure(
        name="g", **TEXT, table="gradients", x="index", y="norm", by="net", panel="time", y_scale="log",
        where={"depth": 8, "kind": "bias"},
    )  # fmt: skip
    arms = [arm(one.name, net=one.factors["kind"], depth=one.factors["depth"]) for one in ARMS]
    (drawn,) = draw_figures(design(tuple(arms), figures=(figure,)), RUNS)
    assert [panel["title"] for panel in drawn["panels"]] == ["at the start", "after training"]
    for time, panel in zip(("start", "end"), drawn["panels"], strict=True):
        for series in panel["series"]:
            for place, mean in zip(series["x"], series["y"], strict=True):
                logs = []
                for run in RUNS[f"{series['name']}-8"]:
                    rows = zip(
                        *(run.gradients[name] for name in ("time", "kind", "index", "norm")), strict=True
                    )
                    logs += [math.log(norm) for *where, norm in rows if where == [time, "bias", place]]
                assert len(logs) == 3
                assert mean == pytest.approx(math.exp(sum(logs) / 3))
                half = t.ppf(0.975, 2) * np.std(logs, ddof=1) / math.sqrt(3)
                assert series["high"][int(place)] == pytest.approx(math.exp(sum(logs) / 3 + half))


def test_values_that_are_not_finite_leave_the_others_alone():
    runs = {one.name: [fake_run(0.5, seed) for seed in range(3)] for one in ARMS}
    runs["plain-2"][0].epochs["validation_accuracy"][:] = math.nan
    figure = Figure(
        name="c", **TEXT, table="epochs", x="epoch", y="validation_accuracy", by="kind", panel="depth"
    )
    (drawn,) = draw_figures(design(ARMS, figures=(figure,)), runs)
    (series,) = [
        s for p in drawn["panels"] if p["title"] == "depth 2" for s in p["series"] if s["name"] == "plain"
    ]
    expected = np.mean([run.epochs["validation_accuracy"] for run in runs["plain-2"][1:]], axis=0)
    assert series["y"] == pytest.approx(expected)


def test_a_confusion_matrix_is_summed_over_the_seeds():
    drawn = draw(
        Figure(
            name="m",
            **TEXT,
            mark="matrix",
            table="predictions",
            x="prediction",
            y="label",
            where={"arm": "skip-8"},
        )
    )
    expected = sum(confusion_matrix(LABELS, run.predictions) for run in RUNS["skip-8"])
    assert drawn["labels"] == ["a", "b", "c", "d"]
    assert drawn["counts"] == expected.tolist()


def test_a_confusion_matrix_counts_one_network_that_stands_for_all_seeds_once():
    one = RUNS["skip-8"][0]
    where = {"arm": "skip-8"}
    figure = Figure(
        name="m", **TEXT, mark="matrix", table="predictions", x="prediction", y="label", where=where
    )
    (drawn,) = draw_figures(design(ARMS, figures=(figure,)), {**RUNS, "skip-8": [one, one, one]})
    assert drawn["counts"] == confusion_matrix(LABELS, one.predictions).tolist()


def test_a_gallery_shows_each_image_once_the_most_confident_first():
    drawn = draw(Figure(name="w", **TEXT, mark="gallery", table="errors", where={"arm": "plain-2"}, count=4))
    best = {}
    for run in RUNS["plain-2"]:
        for index, confidence in zip(
            run.tables["errors"]["index"], run.tables["errors"]["confidence"], strict=True
        ):
            best[f"png{index}"] = max(best.get(f"png{index}", 0.0), confidence)
    expected = sorted(best, key=lambda png: -best[png])[:4]
    assert [item["png"] for item in drawn["items"]] == expected
    assert [item["confidence"] for item in drawn["items"]] == [best[png] for png in expected]
    item = drawn["items"][0]
    seeds = sum(item["png"] in run.tables["errors"]["png"] for run in RUNS["plain-2"])
    assert item["note"].startswith(f"{seeds} of 3 seeds")
    index = int(item["png"].removeprefix("png"))
    assert item["label"] == "abcd"[LABELS[index]]
    assert item["prediction"] != item["label"]


def test_a_line_has_a_panel_for_each_value_and_can_leave_arms_out():
    arms = tuple(
        arm(f"{kind}-{width}-{size}", kind=kind, width=width, size=size)
        for kind in ("a", "b", "c")
        for width in (2, 8)
        for size in (500, 5000)
    )
    runs = {one.name: [fake_run(0.5, seed) for seed in range(2)] for one in arms}
    figure = Figure(
        name="l",
        title="t",
        caption="c",
        x="width",
        y="test accuracy",
        by="kind",
        panel="size",
        where={"width": 2},
    )
    (drawn,) = draw_figures(design(arms, figures=(figure,)), runs)
    assert [panel["title"] for panel in drawn["panels"]] == ["size 500", "size 5,000"]
    assert [[line["x"] for line in panel["series"]] for panel in drawn["panels"]] == [[[2.0]] * 3] * 2


def test_a_line_against_parameters_takes_them_from_the_runs():
    arms = (arm("a", kind="x"), arm("b", kind="x"))
    runs = {name: [fake_run(0.5, parameters=count)] for name, count in (("a", 300), ("b", 20))}
    figure = Figure(
        name="l", title="t", caption="c", x="parameters", y="test accuracy", by="kind", x_scale="log"
    )
    (drawn,) = draw_figures(design(arms, figures=(figure,)), runs)
    assert drawn["panels"][0]["series"][0]["x"] == [20.0, 300.0]


def test_a_curve_over_the_probes_leaves_step_zero_off_a_log_axis():
    arms = (arm("a", kind="x"),)
    runs = {"a": [fake_run(0.5, seed) for seed in range(3)]}
    figure = Figure(
        name="f",
        title="t",
        caption="c",
        table="probes",
        x="step",
        y="weight_gradient",
        by="kind",
        panel="kind",
        where={"index": 0},
        x_scale="log",
        y_scale="log",
    )
    (drawn,) = draw_figures(design(arms, figures=(figure,)), runs)
    line = drawn["panels"][0]["series"][0]
    assert line["x"] == [10.0, 30.0]
    at_ten = [run.tables["probes"]["weight_gradient"][4] for run in runs["a"]]
    assert line["y"][0] == pytest.approx(np.exp(np.mean(np.log(at_ten))))
    assert drawn["x"] == {"label": "step", "scale": "log"}


def test_the_band_of_an_accuracy_stays_between_nothing_and_all():
    runs = {"a": [fake_run(0.5, seed) for seed in range(3)]}
    for run, accuracy in zip(runs["a"], (0.2, 1.0, 1.0), strict=True):
        run.epochs["validation_accuracy"][:] = accuracy
        run.epochs["validation_loss"][:] = accuracy
    curve = Figure(
        name="c",
        title="t",
        caption="c",
        table="epochs",
        x="epoch",
        y="validation_accuracy",
        by="k",
        panel="k",
    )
    accuracies, losses = (
        draw_figures(design((arm("a", k="x"),), figures=(dataclasses.replace(curve, y=y),)), runs)[0]
        for y in ("validation_accuracy", "validation_loss")
    )
    shown, free = (drawn["panels"][0]["series"][0] for drawn in (accuracies, losses))
    assert free["high"][0] > 1
    assert free["low"][0] < 0
    assert (shown["low"][0], shown["high"][0]) == (0.0, 1.0)


# --- further marks ---


def test_points_have_both_intervals_and_every_seed():
    figure = Figure(name="p", **TEXT, mark="points", x="best epoch", y="test accuracy", by="kind")
    drawn = draw(figure)
    assert drawn["kind"] == "points"
    assert (drawn["x"]["percent"], drawn["y"]["percent"]) == (False, True)
    (panel,) = drawn["panels"]
    for series in panel["series"]:
        names = [f"{series['name']}-{depth}" for depth in (8, 2)]
        for place, name in enumerate(names):
            epochs = [float(run.facts["best_epoch"]) for run in RUNS[name]]
            assert series["x"][place] == pytest.approx(np.mean(epochs))
            assert series["y"][place] == pytest.approx(np.mean([accuracy(run) for run in RUNS[name]]))
            assert series["x_low"][place] <= series["x"][place] <= series["x_high"][place]
            half = t.ppf(0.975, 2) * np.std(epochs, ddof=1) / math.sqrt(3)
            assert series["x_high"][place] == pytest.approx(np.mean(epochs) + half)
        seeds = [run for name in names for run in RUNS[name]]
        assert series["points"] == [[run.facts["best_epoch"], accuracy(run)] for run in seeds]


@pytest.mark.parametrize("mark", ["points", "bars"])
def test_categories_stand_by_their_names(mark):
    figure = Figure(name="p", **TEXT, mark=mark, x="depth", y="test accuracy", by="kind", x_scale="category")
    (panel,) = draw(figure)["panels"]
    for series in panel["series"]:
        assert [str(x) for x in series["x"]] == ["8", "2"]
        runs = [RUNS[f"{series['name']}-{depth}"] for depth in (8, 2)]
        assert series["y"] == pytest.approx([np.mean([accuracy(run) for run in of]) for of in runs])
        for low, mean, high in zip(series["low"], series["y"], series["high"], strict=True):
            assert low < mean < high


def test_a_heat_map_has_a_cell_an_arm_and_gaps_where_there_is_none():
    arms = ARMS[:3]
    figure = Figure(name="h", **TEXT, mark="heat", x="depth", y="kind", value="test accuracy")
    (drawn,) = draw_figures(design(arms, figures=(figure,)), {one.name: RUNS[one.name] for one in arms})
    assert (drawn["rows"], drawn["columns"]) == (["plain", "skip"], ["8", "2"])
    found = {(row, column): drawn["values"][i][j] for i, row in enumerate(drawn["rows"])
             for j, column in enumerate(drawn["columns"])}  # fmt: skip
    assert found.pop(("skip", "2")) is None
    assert len(found) == 3
    for (kind, depth), value in found.items():
        assert value == pytest.approx(np.mean([accuracy(run) for run in RUNS[f"{kind}-{depth}"]]))
    assert (drawn["percent"], drawn["value_label"]) == (True, "test accuracy")


def test_a_histogram_is_a_density_over_all_seeds_on_shared_edges():
    figure = Figure(
        name="h", **TEXT, mark="histogram", table="predictions", x="loss", by="kind", where={"depth": 2}
    )
    drawn = draw(figure)
    (panel,) = drawn["panels"]
    assert [series["name"] for series in panel["series"]] == ["plain", "skip"]
    for series in panel["series"]:
        edges = np.array(series["edges"])
        losses = np.concatenate([run.table("predictions")["loss"] for run in RUNS[f"{series['name']}-2"]])
        counts = [int(((losses >= a) & (losses < b)).sum()) for a, b in itertools.pairwise(edges)]
        counts[-1] += int((losses == edges[-1]).sum())
        assert sum(counts) == len(losses)
        wide = np.array(counts) / (len(losses) * np.diff(edges))
        assert series["density"] == pytest.approx(wide)
    assert panel["series"][0]["edges"] == panel["series"][1]["edges"]


def test_known_values_are_drawn():
    known = (Reference(value=0.25, label="chance"), Reference(axis="diagonal"))
    drawn = draw(Figure(name="d", **TEXT, x="depth", y="test accuracy", by="kind", reference=known))
    assert drawn["reference"] == {
        "lines": [{"axis": "y", "value": 0.25, "label": "chance"}],
        "diagonal": True,
    }
    assert "reference" not in draw(Figure(name="d", **TEXT, x="depth", y="test accuracy", by="kind"))


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"where": {"kind": "neither"}}, "is about no arm of the study; look at its `where`"),
        ({"mark": "matrix"}, "matrix are not drawn from table 'arms'"),
        ({"mark": "heat", "table": "epochs"}, "heat are not drawn from table 'epochs'"),
        ({"y": "nonsense"}, "is about no arm"),
        ({"table": "nonsense"}, "is about no arm"),
    ],
)
def test_a_figure_about_nothing_is_one_sentence(more, text):
    with pytest.raises(UserError, match=text):
        draw(Figure(**({"name": "d", **TEXT, "x": "depth", "y": "test accuracy", "by": "kind"} | more)))


def test_a_view_and_a_slice_are_drawn_like_tables(tmp_path):
    low = toy.Draw()
    arms = (toy.arm("all", low, part="all"), toy.arm("odd", low, at={"group": "odd"}, part="odd"))
    figure = Figure(name="v", **TEXT, mark="histogram", table="positive", x="x", by="part")
    whole = toy.run(toy.design(arms, figures=(figure,)), toy.here(tmp_path, (0,)))
    (panel,) = whole["figures"][0]["panels"]
    (record,) = {run["record"] for run in whole["runs"]}
    table = load(tmp_path / "records" / record).table("numbers")
    for series, rows in zip(
        panel["series"], (table["x"] > 0, (table["x"] > 0) & (table["group"] == "odd")), strict=True
    ):
        expected = np.histogram(table["x"][rows], bins=series["edges"], density=True)[0]
        assert series["density"] == pytest.approx(expected)
