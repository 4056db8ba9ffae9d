import dataclasses
import math
import shutil
import time

import numpy as np
import pytest
from gradlab.lab.design import Custom
from gradlab.lab.executor import usable_cores
from gradlab.lab.plan import ASSUMED_SD, START_SECONDS, _makespan, plan_design
from gradlab.lab.record import Record
from gradlab.lab.run import Request, arm_specs, run_design
from gradlab.lab.timing import block_seconds

from gradlab.data import info
from gradlab.models.mlp import MLP
from gradlab.statistics import plan as plan_power
from gradlab.training.recipe import Recipe
from gradlab.types import UserError
from tests.lab.fakes import arm, design, small_design

FACTS = info("digits")


def request(out, seeds=(0, 1, 2)):
    return Request(preset="quick", data="digits", seeds=seeds, out=out, device="cpu")


def test_where_all_runs_have_records_nothing_is_timed(finished, monkeypatch):
    monkeypatch.setattr("gradlab.lab.plan._timed", lambda *_: pytest.fail("timed"))
    found = plan_design(small_design(), request(finished), FACTS)
    assert [(one.arm, one.seconds, one.runs, one.done) for one in found.arms] == [
        (name, 0.0, 3, 3) for name in ("plain-1", "skip-1", "plain-2", "skip-2")
    ]
    assert found.seconds < 3
    assert not found.is_upper_bound


def test_the_spread_is_that_of_earlier_records_of_this_comparison(finished):
    claims = {
        (one.claim, one.label): one for one in plan_design(small_design(), request(finished), FACTS).claims
    }
    assert set(claims) == {("T-1", "depth 1"), ("T-1", "depth 2"), ("T-2", "part")}
    specs = {one.name: arm_specs(one, request(finished), FACTS, "cpu") for one in small_design().arms}
    accuracy = {
        name: [
            float((r.predictions == r.labels).mean())
            for s in of_arm.values()
            for r in [Record(finished / "records" / s.hash)]
        ]
        for name, of_arm in specs.items()
    }
    for depth in (1, 2):
        one = claims["T-1", f"depth {depth}"]
        sd = np.std(np.subtract(accuracy[f"skip-{depth}"], accuracy[f"plain-{depth}"]), ddof=1)
        assert one.source == "6 earlier seeds"
        assert one.sd[0] < sd < one.sd[1]
        expected = plan_power(
            sd=one.sd, delta=0.01, seeds=3, claims=2, parts=2, samples=360, sample_sd=one.sample_sd
        )
        assert one.detectable == pytest.approx(expected.effect)


def test_without_records_an_assumption_is_made_and_named(finished, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "gradlab.lab.plan._timed", lambda blocks, _request: {block.name: 10.0 for block in blocks}
    )
    shutil.copytree(finished / "records", tmp_path / "records")
    longer = small_design(epochs=3)
    found = plan_design(longer, request(tmp_path), FACTS)
    assert {one.source for one in found.claims} == {"assumed"}
    assert {one.sd for one in found.claims} == {ASSUMED_SD["fraction"], ASSUMED_SD["decades"]}
    assert [(one.seconds, one.done) for one in found.arms] == [(10.0, 0)] * 4
    assert found.workers == min(4, usable_cores())
    assert found.seconds == START_SECONDS + 10 * math.ceil(4 / found.workers)


def test_early_stopping_makes_it_an_upper_bound(tmp_path, monkeypatch):
    from gradlab.training.stopping import Patience

    monkeypatch.setattr(
        "gradlab.lab.plan._timed", lambda blocks, _request: {block.name: 1.0 for block in blocks}
    )
    assert plan_design(small_design(stopping=Patience(patience=1)), request(tmp_path), FACTS).is_upper_bound


def test_the_costliest_block_goes_first_to_whoever_is_free():
    assert _makespan([1, 5, 2, 2], 2) == START_SECONDS + 5
    assert _makespan([4, 3, 3], 2) == START_SECONDS + 6
    assert _makespan([], 1) == 0.5


def test_one_seed_detects_nothing(finished):
    found = plan_design(small_design(), request(finished, seeds=(0,)), FACTS)
    assert {one.detectable for one in found.claims} == {(None, None)}


def test_a_plan_is_plain_data(finished):
    import json

    found = plan_design(small_design(), request(finished), FACTS)
    assert json.loads(json.dumps(found.as_record()))["study"] == "tiny"


def test_own_modules_and_data_in_memory_are_timed_by_their_owner(tmp_path, digits):
    text = "plan times data sets and models that have a name; for your own, time one gradlab.training.fit"
    with pytest.raises(UserError, match=text):
        plan_design(design((arm("a", Custom(name="a", digest="0")),)), request(tmp_path), FACTS)
    with pytest.raises(UserError, match=text):
        plan_design(small_design(), dataclasses.replace(request(tmp_path), dataset=digits), FACTS)


def test_what_timing_refuses_is_one_sentence(tmp_path):
    asked = dataclasses.replace(request(tmp_path), data="nowhere")
    with pytest.raises(UserError, match="nowhere") as caught:
        plan_design(design((arm("a"),)), asked, FACTS)
    assert "\n" not in str(caught.value)


def test_timed_seconds_are_of_the_order_of_the_real_ones(tmp_path, digits):
    """Within a factor, since other processes may run beside: what is guarded is a forgotten epoch or step."""
    recipe = Recipe(epochs=12, batch_size=32)
    one = arm("a", MLP(width=32, depth=6), recipe)
    asked = dataclasses.replace(request(tmp_path, seeds=(0, 1, 2, 3, 4, 5)), dataset=digits)
    specs = list(arm_specs(one, asked, FACTS, "cpu").values())
    planned = block_seconds(specs, digits)
    begun = time.perf_counter()
    run_design(design((one,)), asked, FACTS)
    real = time.perf_counter() - begun
    assert real / 6 < planned < 3 * real
    half = block_seconds(
        [dataclasses.replace(spec, recipe=dataclasses.replace(recipe, epochs=1)) for spec in specs], digits
    )
    assert 3 < planned / half < 48
