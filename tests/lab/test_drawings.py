import dataclasses
import math

import numpy as np
import pytest
from scipy.stats import t
from sklearn.metrics import confusion_matrix

from gradlab.lab.design import Confusion, Curve, Gallery, Line
from gradlab.lab.drawings import draw_figures
from tests.lab.fakes import LABELS, arm, design, fake_run

ARMS = tuple(arm(f"{kind}-{depth}", kind=kind, depth=depth) for depth in (8, 2) for kind in ("plain", "skip"))
RUNS = {
    one.name: [fake_run(0.5 + 0.1 * number + 0.01 * seed, seed, epochs=2 + seed) for seed in range(3)]
    for number, one in enumerate(ARMS)
}
TEXT = {"title": "Title", "caption": "Caption"}


def draw(figure):
    (drawn,) = draw_figures(design(ARMS, figures=(figure,)), RUNS)
    assert (drawn["name"], drawn["title"], drawn["caption"]) == (figure.name, "Title", "Caption")
    return drawn


def accuracy(run):
    return sum(int(p == label) for p, label in zip(run.predictions, LABELS, strict=True)) / len(LABELS)


def test_a_line_has_a_point_a_seed_and_the_mean_of_each_arm_in_order_of_x():
    drawn = draw(Line(name="depths", **TEXT, x="depth", y="test accuracy", by="kind", x_scale="category"))
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
    figure = Curve(
        name="c",
        **TEXT,
        source="epochs",
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
    figure = Curve(
        name="g", **TEXT, source="gradients", x="index", y="norm", by="kind", panel="time", y_scale="log",
        where={"depth": 8, "kind": "bias"},
    )  # fmt: skip
    drawn = draw(figure)
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
    figure = Curve(
        name="c", **TEXT, source="epochs", x="epoch", y="validation_accuracy", by="kind", panel="depth"
    )
    (drawn,) = draw_figures(design(ARMS, figures=(figure,)), runs)
    (series,) = [
        s for p in drawn["panels"] if p["title"] == "depth 2" for s in p["series"] if s["name"] == "plain"
    ]
    expected = np.mean([run.epochs["validation_accuracy"] for run in runs["plain-2"][1:]], axis=0)
    assert series["y"] == pytest.approx(expected)


def test_a_confusion_matrix_is_summed_over_the_seeds():
    drawn = draw(Confusion(name="m", **TEXT, arm="skip-8"))
    expected = sum(confusion_matrix(LABELS, run.predictions) for run in RUNS["skip-8"])
    assert drawn["labels"] == ["a", "b", "c", "d"]
    assert drawn["counts"] == expected.tolist()


def test_a_gallery_shows_each_image_once_the_most_confident_first():
    drawn = draw(Gallery(name="w", **TEXT, arm="plain-2", count=4))
    best = {}
    for run in RUNS["plain-2"]:
        for index, confidence in zip(run.errors["index"], run.errors["confidence"], strict=True):
            best[f"png{index}"] = max(best.get(f"png{index}", 0.0), confidence)
    expected = sorted(best, key=lambda png: -best[png])[:4]
    assert [item["png"] for item in drawn["items"]] == expected
    assert [item["confidence"] for item in drawn["items"]] == [best[png] for png in expected]
    item = drawn["items"][0]
    seeds = sum(item["png"] in run.errors["png"] for run in RUNS["plain-2"])
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
    figure = Line(
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
    figure = Line(
        name="l", title="t", caption="c", x="parameters", y="test accuracy", by="kind", x_scale="log"
    )
    (drawn,) = draw_figures(design(arms, figures=(figure,)), runs)
    assert drawn["panels"][0]["series"][0]["x"] == [20.0, 300.0]


def test_a_curve_over_the_probes_leaves_step_zero_off_a_log_axis():
    arms = (arm("a", kind="x"),)
    runs = {"a": [fake_run(0.5, seed) for seed in range(3)]}
    figure = Curve(
        name="f",
        title="t",
        caption="c",
        source="probes",
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
    at_ten = [run.probes["weight_gradient"][4] for run in runs["a"]]
    assert line["y"][0] == pytest.approx(np.exp(np.mean(np.log(at_ten))))
    assert drawn["x"] == {"label": "step", "scale": "log"}


def test_the_band_of_an_accuracy_stays_between_nothing_and_all():
    runs = {"a": [fake_run(0.5, seed) for seed in range(3)]}
    for run, accuracy in zip(runs["a"], (0.2, 1.0, 1.0), strict=True):
        run.epochs["validation_accuracy"][:] = accuracy
        run.epochs["validation_loss"][:] = accuracy
    curve = Curve(
        name="c",
        title="t",
        caption="c",
        source="epochs",
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
