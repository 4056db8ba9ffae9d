"""The studies of detection on digits: arms as slices of few records, numbers by hand, everything recomputed."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

import gradlab
from gradlab.data import load
from gradlab.detection import max_softmax, names_of
from gradlab.lab.designing.procedure import walk
from gradlab.lab.records.small import read_small
from gradlab.lab.running import executing as running
from gradlab.lab.running.here import run_here
from gradlab.metrics import auroc
from gradlab.models import CNN
from gradlab.procedures import network_of
from gradlab.reporting import write_small_form
from gradlab.studies import STUDIES, Setup, build_design
from gradlab.training import predict_logits
from gradlab.verification import verify

QUIET = {"device": "cpu", "progress": False, "seeds": 2}
DIGITS = Setup(preset="quick", data="digits", train_images=1293, class_count=10, image_size=8, channels=1)


@pytest.fixture(scope="module", autouse=True)
def no_workers():
    """Everything runs in this process, which saves the start of workers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            running,
            "run_units",
            lambda units, bench, *, on_event, **_: run_here(units, bench, on_event=on_event),
        )
        yield


def design(name, **parameters):
    return build_design(STUDIES[name], name, DIGITS, parameters)


def test_galleries_are_of_detectors_that_the_study_has():
    made = design("ood-detection")
    galleries = [one for one in made.figures if one.mark == "gallery"]
    assert {one.table for one in galleries} == {"accepted", "refused", "reproduced", "reproduced foreign"}
    told = {arm.factors.get("detector") for arm in made.arms}
    names = {arm.name for arm in made.arms}
    for one in galleries:
        assert one.where.get("detector") in told
        assert one.where.get("arm", "auto-encoder") in names
    (table,) = [one for one in made.tables if "PSNR" in one.measures]
    assert set(table.arms) <= names


def test_the_weaker_network_sees_full_size_in_its_one_epoch():
    setup = Setup(
        preset="standard", data="cifar10", train_images=45_000, class_count=10, image_size=32, channels=3
    )
    made = build_design(STUDIES["ood-detection"], "ood-detection", setup, {})
    long, weak = (arm.procedure.recipe for arm in made.arms if arm.procedure.kind == "train")
    assert long.sizes
    assert (weak.sizes, weak.epochs) == ((), 1)
    assert made.setting_text.endswith(
        "tuned on validation images of its own and, as foreign ones, on imagenette[0,2-5,7-9]#100@32:rgb. The weaker CNN is "
        "trained for one epoch, on images of full size."
    )


def test_every_step_of_odin_is_claimed_and_what_is_tuned_has_no_fixed_setting():
    made = design("odin")
    (step,) = [one for one in made.claims if one.id == "C004-18"]
    assert [part.label for part in step.parts] == ["none - 0.001", "none - 0.002", "none - 0.004"]
    (far,) = [one for one in made.claims if one.id == "odin-step-far"]
    assert dict(far.parts[0].contrast.weights) == {
        "T-100 eps-0.004 photographs": 1,
        "T-100 eps-0 photographs": -1,
    }
    assert set(made.arm("odin, tuned noise").factors) == {"detector", "set"}
    assert design("odin", steps=(0.0,)).claims[0].id == "odin-temperature"


def test_the_weaker_network_differs_in_its_epochs_alone():
    long, short = (arm.procedure for arm in design("ood-detection").arms if arm.procedure.kind == "train")
    assert short.recipe.epochs < long.recipe.epochs
    recipe = replace(short.recipe, epochs=long.recipe.epochs, snapshots=long.recipe.snapshots)
    assert replace(short, recipe=recipe) == long


def test_both_studies_judge_the_same_network():
    trained = [
        {one for arm in design(name).arms for one in walk(arm.procedure) if one.kind == "train"}
        for name in ("ood-detection", "odin")
    ]
    assert trained[0] & trained[1]


def test_every_detector_on_every_set_is_an_arm_of_one_record_a_network():
    arms = [arm for arm in design("ood-detection").arms if arm.procedure.kind == "score"]
    procedures = {arm.procedure for arm in arms}
    assert len(procedures) == 2
    assert len(arms) == sum(len(names_of(one.detectors)) * len(one.out) for one in procedures)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("odin") / "runs"
    return gradlab.run(
        "odin", out=out, epochs=1, images=60, temperatures=(1.0, 10.0), steps=(0.0, 0.004), **QUIET
    )


def test_the_grid_of_odin_is_one_record_a_seed(finished):
    arms = finished.results["arms"]
    assert len(arms) == (1 + 4 + 1) * 3
    assert len({finished.record(arm["name"], 0).hash for arm in arms}) == 1


def test_auroc_is_that_of_the_recorded_network(finished):
    record = finished.record("T-10 eps-0 classes left out", 0)
    trained = gradlab.lab.load(record.folder.parent / record.spec["inputs"]["net"])
    near = predict_logits(network_of(trained), load("digits[8,9]").test)
    logits = {
        name: record.table("predictions")[name] for name in record.table("predictions") if "logit" in name
    }
    inside = np.stack([logits[f"logit_{k}"] for k in range(8)], axis=1)
    rows = record.table("foreign")["set"] == "digits[8,9]"
    assert rows.sum() <= 61
    outside = np.stack([record.table("foreign")[f"logit_{k}"][rows] for k in range(8)], axis=1)
    assert {tuple(row) for row in outside.round(3)} <= {tuple(row) for row in near.numpy().round(3)}
    shown = finished.tables["detection"].set_index("arm")["AUROC by seed"]["T 10, eps 0, classes left out"][0]
    assert shown == pytest.approx(auroc(max_softmax(inside, 10), max_softmax(outside, 10)), abs=1e-6)


def test_the_tuned_setting_is_one_of_the_grid_and_everything_is_recomputed(finished):
    facts = finished.record("odin, tuned noise", 1).facts["chosen"]["odin, tuned"]
    assert len(facts["tried"]) == 4
    assert facts["setting"] == max(facts["tried"], key=lambda one: one[1])[0]
    assert verify(finished.folder)[0].is_sound


@pytest.fixture(scope="module")
def small(finished, tmp_path_factory):
    folder = tmp_path_factory.mktemp("small") / "odin"
    write_small_form([finished.folder], folder)
    return folder


def test_the_small_form_keeps_the_scores_of_detectors_with_a_claim_alone(finished, small):
    claimed = {
        arm
        for claim in finished.results["design"]["claims"]
        for part in claim["parts"]
        for arm in part["contrast"]["weights"]
    }
    arms = {arm["name"]: arm for arm in finished.results["design"]["arms"]}
    detectors = {arms[name]["at"]["detector"] for name in claimed}
    record = finished.record(next(iter(arms)), 0)
    run = read_small(small)[record.hash]
    assert set(run.table("outside")) == {*detectors, "set"} < set(record.table("outside"))
    found = verify(small)[0]
    assert found.is_sound
    assert found.summarised == 5 * (
        len(arms) - len(claimed)
    )  # the measures of the table; the figures' are among them


def test_a_changed_summary_is_named(small, tmp_path):
    shutil.copytree(small, tmp_path / "odin")
    path = tmp_path / "odin" / "runs.json"
    runs = json.loads(path.read_text())
    arm = next(iter(runs["summaries"]))
    runs["summaries"][arm]["AUROC"]["values"][0] -= 0.01
    path.write_text(json.dumps(runs))
    told = " ".join(verify(tmp_path / "odin")[0].differences)
    assert "tables.detection" in told
    assert "runs.json is not what was written" in told


@pytest.mark.slow
def test_a_network_of_ones_own_is_judged_on_the_whole_data(tmp_path):
    data = load("digits")
    module = CNN(widths=(4,)).build(data.input_shape, 10, seed=0, mean=data.mean, std=data.std)
    result = gradlab.run("ood-detection", model=module, out=tmp_path / "runs", images=40, code=2, **QUIET)
    sets = {arm["factors"].get("set") for arm in result.results["arms"]}
    assert sets - {None} == {"photographs", "noise"}
    assert gradlab.verify(result.folder)[0].is_sound
