"""Plans: seconds from timed steps, spreads from earlier records, and nothing that takes longer than the study."""

import json
import math
import shutil
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import gradlab
from gradlab.data import load
from gradlab.lab import _timing, planning
from gradlab.lab._spread import ASSUMED_SD
from gradlab.lab.designing.procedure import Pick
from gradlab.lab.planning import START_SECONDS, makespan
from gradlab.lab.records.binding import Bound
from gradlab.lab.running.local import usable_cores
from gradlab.lab.running.units import Unit
from gradlab.models import MLP
from gradlab.preparing import prepare
from gradlab.procedures import Train
from gradlab.statistics import plan as plan_power
from gradlab.training import Patience, Recipe
from gradlab.types import UserError
from tests.studied import labels as labels_of
from tests.studied import predictions, study

SMALL = {"depths": (2,), "epochs": 1, "width": 4, "seeds": 3, "device": "cpu"}


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    """An --out folder with the records of three seeds; read only."""
    out = tmp_path_factory.mktemp("plan") / "out"
    study(out, seeds=3)
    return out


def plan(out, **more):
    return gradlab.plan("residual-mlp", out=out, **(SMALL | more))


def fake_timing(monkeypatch, seconds=10.0):
    """Let timing say what it is told, and note what it was asked."""
    asked = []

    def timed(units, _request):
        asked.extend(units)
        return {unit.name: seconds for unit in units}

    monkeypatch.setattr(planning, "seconds_of", timed)
    return asked


@pytest.mark.slow
def test_where_all_runs_have_records_nothing_is_timed(finished, monkeypatch):
    asked = fake_timing(monkeypatch)
    found = plan(finished)
    assert asked == []
    names = ("plain-2", "residual-2", "residual2-2")
    assert [(one.arm, one.seconds, one.runs, one.done) for one in found.arms] == [
        (n, 0.0, 3, 3) for n in names
    ]
    assert found.seconds < 3
    assert not found.is_upper_bound


def test_records_of_another_folder_count(finished, tmp_path, monkeypatch):
    asked = fake_timing(monkeypatch)
    found = plan(tmp_path / "new", records=[finished])
    assert asked == []
    assert {one.done for one in found.arms} == {3}
    assert not (tmp_path / "new").exists()


def test_the_spread_is_that_of_earlier_records_of_this_comparison(finished):
    results = json.loads(next(finished.glob("reports/*/results.json")).read_text())
    one = next(one for one in plan(finished).claims if one.measure == "test accuracy")
    claim = next(claim for claim in results["design"]["claims"] if claim["id"] == one.claim)
    weights = claim["parts"][0]["contrast"]["weights"]
    blocks = {
        arm["name"]: results["design"]["procedures"][arm["procedure"]]["model"]
        for arm in results["design"]["arms"]
    }
    hits = np.zeros((6, 360))
    for folder in (finished / "records").iterdir():
        record = gradlab.lab.load(folder)
        for arm, weight in weights.items():
            if record.spec["procedure"]["model"] == blocks[arm]:
                hits[record.spec["seed"]] += weight * (predictions(record) == labels_of(record))
    sd, over_images = np.std(hits.mean(1), ddof=1), np.std(hits.mean(0), ddof=1)
    assert one.source == "6 earlier seeds"
    assert one.sd[0] < sd < one.sd[1]
    assert one.sample_sd == pytest.approx((over_images, over_images))
    expected = plan_power(sd=one.sd, delta=one.delta, seeds=3, claims=3, samples=360, sample_sd=one.sample_sd)
    assert one.detectable == pytest.approx(expected.effect)


def test_without_records_an_assumption_is_made_and_named(tmp_path, monkeypatch):
    asked = fake_timing(monkeypatch)
    found = plan(tmp_path)
    assert {one.source for one in found.claims} == {"assumed"}
    assert {one.sd for one in found.claims} == {ASSUMED_SD["fraction"], ASSUMED_SD["decades"]}
    assert [(one.seconds, one.done) for one in found.arms] == [(10.0, 0)] * 3
    assert [len(unit.bounds) for unit in asked] == [6] * 3
    assert found.workers == min(3, usable_cores())
    assert found.seconds == START_SECONDS + 10 * math.ceil(3 / found.workers)


def test_early_stopping_makes_it_an_upper_bound(tmp_path, monkeypatch):
    fake_timing(monkeypatch)
    model = MLP(width=4)
    for stopping, expected in ((None, False), (Patience(), True)):
        design, request, _ = of_procedures(
            tmp_path, Train(data="digits", model=model, recipe=Recipe(stopping=stopping))
        )
        assert planning.plan_design(design, request).is_upper_bound is expected


def of_procedures(out, *procedures):
    """A design whose arms do these, with the request for it."""
    design, request, facts = prepare(
        "residual-mlp", preset="quick", data="digits", data_dir=None, seeds=2, first_seed=0, device="cpu",
        precision="fp32", out=out, parameters={"depths": (2,)}, command=None,
    )  # fmt: skip
    arms = tuple(replace(arm, procedure=one) for arm, one in zip(design.arms, procedures, strict=False))
    return replace(design, arms=arms, claims=(), tables=(), figures=(), twins=()), request, facts


def test_what_a_choice_will_take_is_not_known_and_its_candidates_are_timed(tmp_path, monkeypatch):
    asked = fake_timing(monkeypatch)
    tried = tuple(
        Train(data="digits", model=MLP(width=4), recipe=Recipe(learning_rate=rate))
        for rate in (1e-3, 1e-2, 1e-1)
    )
    design, request, _ = of_procedures(tmp_path, Pick(among=tried))
    found = planning.plan_design(design, request)
    assert [unit.procedure for unit in asked] == list(tried)
    assert found.arms[0].seconds == 30.0


def unit(name, cost, *needs):
    return Unit((Bound(Train(data="x", model=MLP(), recipe=Recipe()), 0, name, {}, {}),), name, cost, needs)


def test_the_costliest_chain_goes_first_to_whoever_is_free():
    def wall(costs, workers):
        made = [unit(str(number), cost) for number, cost in enumerate(costs)]
        return makespan(made, {one.name: one.cost for one in made}, workers)

    assert wall([1, 5, 2, 2], 2) == START_SECONDS + 5
    assert wall([4, 3, 3], 2) == START_SECONDS + 6
    assert wall([], 1) == 0.5
    chain = [unit("a", 3), unit("b", 4, "a"), unit("c", 5), unit("d", 1, "elsewhere")]
    seconds = {"a": 3, "b": 4, "c": 5, "d": 1}
    assert makespan(chain, seconds, 2) == START_SECONDS + 7  # a, then b; beside it c, then d
    assert makespan(chain[:2], seconds, 2) == START_SECONDS + 7  # b waits for a, though somebody is free
    assert makespan(chain, seconds, 1) == START_SECONDS + 13


def test_one_seed_detects_nothing(finished):
    assert {one.detectable for one in plan(finished, seeds=1).claims} == {(None, None)}


def test_a_plan_is_plain_data(finished):
    assert json.loads(json.dumps(plan(finished).as_record()))["study"] == "residual-mlp"


def test_own_modules_and_data_in_memory_are_timed_by_their_owner(tmp_path):
    text = "plan times data sets and models that have a name; for your own, time one gradlab.training.fit"
    with pytest.raises(UserError, match=text):
        plan(tmp_path, data=load("digits"))


@pytest.mark.slow
def test_what_timing_refuses_is_one_sentence(tmp_path):
    design, request, _ = of_procedures(tmp_path, Train(data="digits", model=MLP(), recipe=Recipe()))
    lost = replace(request, places={"digits": str(tmp_path / "nowhere.parquet")})
    with pytest.raises(UserError, match="nowhere") as caught:
        planning.plan_design(design, lost)
    assert "\n" not in str(caught.value)


def test_what_there_is_no_time_for_is_estimated_from_the_rest(tmp_path, monkeypatch):
    """The costliest is timed first; the others follow in proportion, and equal ones are timed once."""
    design, request, _ = of_procedures(tmp_path, *(
        Train(data="digits", model=MLP(width=4), recipe=Recipe(epochs=epochs)) for epochs in (1, 4, 2)
    ))  # fmt: skip
    timed = []

    def some(units, _request):
        timed.extend(units)
        yield units[0], 8.0

    monkeypatch.setattr(_timing, "_timed", some)
    found = planning.plan_design(design, request)
    assert [one.procedure.recipe.epochs for one in timed] == [4, 2, 1]
    assert [one.seconds for one in found.arms] == [2.0, 8.0, 4.0]


@pytest.mark.slow  # other processes may run beside
def test_timed_seconds_are_of_the_order_of_the_real_ones(tmp_path):
    procedure = Train(data="digits", model=MLP(width=32, depth=6), recipe=Recipe(epochs=12, batch_size=32))
    design, request, _ = of_procedures(tmp_path, procedure)
    planned = planning.plan_design(design, request).arms[0].seconds
    begun = time.perf_counter()
    study(tmp_path / "real", depths=(6,), width=32, epochs=12, batch_size=32, seeds=6)
    real = (time.perf_counter() - begun) / 3  # three networks of that size
    assert real / 6 < planned < 4 * real
    shutil.rmtree(tmp_path / "real")


@pytest.mark.slow
def test_timing_ends_when_its_time_is_over(tmp_path, monkeypatch):
    monkeypatch.setattr(_timing, "BUDGET", 0.0)
    design, request, _ = of_procedures(tmp_path, *(
        Train(data="digits", model=MLP(width=4, depth=depth), recipe=Recipe(epochs=1)) for depth in (1, 2, 3)
    ))  # fmt: skip
    begun = time.monotonic()
    found = planning.plan_design(design, request)
    assert time.monotonic() - begun < 60
    assert all(one.seconds > 0 for one in found.arms)
