"""Fine-tuning as a procedure: what is frozen is that of the recorded source, and the network comes back."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from gradlab.attacks import FGSM
from gradlab.data import from_tensors
from gradlab.data.contents import info_of
from gradlab.lab import load
from gradlab.lab.judging.results import Results
from gradlab.models import CNN
from gradlab.procedures import PROCEDURES, Attack, FineTune, Train, network_of
from gradlab.procedures._fits import start_digest
from gradlab.training import Recipe
from gradlab.transfer import FromScratch, GradualUnfreezing, HeadOnly
from gradlab.use import open_trained
from tests.procedures.examples import DATA, info, run, stripes

RECIPE = Recipe(epochs=3, batch_size=32, learning_rate=1e-2)
NET = Train(data="stripes", model=CNN(widths=(3, 4)), recipe=RECIPE)
IMAGES, LABELS = stripes(80, seed=5)
TWO = from_tensors(IMAGES, (LABELS == 2).long(), name="two")


def told(name):
    return info_of(TWO) if name == "two" else info(name)


def tuned(folder, procedure, seeds=(0,)):
    run(folder, procedure, seeds, memory={**DATA, "two": TWO}, info=told)
    found = [load(path) for path in sorted((folder / "records").iterdir())]
    return {
        kind: [one for one in found if one.spec["procedure"]["kind"] == kind]
        for kind in ("train", "fine-tune", "attack")
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return tuned(
        tmp_path_factory.mktemp("tuned"),
        FineTune(net=NET, data="two", policy=HeadOnly(), recipe=RECIPE),
        (0, 1),
    )


def test_frozen_weights_in_the_record_are_those_of_the_sources_record(made):
    sources = {one.hash: load_file(one.folder / "weights.safetensors") for one in made["train"]}
    for record in made["fine-tune"]:
        mine = load_file(record.folder / "weights.safetensors")
        theirs = sources[record.spec["inputs"]["net"]]
        same = [name for name in theirs if not name.startswith("head.")]
        assert all(torch.equal(mine[name], theirs[name]) for name in same)
        assert mine["head.weight"].shape == (2, 4)
        frozen = record.facts["frozen"]
        assert (
            frozen["tensors"]
            == frozen["unchanged"]
            == len([one for one in same if not one.startswith("normalise")])
        )
        assert record.facts["parameters"] == 2 * (4 + 1)
        found = Results(record, PROCEDURES["fine-tune"])
        size = sum(value.numel() for name, value in theirs.items() if "weight" in name or "bias" in name)
        left = size - theirs["head.weight"].numel() - theirs["head.bias"].numel()
        assert found.kind.measures["frozen"].value(found) == pytest.approx(left / (left + 10))


def test_a_changed_frozen_tensor_would_leave_nothing_proven(made):
    found = Results(made["fine-tune"][0], PROCEDURES["fine-tune"])
    found.run.facts["frozen"]["unchanged"] -= 1
    assert found.kind.measures["frozen"].value(found) == 0
    found.run.facts["frozen"]["unchanged"] += 1


def test_the_network_comes_back_with_the_logits_of_the_record(made):
    for record in made["fine-tune"]:
        table, network = record.table("predictions"), network_of(record)
        with torch.no_grad():
            logits = network(TWO.test.images / 255).numpy()
        np.testing.assert_allclose(
            np.stack([table["logit_0"], table["logit_1"]], 1), logits, rtol=1e-4, atol=1e-5
        )
        opened = open_trained(record.folder)
        assert opened.class_names == ("0", "1")
        assert opened.data == "two"


def test_a_fine_tuned_network_can_be_attacked_like_any_other(tmp_path):
    net = FineTune(net=NET, data="two", policy=GradualUnfreezing(), recipe=RECIPE)
    made = tuned(tmp_path, Attack(net=net, data="two", by=FGSM(), eps=(0.0, 0.1)))
    (attacked,), (source,) = made["attack"], made["fine-tune"]
    clean = attacked.table("attacked")["prediction"][: len(TWO.test)]
    assert (clean == source.table("predictions")["prediction"]).all()
    assert source.table("epochs")["stage"].tolist() == [1, 2, 3]


def test_from_scratch_keeps_nothing_of_the_source(tmp_path):
    made = tuned(tmp_path, FineTune(net=NET, data="two", policy=FromScratch(), recipe=RECIPE))
    (record,) = made["fine-tune"]
    fresh = CNN(widths=(3, 4)).build((1, 6, 6), 2, seed=0)
    assert record.facts["start"] == start_digest(fresh)
    assert record.facts["frozen"] == {"share": 0.0, "tensors": 0, "unchanged": 0}
