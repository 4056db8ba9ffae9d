"""The study of transfer: its data, its arms, networks that are shared, and on digits its numbers from the records."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import gradlab
from gradlab.data import load
from gradlab.lab.designing.procedure import walk
from gradlab.lab.running import executing as running
from gradlab.lab.running.here import run_here
from gradlab.procedures import network_of
from gradlab.studies import STUDIES, Setup, build_design
from gradlab.studies._shared import LABS
from gradlab.studies._transfer_data import Pair, pair_of
from gradlab.transfer import HEADS, POLICIES, features
from gradlab.types import UserError
from tests.studies.setups import setup

DIGITS = Setup(preset="quick", data="digits", train_images=1293, class_count=10, image_size=8, channels=1)


def cifar(preset="standard", data="cifar10", size=32):
    return Setup(preset=preset, data=data, train_images=45_000, class_count=10, image_size=size, channels=3)


def design(where, **parameters):
    return build_design(STUDIES["transfer"], "transfer", where, parameters)


@pytest.mark.parametrize(
    ("where", "pair"),
    [
        (DIGITS, Pair("digits[0-4]", "digits[5-9]", 5)),
        (cifar("full"), Pair("cifar10", "cifar100", 100)),
        (cifar(), Pair("cifar10#1200@16", "cifar100#100@16", 100)),
        (cifar("quick"), Pair("cifar10#400@16", "cifar100#20@16", 100)),
        (cifar(data="cifar10@12", size=12), Pair("cifar10#1200@12", "cifar100#100@12", 100)),
        (setup("standard", "mnist", image_size=28), Pair("mnist[0-4]#2400@16", "mnist[5-9]#2000@16", 5)),
        (setup("full", "mnist", image_size=28), Pair("mnist[0-4]", "mnist[5-9]", 5)),
    ],
)
def test_the_data_are_those_of_the_labs_or_two_halves_of_the_classes(where, pair):
    assert pair_of(where) == pair


def test_a_target_can_be_named_and_classes_that_cannot_be_halved_are_refused():
    assert pair_of(DIGITS, "digits[3-7]") == Pair("digits", "digits[3-7]", None)
    with pytest.raises(UserError, match="at least four of them"):
        pair_of(Setup(preset="quick", data="two", train_images=100, class_count=2))
    with pytest.raises(UserError, match="halves the classes of 'cifar10"):
        pair_of(cifar(data="cifar10[0-7]"))


def test_every_head_and_every_policy_is_an_arm_on_one_source():
    made = design(cifar())
    heads = {arm.procedure.head.kind for arm in made.arms if arm.procedure.kind == "fit-head"}
    policies = {arm.procedure.policy.kind for arm in made.arms if arm.procedure.kind == "fine-tune"}
    assert heads == set(HEADS)
    assert policies == set(POLICIES)
    assert len({one for arm in made.arms for one in walk(arm.procedure) if one.kind == "train"}) == 1
    budgets = {arm.procedure.recipe.epochs for arm in made.arms if arm.procedure.kind == "fine-tune"}
    assert len(budgets) == 1
    assert {arm.procedure.data for arm in made.arms if arm.name != "source"} == {"cifar100#100@16"}


@pytest.mark.parametrize("where", [cifar(), cifar("quick"), cifar("full"), setup("standard", "mnist")])
def test_the_network_that_is_transferred_is_the_one_that_teaches(where):
    source = design(where).arm("source").procedure
    other = build_design(STUDIES["distillation"], "distillation", where, {})
    same = source.model, source.recipe
    assert (other.arm("teacher").procedure.model, other.arm("teacher").procedure.recipe) == same
    if where.data == "cifar10":
        assert other.arm("teacher").procedure == source


def test_published_rates_are_those_of_the_lab_and_its_claims_say_what_differs():
    made = design(cifar("full"))
    recipes = {arm.name: arm.procedure.recipe for arm in made.arms if arm.procedure.kind == "fine-tune"}
    assert {one.learning_rate for name, one in recipes.items() if name != "all-sgd"} == {1e-3}
    assert (recipes["all-sgd"].learning_rate, recipes["all-sgd"].momentum) == (0.01, 0.9)
    assert {one.epochs for one in recipes.values()} == {100}
    claims = {one.id: one for one in made.claims}
    assert {"C000-07", "C001-04", "C004-06", "C004-07"} <= set(claims)
    for claim in claims.values():
        if claim.published is not None:
            assert claim.deviations
            assert claim.published.source.split(",")[0].removeprefix("lab ") in LABS
    assert "16.95 %" in claims["C000-07"].published.value
    assert "44.86 %" in claims["C001-04"].published.value
    assert "55.41 %" in claims["C004-06"].published.value
    reduced = design(cifar())
    assert "instead of cifar10 to cifar100" in reduced.deviations[0]
    assert any("ResNet-8" in one for one in reduced.deviations)


def test_its_parameters_reach_the_recipes():
    made = design(DIGITS, epochs=2, source_epochs=3)
    assert made.arm("source").procedure.recipe.epochs == 3
    assert made.arm("all").procedure.recipe.epochs == 2


# --- run ---


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            running,
            "run_units",
            lambda units, bench, *, on_event, **_: run_here(units, bench, on_event=on_event),
        )
        out = tmp_path_factory.mktemp("transfer") / "runs"
        yield gradlab.run(
            "transfer", epochs=1, source_epochs=1, seeds=2, out=out, device="cpu", progress=False
        )


@pytest.mark.slow
def test_its_numbers_follow_from_the_records_and_its_pages_are_sound(finished):
    shares = {}
    for arm in ("all", "scratch", "linear-svm", "nearest-neighbours", "gradual", "last-block"):
        tables = [finished.record(arm, seed).table("predictions") for seed in (0, 1)]
        shares[arm] = [float((one["prediction"] == one["label"]).mean()) for one in tables]
    shown = finished.tables["accuracy"].set_index("method")["test accuracy by seed"]
    for arm, label in (("all", "all layers, Adam"), ("linear-svm", "linear SVM")):
        assert np.allclose(shown[label], shares[arm])
    found = finished.claims.set_index("id").estimate
    means = {arm: np.mean(values) for arm, values in shares.items()}
    assert found["transfer-scratch"] == pytest.approx(means["all"] - means["scratch"])
    assert found["transfer-gradual"] == pytest.approx(means["gradual"] - means["all"])
    assert found["transfer-last-block"] == pytest.approx(means["last-block"] - means["all"])
    assert [list(one.differences) for one in gradlab.verify(finished.folder)] == [[]]


@pytest.mark.slow
def test_the_validation_accuracy_of_heads_and_trainings_stands_in_one_table(finished):
    shown = finished.tables["accuracy"].set_index("method")["validation accuracy by seed"]
    head = finished.record("lda", 0)
    assert shown["LDA"][0] == pytest.approx(head.facts["validation"]["accuracy"])
    tuned = finished.record("head", 1)
    column = tuned.table("epochs")["validation_accuracy"]
    assert shown["head alone"][1] == pytest.approx(column[tuned.facts["best_epoch"] - 1])


@pytest.mark.slow
def test_all_rest_on_one_network_a_seed_whose_frozen_part_they_keep(finished):
    sources = {seed: finished.record("source", seed) for seed in (0, 1)}
    for seed, source in sources.items():
        weights = load_file(source.folder / "weights.safetensors")
        for arm in ("head", "last-block"):
            tuned = finished.record(arm, seed)
            assert tuned.spec["inputs"]["net"] == source.hash
            mine = load_file(tuned.folder / "weights.safetensors")
            assert torch.equal(mine["stem.0.weight"], weights["stem.0.weight"])
        for arm in ("linear-svm", "naive-bayes"):
            assert finished.record(arm, seed).spec["inputs"]["net"] == source.hash
    network = network_of(sources[0])
    rows = finished.record("lda", 0).table("embedding")
    found = features(network, load("digits[5-9]").test[rows["index"].astype(np.int64)]).double()
    centred = found - found.mean(0)
    total = float(centred.var(0).sum())
    plane = np.stack([rows["x"], rows["y"]], axis=1)
    assert 0 < plane.var(0, ddof=1).sum() <= total * (1 + 1e-5)
    assert plane.var(0)[0] >= plane.var(0)[1]
