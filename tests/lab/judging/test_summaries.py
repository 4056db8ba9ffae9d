"""Intervals from a few numbers are those from all samples; arms with a claim are never summarised."""

import json
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from gradlab.lab.judging.summaries import Summaries, summary_of, told, without_claim
from gradlab.lab.judging.tables import mean_interval
from gradlab.lab.kinds import Measure
from gradlab.lab.records.small import Traced
from gradlab.metrics import auroc_samples
from gradlab.procedures import PROCEDURES
from gradlab.types import UserError
from tests.lab.fakes import arm, claim, context, design, fake_run, part, results, study

KINDS = PROCEDURES | {"train": replace(PROCEDURES["train"], is_summarised=True)}
MEASURES = PROCEDURES["train"].measures


def axes_of(run):
    found = auroc_samples(*run.scores)
    return {"inside": found.in_distribution, "outside": found.out_of_distribution}


TWO_AXES = Measure(
    "AUROC", "fraction", "higher", lambda run: auroc_samples(*run.scores).value, axes_of, range=(0, 1)
)


def scored(seed, inside=300, outside=40):
    rng, shared = np.random.default_rng(seed), np.random.default_rng(99)
    scores = [shared.normal(mean, 1, n) + rng.normal(0, 0.5, n) for mean, n in ((0, inside), (1, outside))]
    return SimpleNamespace(kind=SimpleNamespace(measures={"AUROC": TWO_AXES}), scores=scores)


def trainings(accuracies):
    return [results(fake_run(accuracy, seed)) for seed, accuracy in enumerate(accuracies)]


@pytest.mark.parametrize(
    ("measure", "runs"),
    [
        (TWO_AXES, [scored(seed) for seed in range(6)]),
        (TWO_AXES, [scored(0)] * 3),  # the seeds show no spread
        (TWO_AXES, [scored(seed) for seed in range(1)]),
        (TWO_AXES, [scored(seed, outside=1) for seed in range(3)]),
        (MEASURES["test accuracy"], trainings([0.9, 0.95, 0.99])),
        (MEASURES["test accuracy"], trainings([1.0, 1.0])),
        (MEASURES["best epoch"], trainings([0.5, 0.6, 0.7])),
        (MEASURES["macro F1"], trainings([0.5, 0.6, 0.7])),
    ],
)
def test_the_interval_from_a_summary_is_the_one_from_the_samples(measure, runs):
    summary = json.loads(json.dumps(summary_of(measure, runs), allow_nan=False))
    whole = mean_interval(measure, runs)
    assert told(measure, summary)[3] == whole[3]
    for one, other in zip(told(measure, summary)[:3], whole[:3], strict=True):
        assert other is None if one is None else one == pytest.approx(other, rel=1e-12)
    assert len(json.dumps(summary)) < 1500  # whatever the number of samples


def test_a_value_that_is_not_finite_has_no_interval():
    undefined = Measure("AUROC", "fraction", "higher", lambda run: math.nan if run is RUNS[0] else 0.5)
    RUNS = [SimpleNamespace(kind=SimpleNamespace(measures={})) for _ in range(3)]
    mean, low, high, values = told(undefined, summary_of(undefined, RUNS))
    assert math.isnan(mean)
    assert (low, high, values[1:]) == (None, None, [0.5, 0.5])
    assert math.isnan(values[0])


ARMS = (arm("a"), arm("b"), arm("c"))
DESIGN = design(ARMS, claim("one", part("a", "b")))
RUNS = {name: [fake_run(0.9, seed) for seed in range(3)] for name in "abc"}


def test_only_arms_without_a_claim_are_summarised_and_only_of_kinds_that_say_so():
    assert without_claim(DESIGN, KINDS) == {"c"}
    assert without_claim(DESIGN, PROCEDURES) == set()
    assert without_claim(design(ARMS), KINDS) == {"a", "b", "c"}


def test_what_is_summarised_is_not_read_for_the_small_form_and_what_is_claimed_is():
    summaries, measure = Summaries(), MEASURES["test accuracy"]
    made = replace(study(DESIGN, RUNS, context((0, 1, 2)), KINDS), summaries=summaries)
    traced = replace(made, runs={name: Traced(run) for name, run in made.runs.items()})
    for name in ("a", "c"):
        assert traced.interval_of(measure, name)[:3] == pytest.approx(
            mean_interval(measure, made.arms[name])[:3], rel=1e-12
        )
        read = {column for run in traced.arms[name] for column in run.run.read}
        assert read == ({("predictions", "label"), ("predictions", "prediction")} if name == "a" else set())
    assert set(summaries.kept) == {"c"}
    again = replace(made, summaries=Summaries(summaries.kept))
    assert again.interval_of(measure, "c") == traced.interval_of(measure, "c")
    with pytest.raises(UserError, match="the small form does not hold macro F1 of arm c"):
        again.interval_of(MEASURES["macro F1"], "c")
