"""What an attack writes: targets, what each image cost, pictures, and older tables without these."""

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from gradlab.attacks import FGSM, PGD, DeepFool, Genetic, Square, robustness
from gradlab.attacks.numbers import COLUMNS
from gradlab.data import gather
from gradlab.lab import load
from gradlab.lab.judging.results import Results
from gradlab.procedures import PROCEDURES, network_of
from gradlab.procedures.attack import ATTACK, fooled_view
from gradlab.types import UserError
from tests.procedures.examples import DATA, EXAMPLES, run

STRONG = replace(EXAMPLES["attack"], eps=(0.3, 0.6))
AT = {"eps": 0.6}


def records(out, procedure):
    """Run an attack; returns its record, and that of the training whose network it attacked."""
    run(out, procedure)
    found = map(load, (out / "records").iterdir())
    attack = next(one for one in found if one.spec["procedure"]["kind"] == "attack")
    return {"attack": attack, "train": load(out / "records" / attack.spec["inputs"]["net"])}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return records(tmp_path_factory.mktemp("attack"), STRONG)


def test_its_columns_are_those_of_robustness(tmp_path):
    """FGSM draws nothing, so that its run can be compared bit by bit."""
    both = records(tmp_path, replace(STRONG, by=FGSM()))
    table = both["attack"].table("attacked")
    judged = robustness(network_of(both["train"]), DATA["stripes"], FGSM(), eps=(0.3, 0.6))
    for eps in (0.3, 0.6):
        rows = np.isclose(table["eps"], eps)
        for name in COLUMNS:
            np.testing.assert_array_equal(table[name][rows], judged.of("fgsm", eps).columns[name])


def test_measures_are_over_the_slice_and_the_view_holds_its_successes(finished):
    found = Results(finished["attack"], ATTACK, AT)
    table = found.table("attacked")
    right = table["clean"] == table["label"]
    fooled = right & (table["prediction"] != table["label"])
    assert fooled.sum() > 0
    assert ATTACK.measures["attack success"].value(found) == pytest.approx(fooled.sum() / right.sum())
    assert ATTACK.measures["queries to success"].value(found) == pytest.approx(
        table["queries"][fooled].mean()
    )
    drop = (table["clean_confidence"] - table["confidence"])[right].mean()
    assert ATTACK.measures["confidence drop"].value(found) == pytest.approx(drop, rel=1e-5)
    view = fooled_view(found)
    assert view["prediction"].tolist() == table["prediction"][fooled].tolist()


def test_pictures_show_the_image_the_attacked_one_and_the_change_with_the_networks_own_prediction(finished):
    record, network = finished["attack"], network_of(finished["train"])
    shown = record.table("examples")
    assert 1 <= len(shown["png"]) <= 12
    test = DATA["stripes"].test
    for row in range(len(shown["png"])):
        pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(str(shown["png"][row])))))
        assert pixels.shape == (6, 3 * 6 + 2)
        image = gather(test, torch.tensor([int(shown["index"][row])]))
        assert np.abs(pixels[:, :6] / 255 - image[0, 0].numpy()).max() < 0.003
        attacked = torch.tensor(pixels[:, 7:13] / 255, dtype=torch.float32)[None, None]
        assert float((attacked - image).abs().max()) <= shown["eps"][row] + 0.003
        logits = network(attacked).detach()
        assert (
            abs(float(logits.softmax(1)[0, int(shown["prediction"][row])]) - shown["confidence"][row]) < 0.05
        )
        assert shown["prediction"][row] != shown["label"][row]


@pytest.mark.parametrize("targets", [2, "least-likely", "random"])
def test_targets_are_other_classes_and_a_success_is_the_target(targets, tmp_path):
    record = records(tmp_path, replace(STRONG, targets=targets))["attack"]
    table = record.table("attacked")
    assert (table["target"] != table["label"]).all()
    if targets == 2:
        assert set(table["target"]) == {2}
        assert len(table["label"]) == 2 * int((DATA["stripes"].test.labels != 2).sum())
    one, two = (table["target"][np.isclose(table["eps"], eps)] for eps in (0.3, 0.6))
    assert np.array_equal(one, two)  # the same targets at every radius
    found = Results(record, ATTACK, AT)
    view = fooled_view(found)
    rows = (found.table("attacked")["prediction"] == found.table("attacked")["target"]).sum()
    assert len(view["label"]) <= rows
    told = PROCEDURES["attack"].describe(replace(STRONG, targets=targets), found)["recipe"]
    assert told.endswith({2: "towards class 2"}.get(targets, f"towards {targets} classes"))


def test_a_class_that_the_data_do_not_have_is_refused(tmp_path):
    with pytest.raises(UserError, match="has the classes 0 to 2, got the target 7"):
        run(tmp_path, replace(STRONG, targets=7))


def test_a_minimum_norm_attack_gives_accuracy_at_every_radius(tmp_path):
    record = records(tmp_path, replace(STRONG, by=DeepFool(norm="linf")))["attack"]
    table = record.table("attacked")
    near, far = (np.isclose(table["eps"], eps) for eps in (0.3, 0.6))
    fooled = table["prediction"] != table["label"]
    assert (fooled[near] <= fooled[far]).all()
    assert (table["linf"][near] <= 0.3 + 1e-6).all()
    both = fooled[near] & fooled[far]
    assert np.array_equal(table["linf"][near][both], table["linf"][far][both])


def test_a_table_from_before_is_still_judged_and_checked(finished):
    class Old:
        def __init__(self, record):
            self.run, self.facts, self.spec, self.hash = record, record.facts, record.spec, record.hash

        def table(self, name):
            whole = self.run.table(name)
            new = {"target", "l0", "ssim", "psnr", "iterations", "queries", "clean_confidence", "confidence"}
            return {column: values for column, values in whole.items() if column not in new}

    old, whole = (Results(one, ATTACK, AT) for one in (Old(finished["attack"]), finished["attack"]))
    for name in ("robust accuracy", "clean accuracy", "attack success"):
        assert ATTACK.measures[name].value(old) == ATTACK.measures[name].value(whole)
    assert np.isnan(ATTACK.measures["SSIM"].value(old))
    assert ATTACK.check(old) == []


def test_a_plan_counts_queries_as_passes_forward():
    """A pass forward is a third of one forward and back."""

    def cost(by):
        made = replace(EXAMPLES["attack"], by=by, eps=(0.1,), images=128)
        return PROCEDURES["attack"].cost(made, {made.data: {"test": 360}})

    assert cost(Square(queries=300)) == pytest.approx(cost(PGD(steps=100)))
    assert cost(Genetic(population=6, generations=50)) == pytest.approx(cost(PGD(steps=100)))
