"""The network of a training after one of its epochs: its weights, its predictions, and what is refused."""

from dataclasses import replace

import pytest
import torch

from gradlab.attacks import FGSM
from gradlab.lab import load
from gradlab.models import FastCNN
from gradlab.procedures import Attack, FromRecord, Snapshot, network_of
from gradlab.training import fit
from gradlab.types import UserError
from tests.procedures.examples import DATA, KEPT, NET, run

STRIPES = DATA["stripes"]


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("snapshots")
    for epoch in (1, 2):
        snapshot = Snapshot(net=KEPT, data="stripes", epoch=epoch)
        run(folder, Attack(net=snapshot, data="stripes", by=FGSM(), eps=(8 / 255,)), (0, 1))
    return folder


def records(out, kind):
    found = [load(path) for path in sorted((out / "records").iterdir())]
    return [one for one in found if one.spec["procedure"]["kind"] == kind]


def test_it_is_the_network_that_a_training_of_that_length_has(out):
    trained = {one.hash: one for one in records(out, "train")}
    found = records(out, "snapshot")
    assert len(found) == 4
    for record in found:
        source = trained[record.spec["inputs"]["net"]]
        seed = source.spec["seed"]
        start = NET.model.build((1, 6, 6), 3, seed=seed, mean=STRIPES.mean, std=STRIPES.std)
        epochs = record.spec["procedure"]["epoch"]
        recipe = replace(
            NET.recipe, epochs=epochs, keep="last"
        )  # the rate is constant, so a short training is its start
        again = fit(start, STRIPES, recipe, seed=seed, progress=False).model.eval()
        network = network_of(record)
        with torch.no_grad():
            images = STRIPES.test.images / 255
            torch.testing.assert_close(network(images), again(images), rtol=1e-4, atol=1e-4)
            assert (network(images).argmax(1).numpy() == record.table("predictions")["prediction"]).all()
        assert record.spec["seed"] is None
        assert record.facts["parameters"] == source.facts["parameters"]


def test_weights_that_no_step_changes_are_not_among_its_parameters(tmp_path):
    net = replace(KEPT, model=FastCNN(widths=(4,)))
    run(tmp_path, Snapshot(net=net, data="stripes", epoch=1), (0,))
    (trained,), (after,) = records(tmp_path, "train"), records(tmp_path, "snapshot")
    network = network_of(after)
    assert after.facts["parameters"] == trained.facts["parameters"]
    assert after.facts["parameters"] < sum(one.numel() for one in network.parameters())


def test_another_procedure_attacks_it(out):
    attacked = records(out, "attack")
    assert len(attacked) == 4
    snapshots = {one.hash: one for one in records(out, "snapshot")}
    for record in attacked:
        before = snapshots[record.spec["inputs"]["net"]].table("predictions")["prediction"]
        assert (record.table("attacked")["clean"] == before).all()


def test_an_epoch_that_is_not_kept_is_refused(out):
    with pytest.raises(UserError, match="weights of epochs 1, 2, not of 3"):
        Snapshot(net=KEPT, data="stripes", epoch=3)
    with pytest.raises(UserError, match="weights of epochs none, not of 1"):
        Snapshot(net=NET, data="stripes", epoch=1)
    record = records(out, "train")[0]
    late = Snapshot(net=FromRecord(record=record.hash), data="stripes", epoch=3)
    with pytest.raises(UserError, match="holds no weights of epoch 3"):
        run(out, late)
