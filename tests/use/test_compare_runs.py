"""Two records side by side, against plain loops and SciPy."""

import json

import numpy as np
import pytest
from scipy.stats import binomtest

from gradlab.lab import find_record
from gradlab.lab.records.columns import write_table
from gradlab.types import UserError
from gradlab.use import compare_runs
from gradlab.use.compare_runs import flat
from tests.studied import labels, predictions


@pytest.fixture
def pair(out):
    records = [find_record(folder) for folder in sorted((out / "records").iterdir())]
    a = records[0]
    return a, next(one for one in records if one.spec["procedure"]["model"] != a.spec["procedure"]["model"])


@pytest.mark.slow
def test_the_counts_are_those_of_a_loop_and_the_p_value_that_of_scipy(pair):
    a, b = pair
    found = compare_runs(a, b)
    only_a = only_b = 0
    for label, one, two in zip(labels(a), predictions(a), predictions(b), strict=True):
        only_a += int(one == label != two)
        only_b += int(two == label != one)
    test = found.mcnemar
    assert (test.only_a, test.only_b, test.n) == (only_a, only_b, 360)
    assert test.p_value == pytest.approx(binomtest(only_a, only_a + only_b).pvalue)
    assert found.difference.estimate == pytest.approx((only_a - only_b) / 360)


def test_the_interval_is_at_least_the_paired_one_over_images(pair):
    a, b = pair
    found = compare_runs(a, b).difference
    d = (predictions(a) == labels(a)).astype(float) - (predictions(b) == labels(b))
    half = 1.96 * d.std(ddof=1) / np.sqrt(len(d))
    assert half * 0.98 < (found.high - found.low) / 2 < half * 1.15
    assert found.low < d.mean() < found.high


def test_it_is_antisymmetric(pair):
    a, b = pair
    there, back = compare_runs(a, b), compare_runs(b, a)
    assert back.difference.estimate == pytest.approx(-there.difference.estimate)
    assert back.difference.low == pytest.approx(-there.difference.high)
    assert (back.mcnemar.only_a, back.mcnemar.only_b) == (there.mcnemar.only_b, there.mcnemar.only_a)


def test_only_what_differs_is_listed(pair):
    a, b = pair
    found = compare_runs(a, b)
    for name, (one, two) in found.spec.items():
        assert one != two, name
    procedure = a.spec["procedure"] | {"model": b.spec["procedure"]["model"]}
    assert a.spec | {"seed": b.spec["seed"], "procedure": procedure} == b.spec
    assert all(name == "seed" or name.startswith("procedure.model.") for name in found.spec)
    assert found.metrics["accuracy"] == (a.facts["test"]["accuracy"], b.facts["test"]["accuracy"])


def test_everything_is_plain_json(pair):
    record = compare_runs(*pair).as_record()
    assert json.loads(json.dumps(record, allow_nan=False)) == record


def test_one_record_twice_is_refused(pair):
    with pytest.raises(UserError, match="give two different ones"):
        compare_runs(pair[0], pair[0])


def test_damage_is_refused(pair):
    a, b = pair
    write_table(a.folder / "predictions.parquet", {"label": labels(b), "prediction": labels(b)})
    with pytest.raises(UserError, match=r"is damaged \(predictions.parquet\)"):
        compare_runs(find_record(a.folder), b)


def test_other_test_images_are_refused(pair, monkeypatch):
    a, b = pair
    other = find_record(b.folder)
    monkeypatch.setattr(type(a), "damaged", lambda _self: [])
    monkeypatch.setitem(other.spec, "content", {"mine": "sha256:1"})
    with pytest.raises(UserError, match=r"different test images \('digits' and 'mine'\)"):
        compare_runs(a, other)


def test_nested_fields_get_dotted_names():
    assert flat({"a": {"b": 1, "c": {"d": 2}}, "e": [3]}) == {"a.b": 1, "a.c.d": 2, "e": [3]}


def test_runs_without_predictions_are_refused(pair, monkeypatch):
    a, b = pair
    monkeypatch.setattr(type(a), "table", lambda _self, _name: {})
    with pytest.raises(UserError, match="of kind 'train', holds no predictions on test images; give two"):
        compare_runs(a, b)
