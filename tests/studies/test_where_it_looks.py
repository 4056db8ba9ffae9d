"""The study on the planted patch, run with one method fewer images, and its designs."""

import numpy as np
import pytest

import gradlab
from gradlab.explain import CAM
from gradlab.lab.running import executing as running
from gradlab.lab.running.here import run_here
from gradlab.procedures import Given
from gradlab.studies import STUDIES, build_design
from tests.studies.setups import setup


def design(name="where-it-looks", data="digits", preset="quick", **options):
    return build_design(STUDIES[name], name, setup(preset, data), options)


def test_every_method_stands_beside_random_maps_and_edges():
    names = [arm.name for arm in design().arms]
    assert len(names) == 10 + 2 + 2
    assert {"random", "edges", "grad-cam untrained", "net"} < set(names)
    other = [arm.name for arm in design(data="mnist").arms]
    assert {"own grad-cam", "own edges"} < set(other)
    assert len(other) == 14 + 12


def test_mosaics_are_explained_by_networks_trained_here_alone():
    claims = {one.id for one in design(data="mnist").claims}
    assert "looks-object" in claims
    explained = {arm.name: arm.procedure for arm in design(data="mnist").arms}
    assert explained["own edges"].mosaic
    assert not explained["edges"].mosaic
    given = design(data="mnist", model=Given(name="mine", digest="0" * 64))
    assert "looks-object" not in {one.id for one in given.claims}
    assert not any(getattr(arm.procedure, "mosaic", False) for arm in given.arms)


def test_large_photographs_are_judged_by_where_maps_lie_alone():
    made = build_design(
        STUDIES["where-it-looks"], "where-it-looks", setup("standard", "cifar10", image_size=64), {}
    )
    arms = {arm.name: arm.procedure for arm in made.arms}
    assert (arms["own edges"].images, arms["own edges"].faithfulness, arms["edges"].faithfulness) == (
        75,
        False,
        True,
    )
    claims = {one.id for one in made.claims}
    assert "looks-object" in claims
    assert "looks-grad-cam-own" not in claims
    for table in made.tables:
        assert table.name in ("cells",) or not any(name.startswith("own ") for name in table.arms)


def test_all_methods_of_a_network_are_one_record():
    made = design()
    assert len({arm.procedure for arm in made.arms if arm.procedure.kind == "explain"}) == 2
    assert any(isinstance(one, CAM) for one in made.arms[0].procedure.methods)


@pytest.mark.slow
def test_the_patch_is_found_and_what_knows_nothing_is_not(tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            running,
            "run_units",
            lambda units, bench, *, on_event, **_: run_here(units, bench, on_event=on_event),
        )
        result = gradlab.run("where-it-looks", out=tmp_path, seeds=2, images=30, device="cpu", progress=False)
    shown = result.tables["pointing"].set_index("arm").pointing
    assert shown["grad-cam, planted"] > 0.95
    assert shown["edges, planted"] < 0.3
    assert shown["grad-cam, untrained"] < 0.5
    table = result.record("grad-cam", 0).table("maps")
    mine = np.asarray(table["pointing"])[np.asarray(table["method"]).astype(str) == "grad-cam"]
    assert mine.size == 30
    assert gradlab.verify(result.folder)[0].is_sound


def test_attention_has_each_comparison_on_the_same_images():
    made = design("attention-under-attack", data="mnist")
    arms = {arm.name: arm for arm in made.arms}
    compared = {name for claim in made.claims for part in claim.parts for name in part.contrast.weights}
    assert len({arms[name].procedure for name in compared}) == 1
    assert {arm.name for arm in made.arms} - compared == {
        "reversed before",
        "shown attack",
        "shown noise",
        "shown reversed",
    }
    for claim in made.claims:
        groups = {arms[name].at["group"] for part in claim.parts for name in part.contrast.weights}
        targets = {arms[name].at["target"] for part in claim.parts for name in part.contrast.weights}
        assert len(targets) == 1
        assert groups == ({"fooled"} if claim.id != "attention-fooled" else {"fooled", "not fooled"})


def test_published_claims_are_of_another_setting_and_not_told_of_other_data_or_networks():
    given = Given(name="mine", digest="0" * 64)
    for name, claim_id in (
        ("where-it-looks", "looks-object"),
        ("attention-under-attack", "attention-scatters"),
    ):
        (known,) = (one for one in design(name, data="cifar10").claims if one.id == claim_id)
        assert known.published is not None
        assert known.deviations
        for options in ({"data": "mnist"}, {"data": "cifar10", "model": given}):
            assert not any(one.published for one in design(name, **options).claims)


def test_what_fails_and_what_is_open_is_said_of_every_method():
    for one in design(data="cifar10").claims:
        if "faithful" in one.statement:
            assert set(one.says) == {"supported", "refuted", "open"}
            assert "{fails}" in one.says["refuted"]
            assert "{undecided}" in one.says["open"]


def test_the_effect_of_fooling_is_what_exceeds_that_of_noise_in_each_group():
    (claim,) = (one for one in design("attention-under-attack").claims if one.id == "attention-fooled")
    assert claim.parts[0].contrast.weights == {
        "noise": 1,
        "attack": -1,
        "noise not fooled": -1,
        "attack not fooled": 1,
    }
