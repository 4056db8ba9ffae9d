"""The studies of attacks: their arms, their labs' settings, and on digits numbers from the records by hand."""

import numpy as np
import pytest
import torch

import gradlab
from gradlab.attacks import robustness
from gradlab.data import load
from gradlab.lab.running import executing as running
from gradlab.lab.running.here import run_here
from gradlab.procedures import network_of
from gradlab.studies import STUDIES, Setup, build_design
from gradlab.studies._nets import shared_net
from gradlab.studies._shared import LABS

DIGITS = Setup(preset="quick", data="digits", train_images=1293, class_count=10, image_size=8, channels=1)
CIFAR = Setup(
    preset="standard", data="cifar10", train_images=45_000, class_count=10, image_size=32, channels=3
)
NAMES = ("attacks", "fgsm-budget", "targeted-attacks")


def design(name, where, **parameters):
    return build_design(STUDIES[name], name, where, parameters)


@pytest.mark.parametrize("where", [DIGITS, CIFAR], ids=["digits", "cifar10"])
@pytest.mark.parametrize("name", NAMES)
def test_all_attack_the_network_that_the_others_train_as_well(name, where):
    made = design(name, where)
    assert {arm.procedure.net for arm in made.arms} == {shared_net(where, where.data)}
    assert {arm.procedure.data for arm in made.arms} == {where.data}
    assert all(arm.at["eps"] in arm.procedure.eps for arm in made.arms)


def test_every_attack_with_a_radius_stands_beside_noise_of_the_same_size():
    made = design("attacks", CIFAR)
    radii = {
        kind: [
            arm.at["eps"]
            for arm in made.arms
            if arm.procedure.by.kind == kind and not arm.name.startswith("pgd")
        ]
        for kind in ("noise", "fgsm", "iterative-fgsm", "apgd", "square", "genetic")
    }
    searched = {kind: radii.pop(kind) for kind in ("square", "genetic")}
    assert all(one == radii["noise"] for one in radii.values())
    assert radii["noise"] == [level / 255 for level in (0.5, 1, 2, 4)]
    assert all(one == radii["noise"][-2:] for one in searched.values())
    assert any(arm.procedure.by.kind == "autoattack" for arm in made.arms)
    assert not any(arm.procedure.by.kind == "autoattack" for arm in design("attacks", DIGITS).arms)


def test_the_curve_over_radii_leaves_out_the_pixel_that_may_change_by_all_of_its_range():
    made = design("attacks", CIFAR)
    (drawn,) = (one for one in made.figures if one.x == "eps")
    left_out = {
        arm.procedure.by.kind for arm in made.arms if arm.factors["attack"] not in drawn.where["attack"]
    }
    assert left_out == {"few-pixel"}


def test_lab_003s_ten_steps_without_a_limit_are_ten_steps_within_ten_times_their_size():
    """0.5/255 in [-1, 1] is 0.25/255 of the pixel range, and so on."""
    arms = [arm for arm in design("fgsm-budget", CIFAR).arms if arm.name.startswith("iterated")]
    assert [arm.procedure.by.step_size * 255 for arm in arms] == pytest.approx([0.25, 0.5, 1, 2])
    assert [arm.at["eps"] for arm in arms] == pytest.approx([10 * arm.procedure.by.step_size for arm in arms])
    assert {arm.procedure.by.steps for arm in arms} == {10}


def test_lab_004s_radii_are_told_on_the_pixel_scale():
    """0.01, 0.05, 0.1, 0.2 and 0.3 of an image divided by standard deviations of about 0.2."""
    single = [arm.at["eps"] * 255 for arm in design("fgsm-budget", CIFAR).arms if arm.name.startswith("fgsm")]
    assert single == pytest.approx([0, 0.5, 2.6, 5.1, 10.3, 15.4])
    assert single[1:] == pytest.approx([level * 0.2 * 255 for level in (0.01, 0.05, 0.1, 0.2, 0.3)], rel=0.02)


@pytest.mark.parametrize("name", NAMES[1:])
def test_published_claims_name_a_known_lab_and_the_setting_says_what_differs(name):
    made = design(name, CIFAR)
    told = [claim.published for claim in made.claims if claim.published]
    assert len(told) >= 4
    assert {one.source.split(",")[0].removeprefix("lab ") for one in told} <= set(LABS)
    assert any("not published" in one for one in made.deviations)
    assert {"C000-16", "C001-12", "C003-10", "C003-11"} <= {
        one.id for one in made.claims
    } or name == "fgsm-budget"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            running,
            "run_units",
            lambda units, bench, *, on_event, **_: run_here(units, bench, on_event=on_event),
        )
        out = tmp_path_factory.mktemp("targeted") / "runs"
        yield gradlab.run("targeted-attacks", images=40, seeds=2, out=out, device="cpu", progress=False)


@pytest.mark.slow
def test_its_numbers_are_those_of_robustness_and_of_the_logits(finished):
    arms = [arm["name"] for arm in finished.results["arms"]]
    strongest = next(arm for arm in reversed(arms) if arm.startswith("class-"))
    record = finished.record(strongest, 0)
    table = record.table("attacked")
    rows = np.isclose(table["eps"], table["eps"].max())
    data = load("digits")
    network = network_of(gradlab.lab.find_record(record.spec["inputs"]["net"], finished.folder.parent.parent))
    test = data.test.images[torch.from_numpy(table["index"][rows].astype(np.int64))].float() / 255
    with torch.no_grad():
        assert np.array_equal(network(test).argmax(1).numpy(), table["clean"][rows])
    assert not (table["label"] == 2).any()
    logits = np.stack([table[f"logit_{k}"] for k in range(10)], axis=1)
    right = table["clean"][rows] == table["label"][rows]
    share = (logits[rows].argmax(1) == 2)[right].mean()
    shown = finished.tables["attacks"].set_index("arm")["attack success by seed"]
    label = next(
        name for name in shown.index if name.startswith("class 2") and strongest.split("-")[1] in name
    )
    assert shown[label][0] == pytest.approx(share)
    labels = torch.from_numpy(table["label"][rows].astype(np.int64))
    by = design("targeted-attacks", DIGITS).arms[0].procedure.by
    judged = robustness(network, (test, labels), by, eps=[float(table["eps"].max())], targets=2)
    assert judged.table["attack success"][0] == pytest.approx(share)


@pytest.mark.slow
def test_its_pictures_tell_the_networks_own_predictions_and_all_is_recomputed(finished):
    figures = {figure["name"]: figure for figure in finished.results["figures"]}
    gallery = next(figure for name, figure in figures.items() if name.startswith("gallery-random"))
    assert gallery["items"]
    assert all(item["label"] != item["prediction"] for item in gallery["items"])
    assert [list(one.differences) for one in gradlab.verify(finished.folder)] == [[]]
