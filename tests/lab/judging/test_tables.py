import math

import numpy as np
import pytest
from scipy.stats import beta, t

from gradlab.lab.designing.shown import Table
from gradlab.lab.judging.tables import build_table, clean, mean_interval, sampled
from gradlab.lab.kinds import Measure
from gradlab.procedures import PROCEDURES
from gradlab.statistics import contrast_values, difference, interval, ratio_samples
from tests.lab.fakes import LABELS, arm, context, design, fake_run, results, study

MEASURES = PROCEDURES["train"].measures

ARMS = (arm("a", depth=2), arm("b", depth=8, kind="skip"))
RUNS = {
    "a": [fake_run(0.7, seed) for seed in range(4)],
    "b": [fake_run(0.2 + 0.2 * seed, seed) for seed in range(4)],
}


@pytest.fixture
def table():
    wanted = Table(
        name="accuracy", title="Title", caption="Caption", measures=("test accuracy", "best epoch")
    )
    return build_table(wanted, study(design(ARMS), RUNS, context((0, 1, 2, 3))))


def rows_of(table):
    return [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]


def test_a_row_an_arm_with_its_factors(table):
    assert [(row["arm"], row["depth"], row["kind"], row["parameters"]) for row in rows_of(table)] == [
        ("the a", 2, None, 100),
        ("the b", 8, "skip", 100),
    ]


def test_facts_are_told_in_words_each_once():
    wanted = Table(
        name="t", title="T", caption="C", measures=("test accuracy",), facts=("best_epoch", "status")
    )
    told = build_table(wanted, study(design(ARMS), RUNS, context((0, 1, 2, 3))))
    for row, runs in zip(rows_of(told), RUNS.values(), strict=True):
        assert row["status"] == "finished"
        assert set(row["best_epoch"].split(" / ")) == {str(run.facts["best_epoch"]) for run in runs}
    assert {"header": "Status", "kind": "text", "columns": ["status"]} in told["display"]
    headers = [one["header"] for one in told["display"]]
    assert (
        headers.index("Best_epoch")
        < headers.index("Test accuracy")
        < headers.index("Status")
        == len(headers) - 1
    )


@pytest.mark.parametrize("every", [True, False])
def test_one_run_that_stands_for_all_seeds_is_said_to_be_one_network(every):
    """As a certificate of the first seed's network: its value is no sample of four seeds."""
    wanted = Table(name="t", title="T", caption="C", measures=("test accuracy",))
    same = {"a": [fake_run(0.7, 0)] * 4, "b": [fake_run(0.2, 0)] * 4 if every else RUNS["b"]}
    told = build_table(wanted, study(design(ARMS), same, context((0, 1, 2, 3))))
    first, second = rows_of(told)
    assert (first["networks"], first["runs"], first["learned"]) == ("1 network", 1, 1)
    assert first["test accuracy by seed"] == [first["test accuracy"]]
    assert second["networks"] == ("1 network" if every else "4 networks")
    assert len(second["test accuracy by seed"]) == second["runs"] == (1 if every else 4)
    headers = {one["header"] for one in told["display"]}
    assert "Networks" in headers
    assert ({"Learned", "Each seed"} <= headers) is not every
    assert all(column in told["columns"] for one in told["display"] for column in one["columns"])


def test_means_and_values_are_those_of_numpy(table):
    for row, runs in zip(rows_of(table), RUNS.values(), strict=True):
        accuracy = [float(np.mean(run.predictions == LABELS)) for run in runs]
        assert row["test accuracy by seed"] == accuracy
        assert row["test accuracy"] == pytest.approx(np.mean(accuracy), rel=1e-14)
        assert row["best epoch by seed"] == [run.facts["best_epoch"] for run in runs]
        assert row["best epoch"] == np.mean([run.facts["best_epoch"] for run in runs])


def test_the_interval_of_a_measure_without_samples_is_students(table):
    for row, runs in zip(rows_of(table), RUNS.values(), strict=True):
        values = np.array([run.facts["best_epoch"] for run in runs], dtype=float)
        half = t.ppf(0.975, 3) * values.std(ddof=1) / 2
        assert row["best epoch low"] == pytest.approx(values.mean() - half, rel=1e-12)
        assert row["best epoch high"] == pytest.approx(values.mean() + half, rel=1e-12)


class Attacked:
    """A run of five images, of which the last was never right."""

    def __init__(self, successes):
        self.successes, self.right = np.array(successes, dtype=float), np.array([1, 1, 1, 1, 0.0])


SUCCESS = Measure(
    "success",
    "fraction",
    "neither",
    lambda run: run.successes.sum() / run.right.sum(),
    lambda run: {"test": ratio_samples(run.successes, run.right).samples},
    range=(0, 1),
    counted=lambda run: run.right,
)


@pytest.mark.parametrize("share", [0, 1])
def test_a_share_without_any_spread_has_the_score_bound_of_the_samples_that_count(share):
    found = sampled(SUCCESS, [Attacked([share] * 4 + [0])] * 3)
    bounds = interval(found, level=0.95)
    squared = t.ppf(0.975, 4 - 1) ** 2
    far = squared / (4 + squared)
    assert (bounds.low, bounds.high) == pytest.approx((share - share * far, share + (1 - share) * far))


def test_shares_without_spread_are_compared_with_others_all_the_same():
    none, all_, some = (
        sampled(SUCCESS, [Attacked(one)] * 3) for one in ([0] * 5, [1] * 4 + [0], [1, 1, 0, 0, 0])
    )
    arms = {"none": none, "all": all_, "some": some}
    assert contrast_values(difference("all", "none"), arms).values == pytest.approx(1)
    assert contrast_values(difference("some", "none"), arms).values == pytest.approx(0.5)
    assert math.isfinite(interval(contrast_values(difference("some", "none"), arms)).high)


def test_the_interval_of_accuracy_holds_seeds_and_images_and_stays_a_fraction(table):
    for row, runs in zip(rows_of(table), RUNS.values(), strict=True):
        found = interval(np.stack([(run.predictions == LABELS).astype(float) for run in runs]), level=0.95)
        assert row["test accuracy low"] == pytest.approx(max(0.0, found.low), abs=1e-15)
        assert row["test accuracy high"] == pytest.approx(min(1.0, found.high), abs=1e-15)


def test_untrained_runs_are_counted_with_their_clopper_pearson_interval(table):
    rows = rows_of(table)
    assert [(row["learned"], row["runs"]) for row in rows] == [(4, 4), (3, 4)]
    assert rows[1]["learned low"] == pytest.approx(beta.ppf(0.025, 3, 2))
    assert rows[1]["learned high"] == pytest.approx(beta.ppf(0.975, 4, 1))


def test_display_names_columns_that_exist(table):
    shown = [name for entry in table["display"] for name in entry["columns"]]
    assert set(shown) <= set(table["columns"])
    assert {entry["kind"] for entry in table["display"]} == {"text", "int", "interval", "points", "ratio"}
    percent = [entry["columns"][0] for entry in table["display"] if entry.get("scale") == "percent"]
    assert percent == ["test accuracy", "test accuracy by seed"]


def test_one_seed_has_a_mean_and_no_interval():
    mean, low, high, values = mean_interval(MEASURES["best epoch"], [results(RUNS["a"][0])])
    assert (mean, low, high) == (values[0], None, None)


def test_a_measure_that_a_network_does_not_have_is_no_number():
    run = fake_run(0.5)
    run.tables["gradients"] = {name: values[:0] for name, values in run.gradients.items()}
    mean, low, high, values = mean_interval(MEASURES["gradient flow at the end"], [results(run)] * 2)
    assert math.isnan(mean)
    assert (low, high) == (None, None)
    assert clean([mean, values]) == [None, [None, None]]


def test_clean_makes_plain_json():
    made = clean(
        {1: (np.float32(0.5), np.int64(3), np.bool_(True)), "x": [math.inf, -math.inf, math.nan, None, "t"]}
    )
    assert made == {"1": [0.5, 3, True], "x": [None, None, None, None, "t"]}
    assert [type(value) for value in made["1"]] == [float, int, bool]


def test_an_interval_of_epochs_begins_at_nothing():
    runs = [fake_run(0.5, seed, best_epoch=epoch) for seed, epoch in enumerate((0, 0, 3))]
    mean, low, high, _ = mean_interval(MEASURES["best epoch"], [results(run) for run in runs])
    assert (mean, low) == (1.0, 0.0)
    assert high > 3
