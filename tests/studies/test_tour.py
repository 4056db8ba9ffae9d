"""The tour on digits: arms as slices, numbers by hand from the records' logits, and networks that are there already."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import gradlab
from gradlab.attacks import FGSM
from gradlab.data import gather, load
from gradlab.lab import Arm, Design
from gradlab.lab.running import executing as running
from gradlab.lab.running.here import run_here
from gradlab.models import CNN
from gradlab.procedures import Attack, Pretrained
from gradlab.procedures._networks import network_of
from gradlab.studies import STUDIES, Setup, build_design
from gradlab.studies._nets import small_cnn
from gradlab.types import UserError

QUIET = {"device": "cpu", "progress": False, "seeds": 2}
LESS = {"epochs": 1, "images": 60, "eps": (16 / 255, 32 / 255)}
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


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("tour") / "runs"


@pytest.fixture(scope="module")
def finished(out):
    return gradlab.run("tour", out=out, **LESS, **QUIET)


def records_of(out):
    return {path.parent.name: path.stat().st_mtime_ns for path in out.glob("records/*/manifest.json")}


def table(result, arm, seed, name):
    return pd.read_parquet(result.record(arm, seed).folder / f"{name}.parquet")


def logits(rows, prefix="logit_"):
    return np.stack(
        [rows[f"{prefix}{k}"] for k in range(sum(name.startswith(prefix) for name in rows))], axis=1
    )


def test_every_attack_and_all_scores_are_one_record_a_seed(finished, out):
    arms = [arm["name"] for arm in finished.results["arms"]]
    assert arms[:7] == ["net", "fgsm-0", "fgsm-16", "fgsm-32", "pgd-0", "pgd-16", "pgd-32"]
    assert len(arms) == 7 + 2 * 3
    records = {arm: finished.record(arm, 0).hash for arm in arms}
    assert len(set(records.values())) == 4
    assert records["fgsm-0"] == records["fgsm-32"] != records["pgd-32"]
    kinds = [
        json.loads((out / "records" / name / "spec.json").read_text())["procedure"]["kind"]
        for name in records_of(out)
    ]
    assert sorted(kinds) == sorted(2 * ["train", "attack", "attack", "score"])


def test_robust_accuracy_is_that_of_the_logits(finished):
    shares = {}
    for arm in ("pgd-0", "pgd-16", "pgd-32", "fgsm-16"):
        by_seed = []
        for seed in (0, 1):
            rows = table(finished, arm, seed, "attacked")
            rows = rows[np.isclose(rows["eps"], int(arm.split("-")[1]) / 255)]
            assert len(rows) in range(55, 66)
            before, after = (logits(rows, prefix).argmax(1) for prefix in ("clean_logit_", "logit_"))
            by_seed.append(np.mean((before == rows["label"]) & (after == rows["label"])))
        shares[arm] = by_seed
    shown = finished.tables["attacks"].set_index("arm")["robust accuracy by seed"]
    names = {
        arm: next(one for one in shown.index if arm.replace("-", ", eps ").upper() in one.upper())
        for arm in shares
    }
    for arm, by_seed in shares.items():
        assert np.allclose(shown[names[arm]], by_seed, atol=1e-12)
    claims = finished.claims.set_index("id").estimate
    assert claims["tour-fooled"] == pytest.approx(np.mean(shares["pgd-0"]) - np.mean(shares["pgd-32"]))
    assert claims["tour-small"] == pytest.approx(np.mean(shares["pgd-16"]) - np.mean(shares["pgd-0"]))
    assert np.mean(shares["pgd-0"]) > np.mean(shares["pgd-16"]) > np.mean(shares["pgd-32"])


def brute_force(inside, outside):
    """Share of the pairs in which the foreign image scores higher; ties count half."""
    pairs = [(out > own) + 0.5 * (out == own) for own in inside for out in outside]
    return float(np.mean(pairs))


def test_auroc_is_the_share_of_pairs_in_which_the_foreign_image_scores_higher(finished):
    means = {}
    for told, name in (
        ("classes left out", "digits[8,9]"),
        ("photographs", "photos@8:grey"),
        ("noise", "noise@8:grey"),
    ):
        found = []
        for seed in (0, 1):
            foreign = table(finished, f"max-logit {told}", seed, "foreign")
            inside = -logits(table(finished, f"max-logit {told}", seed, "predictions")).max(1)
            found.append(
                brute_force(inside.tolist(), (-logits(foreign[foreign["set"] == name]).max(1)).tolist())
            )
        means[told] = np.mean(found)
    claims = finished.claims.set_index("id").estimate
    gap = means["classes left out"] - means["photographs"]
    assert claims["tour-photographs"] == pytest.approx(gap, abs=1e-12)
    assert claims["tour-noticed"] == pytest.approx(means["classes left out"] - 0.89, abs=1e-12)
    (shown,) = (
        row for row in finished.tables["detection"].to_dict("records") if row["arm"] == "max logit, noise"
    )
    assert shown["AUROC"] == pytest.approx(means["noise"], abs=1e-12)


def test_all_of_it_is_recomputed(finished):
    assert gradlab.verify(finished.folder)[0].is_sound


def test_a_study_that_needs_the_same_network_does_not_train_again(finished, out):
    before = records_of(out)
    net = small_cnn(DIGITS, "digits[0-7]", epochs=1)
    attack = Attack(net=net, data="digits[0-7]", by=FGSM(), eps=(64 / 255,), images=20)
    design = Design(
        study="again", title="", question="", background="", setting="own", setting_text="", deviations=(),
        parameters={}, claims=(), tables=(), figures=(),
        arms=(Arm(name="strong", label="strong", factors={}, procedure=attack, at={"eps": 64 / 255}),),
    )  # fmt: skip
    again = gradlab.run(design, out=out, **QUIET)
    fresh = records_of(out).keys() - before.keys()
    assert fresh == {again.record("strong", seed).hash for seed in (0, 1)}
    assert {name: stamp for name, stamp in records_of(out).items() if name in before} == before
    assert again.record("strong", 0).spec["inputs"]["net"] == finished.record("net", 0).hash


@pytest.mark.slow
def test_the_network_of_a_record_is_attacked_without_being_trained(finished, out):
    """With data and seed of its own study even its attack is there already."""
    before = records_of(out)
    named = finished.record("net", 0).hash
    result = gradlab.run(
        "tour", data="digits[0-7]", model=named[:8], out=out, **(LESS | {"epochs": None}), **QUIET
    )
    assert result.record("pgd-16", 0).hash == finished.record("pgd-16", 0).hash
    assert "train" not in {
        result.record(arm["name"], 0).spec["procedure"]["kind"] for arm in result.results["arms"]
    }
    assert finished.record("net", 0).hash not in records_of(out).keys() - before.keys()
    assert gradlab.verify(result.folder)[0].is_sound


@pytest.mark.slow
def test_the_network_of_a_record_of_another_folder_is_judged_and_the_result_stands_alone(finished, tmp_path):
    folder = finished.record("net", 1).folder
    result = gradlab.run(
        "tour",
        data="digits[0-7]",
        model=str(folder),
        out=tmp_path / "other",
        **(LESS | {"epochs": None}),
        **QUIET,
    )
    assert result.record("fgsm-16", 1).hash == finished.record("fgsm-16", 1).hash
    assert gradlab.verify(result.folder)[0].is_sound


@pytest.mark.slow
def test_weights_in_a_file_and_a_model_folder_score_as_their_record(finished, tmp_path):
    record = finished.record("net", 0)
    network = network_of(record)
    save_file(dict(network.state_dict()), tmp_path / "cnn.safetensors")
    facts = record.facts
    file = Pretrained(
        model=CNN(widths=(16, 32)),
        weights=str(tmp_path / "cnn.safetensors"),
        input_shape=(1, 8, 8),
        classes=8,
        mean=tuple(facts["mean"]),
        std=tuple(facts["std"]),
    )
    folder = gradlab.models.save(network, tmp_path / "model")
    expected = table(finished, "max-logit noise", 0, "inside")["max-logit"]
    for number, model in enumerate((file, folder)):
        result = gradlab.run(
            "tour",
            data="digits[0-7]",
            model=model,
            out=tmp_path / str(number),
            **(LESS | {"epochs": None}),
            **QUIET,
        )
        assert np.array_equal(table(result, "max-logit noise", 0, "inside")["max-logit"], expected)
        assert result.record("max-logit noise", 0).hash == result.record("max-logit noise", 1).hash


def linear(classes=10):
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, classes))


@pytest.mark.slow
def test_an_own_module_is_attacked_and_scored_as_it_is(tmp_path):
    module = linear()
    kept = {name: value.clone() for name, value in module.state_dict().items()}
    result = gradlab.run("tour", model=module, out=tmp_path / "runs", **(LESS | {"epochs": None}), **QUIET)
    test = load("digits").test
    rows = table(result, "fgsm-0", 0, "attacked")
    rows = rows[rows["eps"] == 0]
    by_hand = module(gather(test, torch.tensor(rows["index"].tolist()))).argmax(1).numpy()
    assert np.array_equal(rows["prediction"], by_hand)
    assert all(torch.equal(kept[name], value) for name, value in module.state_dict().items())
    assert "model=Sequential" in result.results["provenance"]["command"]
    with torch.no_grad():
        module[1].weight.add_(0.1 * torch.eye(10, 64))
    other = gradlab.run("tour", model=module, out=tmp_path / "runs", **(LESS | {"epochs": None}), **QUIET)
    assert other.record("fgsm-0", 0).hash != result.record("fgsm-0", 0).hash


@pytest.mark.parametrize(
    ("model", "text"),
    [
        pytest.param(linear(7), "one logit for each of the 10 classes of 'digits'", id="classes"),
        pytest.param(nn.Linear(9, 10), "cannot read the 1×8×8 images of 'digits'", id="shape"),
        pytest.param(nn.Linear, "'model' must be a trained torch.nn.Module", id="a class"),
        pytest.param(3, "got int", id="number"),
        pytest.param("abc123", "no record in ", id="no record"),
        pytest.param("nowhere/model", "there is no model nowhere/model", id="no folder"),
    ],
)
def test_a_network_that_does_not_fit_is_one_sentence(tmp_path, model, text):
    with pytest.raises(UserError) as caught:
        gradlab.run("tour", model=model, out=tmp_path / "runs", **(LESS | {"epochs": None}), **QUIET)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_model_is_one_sentence(tmp_path):
    save_file({"weight": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(UserError, match="holds no network by itself"):
        gradlab.run("tour", model=tmp_path / "other.safetensors", out=tmp_path / "runs", **QUIET)
    other = Pretrained(
        model=CNN(widths=(4,)), weights=str(tmp_path / "other.safetensors"), input_shape=(1, 8, 8), classes=10
    )
    with pytest.raises(UserError, match="holds weights of another network"):
        gradlab.run("tour", model=other, out=tmp_path / "runs", **(LESS | {"epochs": None}), **QUIET)


def test_data_of_three_classes_are_refused():
    with pytest.raises(UserError, match="needs at least four, got 3"):
        build_design(
            STUDIES["tour"],
            "tour",
            DIGITS.__class__(preset="quick", data="x", train_images=9, class_count=3),
            {},
        )
