"""The study of adversarial training: arms that differ in one thing, claims about arms that are there, numbers by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import gradlab
from gradlab.attacks import FGSM, PGD, FastTraining, MadryTraining, MixedTraining
from gradlab.lab.running import executing as running
from gradlab.lab.running.here import run_here
from gradlab.preparing import prepare
from gradlab.studies import STUDIES, Setup, build_design
from gradlab.studies._nets import source_cnn
from gradlab.types import UserError

DIGITS = Setup(preset="quick", data="digits", train_images=1_293, class_count=10, image_size=8, channels=1)
CIFAR = Setup(
    preset="standard", data="cifar10", train_images=45_000, class_count=10, image_size=32, channels=3
)

FULL = replace(CIFAR, preset="full")


def design(where=DIGITS, **parameters):
    return build_design(STUDIES["adversarial-training"], "adversarial-training", where, parameters)


def test_trainings_differ_in_the_objective_alone_and_share_the_undefended_network():
    made = design(FULL)
    plain = made.arm("plain").procedure
    assert plain == source_cnn(FULL, "cifar10")
    assert design(CIFAR).arm("plain").procedure == source_cnn(CIFAR, "cifar10#400@16", epochs=5)
    objectives = {}
    for name in ("half", "fifth", "near", "fast", "pgd"):
        procedure = made.arm(name).procedure
        assert replace(procedure, objective=None) == plain
        objectives[name] = procedure.objective
    eps = 8 / 255
    assert {name: type(one) for name, one in objectives.items()} == {
        **dict.fromkeys(("half", "fifth", "near"), MixedTraining),
        "fast": FastTraining,
        "pgd": MadryTraining,
    }
    assert [objectives[name].clean for name in ("half", "fifth", "near")] == [0.5, 0.2, 0.5]
    assert [objectives[name].radius for name in objectives] == [eps, eps, eps / 4, eps, eps]
    assert objectives["pgd"].steps == 3


def test_few_images_are_seen_to_the_end_and_once_kept_where_they_are_best():
    made = design(CIFAR, few=1_000, few_epochs=7)
    fast, pgd, best = (made.arm(f"few-{name}").procedure for name in ("fast", "pgd", "best"))
    assert {one.train_images for one in (fast, pgd, best)} == {1_000}
    assert {one.recipe.epochs for one in (fast, pgd, best)} == {7}
    assert replace(fast, objective=pgd.objective) == pgd
    assert replace(best, recipe=replace(best.recipe, keep="last")) == pgd
    assert best.recipe.select == "robust_accuracy"


def test_on_small_data_as_few_networks_are_trained_as_the_claims_need():
    made = design()
    trained = {arm.name: arm.procedure for arm in made.arms if arm.procedure.kind == "train"}
    assert list(trained) == ["plain", "half", "pgd", "few-fast", "few-pgd"]
    assert {one.recipe.batch_size for one in trained.values()} == {64}


def test_fgsm_never_stands_alone_and_every_attack_is_one_record_a_network():
    made = design(CIFAR)
    by = {}
    for arm in made.arms:
        if arm.procedure.kind == "attack":
            by.setdefault(arm.procedure.net, set()).add(arm.procedure)
    assert len(by) == 7
    targeted = {arm.procedure.targets for arm in made.arms if arm.name.endswith("targeted")}
    assert targeted == {2}
    for attacks in by.values():
        assert PGD(steps=20, stop_at_success=True) in {one.by for one in attacks}
        assert len(attacks) == len({one.by for one in attacks})
        assert {one.images for one in attacks} == {200}
    assert sum(FGSM() in {one.by for one in attacks} for attacks in by.values()) == 4


def test_one_network_of_each_training_on_all_images_is_certified_beside_its_undefended_twin():
    for where, images, quick in ((DIGITS, 50, True), (CIFAR, 200, True), (FULL, 1_000, False)):
        made = design(where)
        nets = {arm.name: arm.procedure for arm in made.arms if arm.procedure.kind == "train"}
        found = {arm.name: arm.procedure for arm in made.arms if arm.procedure.kind == "certify"}
        assert list(found) == [f"{name}-certificate" for name in nets if not name.startswith("few")]
        for name, one in found.items():
            assert one.net == nets[name.removesuffix("-certificate")]
            assert one.twin == (None if name == "plain-certificate" else nets["plain"])
            assert (one.images, one.quick, one.net_seed) == (images, quick, 0)
        table = next(table for table in made.tables if table.name == "certificates")
        assert table.arms == tuple(found)
        assert "finding" in table.facts


def test_a_repetition_on_fresh_seeds_certifies_a_network_that_it_trains_anyway(tmp_path):
    made, request, _ = prepare(
        "adversarial-training", preset="quick", data="digits", data_dir=None, seeds=2, first_seed=100, device="cpu",
        precision="fp32", out=tmp_path, parameters={}, command=None,
    )  # fmt: skip
    assert {arm.procedure.net_seed for arm in made.arms if arm.procedure.kind == "certify"} == {100}
    assert 100 in request.seeds


def test_a_network_of_ones_own_is_trained_in_place_of_ours(tmp_path):
    given = {"data": "digits", "out": tmp_path, "seeds": 1, "device": "cpu", "first_seed": 0}
    asked = {"data_dir": None, "precision": "fp32", "preset": "quick", "command": None}
    module = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    made, request, _ = prepare("adversarial-training", **given, **asked, parameters={"network": module})
    trained = [arm.procedure for arm in made.arms if arm.procedure.kind == "train"]
    (model,) = {one.model for one in trained}
    drawn = request.modules[model.name]
    assert len(trained) == 5
    assert not torch.equal(drawn(0)[1].weight, drawn(1)[1].weight)
    assert torch.equal(drawn(1)[1].weight, drawn(1)[1].weight)
    with pytest.raises(UserError, match="'network' is a class; pass a module, such as Linear"):
        prepare("adversarial-training", **given, **asked, parameters={"network": nn.Linear})


def test_small_data_are_attacked_whole_but_in_the_preset_quick():
    brief, whole = design(), design(replace(DIGITS, preset="standard"))
    for made, images, every, epochs in ((brief, 100, 4, 2), (whole, None, 1, 8)):
        assert {arm.procedure.images for arm in made.arms if arm.procedure.kind == "attack"} == {images}
        pgd = made.arm("pgd").procedure
        assert (pgd.objective.validation_every, pgd.recipe.epochs) == (every, epochs)


def test_the_labs_claims_are_made_where_thousands_of_images_can_settle_them():
    labs = {"C000-12", "C000-17", "C000-14", "C000-15", "C002-05", "C003-08", "C003-09", "C004-16"}
    assert labs <= {claim.id for claim in design(FULL).claims}
    assert labs - {"C003-09"} == labs & {claim.id for claim in design(CIFAR).claims}
    assert {"C000-14"} == labs & {claim.id for claim in design().claims}
    for made in (design(CIFAR), design()):
        assert made.claims[0].id == "adversarial-robust"
        assert all(claim.deviations for claim in made.claims if claim.published)


def test_the_answer_names_what_the_certificate_of_one_network_leaves():
    for made in (design(FULL), design(CIFAR), design()):
        assert {"pgd-certificate", "plain-certificate"} <= {arm.name for arm in made.arms}
        for sentence in made.claims[0].says.values():
            assert (
                "on one network of each, leave {pgd-certificate}, without a defence {plain-certificate}."
                in sentence
            )


def test_foreign_images_are_others_than_the_familiar_ones():
    assert design(CIFAR).arm("plain-foreign").procedure.out == ("cifar100#20@16",)
    assert design().arm("plain-foreign").procedure.out == ("photos@8:grey",)


def test_a_radius_of_0_is_refused():
    with pytest.raises(UserError, match="a radius above 0"):
        design(eps=0)


@pytest.mark.slow
def test_on_digits_it_runs_and_its_numbers_are_those_of_the_records(tmp_path, monkeypatch):
    monkeypatch.setattr(
        running,
        "run_units",
        lambda units, bench, *, on_event, **_: run_here(units, bench, on_event=on_event),
    )
    out = tmp_path / "runs"
    made = gradlab.run(
        "adversarial-training",
        out=out,
        epochs=2,
        few_epochs=3,
        few=100,
        seeds=2,
        device="cpu",
        progress=False,
    )
    claims = made.claims.set_index("id").estimate

    def robust(arm, seed):
        table = made.record(arm, seed).table("attacked")
        rows = np.isclose(table["eps"], 32 / 255)
        logits = np.stack([table[f"logit_{k}"][rows] for k in range(10)], axis=1)
        return np.mean(
            (logits.argmax(1) == table["label"][rows]) & (table["clean"][rows] == table["label"][rows])
        )

    gap = np.mean([robust("pgd-pgd-32", seed) - robust("plain-pgd-32", seed) for seed in (0, 1)])
    assert claims["adversarial-robust"] == pytest.approx(gap, abs=1e-12)
    assert gap > 0
    assert gradlab.verify(made.folder)[0].is_sound
