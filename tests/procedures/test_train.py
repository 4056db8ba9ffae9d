"""What a training's record holds, against the parts of the library that make it."""

import base64
import dataclasses
import getpass
import io
import json
import os
import re
import socket
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gradlab.data import from_tensors
from gradlab.lab import load
from gradlab.metrics import evaluate
from gradlab.models import MLP
from gradlab.procedures import TOOLBOX
from gradlab.procedures._predictions import logits_of, usable_logits
from gradlab.procedures.train import Train
from gradlab.training import Recipe, fit, gradient_norms, predict_logits
from gradlab.types import UserError
from tests.procedures.examples import DATA, NET, RECIPE, info, run

STRIPES = DATA["stripes"]
INITIAL = {"mean": STRIPES.mean, "std": STRIPES.std}


def trained(out, procedure=NET, seeds=(0,), **more):
    """Train, and return the records in the order of the seeds."""
    made = run(out, procedure, seeds, **more)
    return [load(out / "records" / one["record"]) for one in made["runs"]]


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("train"), seeds=(0, 1))


def network_of(record, **desk):
    from gradlab.procedures._networks import network_of as rebuild

    return rebuild(record, **desk)


def test_a_record_is_what_fit_gives(records):
    for seed, record in enumerate(records):
        network = NET.model.build(STRIPES.input_shape, 3, seed=seed, **INITIAL)
        alone = fit(network, STRIPES, RECIPE, seed=seed, device="cpu", progress=False)
        epochs, facts = record.table("epochs"), record.facts
        assert epochs["train_loss"] == pytest.approx([row["train_loss"] for row in alone.history], rel=1e-5)
        assert (facts["status"], facts["epochs"], facts["best_epoch"]) == ("finished", 3, alone.best_epoch)
        assert facts["best_epoch"] == 1 + int(np.argmin(epochs["validation_loss"]))
        assert facts["parameters"] == NET.model.parameter_count(36, 3)
        assert facts["class_names"] == list(STRIPES.class_names)
        assert record.made["seconds"] > 0
        assert record.made["peak_memory_mb"] > 50
        assert record.made["torch"] == torch.__version__.split("+")[0]
    assert records[0].facts["start"] != records[1].facts["start"]


def test_predictions_are_those_of_the_network_that_the_record_holds(records):
    for record in records:
        table = record.table("predictions")
        logits = logits_of(table)
        network = network_of(record)
        assert not network.training
        np.testing.assert_array_equal(predict_logits(network, STRIPES.test).numpy(), logits)
        np.testing.assert_array_equal(table["label"], STRIPES.test.labels.numpy())
        np.testing.assert_array_equal(table["prediction"], logits.argmax(1))
        plain = torch.nn.functional.cross_entropy(
            torch.from_numpy(logits).double(), STRIPES.test.labels, reduction="none"
        )
        np.testing.assert_allclose(table["loss"], plain.numpy(), rtol=1e-6)
        assert record.facts["test"] == pytest.approx(evaluate(logits, table["label"].astype(int)))


def test_gradients_are_those_of_the_initial_and_of_the_kept_network(records):
    rows = records[0].table("gradients")
    initial = NET.model.build(STRIPES.input_shape, 3, seed=0, **INITIAL)
    for time, network in (("start", initial), ("end", network_of(records[0]))):
        for layer in gradient_norms(network, STRIPES, batch_size=NET.probe_batch):
            for kind, norm in (("weight", layer.weight), ("bias", layer.bias)):
                chosen = (rows["time"] == time) & (rows["layer"] == layer.layer) & (rows["kind"] == kind)
                assert rows["norm"][chosen] == pytest.approx([norm], rel=1e-4)
                assert rows["index"][chosen] == [layer.index]
    assert len(rows["norm"]) == 2 * 2 * 4  # times, kinds, layers: stem, two of the blocks, head


def test_the_worst_errors_are_kept_with_their_images(records):
    table, predictions = records[0].table("errors"), records[0].table("predictions")
    logits = logits_of(predictions)
    confidence = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    wrong = np.flatnonzero(predictions["prediction"] != predictions["label"])
    assert table["confidence"] == pytest.approx(np.sort(confidence[wrong].max(1))[::-1][:10], rel=1e-5)
    for index, png in zip(table["index"], table["png"], strict=True):
        pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(png))))
        np.testing.assert_array_equal(pixels, STRIPES.test.images[int(index), 0].numpy())


def test_probes_are_at_the_stated_steps_and_the_last_and_change_no_weight(tmp_path, records):
    plain = trained(tmp_path, dataclasses.replace(NET, probe_steps=()))[0]
    for name in ("prediction", "logit_0"):
        np.testing.assert_array_equal(plain.table("predictions")[name], records[0].table("predictions")[name])
    assert "probes" not in plain.manifest["tables"]
    probes, gradients = records[0].table("probes"), records[0].table("gradients")
    steps = RECIPE.epochs * -(-len(STRIPES.train) // RECIPE.batch_size)
    assert sorted(set(probes["step"].tolist())) == [0, 2, steps]
    chosen = (gradients["time"] == "start") & (gradients["kind"] == "weight")
    start = probes["weight_gradient"][probes["step"] == 0]
    np.testing.assert_allclose(start, gradients["norm"][chosen], rtol=1e-5)


def test_a_run_that_diverges_is_recorded_with_the_place(tmp_path):
    wild = dataclasses.replace(
        NET, recipe=Recipe(optimizer="sgd", learning_rate=1e30, epochs=3, batch_size=32)
    )
    (record,) = trained(tmp_path, wild)
    assert record.facts["status"] == "diverged"
    assert re.search(r"epoch 1, step \d+ of", record.facts["note"])
    assert record.facts["best_epoch"] == 0
    initial = NET.model.build(STRIPES.input_shape, 3, seed=0, **INITIAL)
    assert torch.equal(network_of(record).head.weight, initial.head.weight)


@pytest.mark.slow
def test_a_network_that_overflows_from_the_start_counts_as_chance(tmp_path):
    deep = dataclasses.replace(NET, model=MLP(width=2, depth=300, residual=True, init="he"), probe_steps=())
    (record,) = trained(tmp_path, deep)
    logits = logits_of(record.table("predictions"))
    rows = ~np.isfinite(logits).all(1)
    assert rows.any()
    assert (record.table("predictions")["prediction"][rows] == 0).all()
    np.testing.assert_allclose(record.table("predictions")["loss"][rows], np.log(3), rtol=1e-6)
    np.testing.assert_array_equal(
        usable_logits(np.array([[1, 2], [np.nan, 3], [np.inf, 0]], dtype=np.float32)),
        [[1, 2], [0, 0], [0, 0]],
    )


def test_a_record_tells_nothing_about_the_person_or_the_machines_name(records):
    for path in records[0].folder.iterdir():
        for secret in (str(Path.home()), str(records[0].folder.parent), os.getcwd()):
            assert secret.encode() not in path.read_bytes()
    for name in (getpass.getuser(), socket.gethostname()):  # a short one stands by chance in compressed bytes
        told = json.dumps([records[0].facts, records[0].made])
        assert not re.search(rf"\b{re.escape(name)}\b", told)


def test_data_without_a_test_part_are_refused(tmp_path):
    data = {"stripes": dataclasses.replace(STRIPES, test=None)}
    with pytest.raises(UserError, match="has no test images here, so its runs cannot be judged"):
        run(tmp_path, NET, memory=data)


def test_data_that_changed_since_they_were_named_are_refused():
    images = torch.arange(60, dtype=torch.uint8)[:, None, None, None].expand(60, 1, 4, 4)
    data = from_tensors(images.contiguous(), torch.arange(60) % 2, name="digits")
    from gradlab.data import load as load_data

    with pytest.raises(
        UserError,
        match=r"Data 'digits' has changed: its checksum is .*; bring the former data back, or ask again",
    ):
        TOOLBOX.load("digits", None, data.checksum)
    assert TOOLBOX.load("digits", None, load_data("digits").checksum).name == "digits"


def test_colour_images_and_class_names_go_through(tmp_path):
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (90, 3, 5, 4), generator=generator, dtype=torch.uint8)
    data = from_tensors(images, torch.arange(90) % 3, class_names=("å", "b", "c"), name="mine")
    procedure = Train(data="mine", model=MLP(width=3), recipe=RECIPE)

    def told(name):
        known = {"name": name, "checksum": data.checksum, "input_shape": data.input_shape}
        return dataclasses.replace(info("stripes"), **known, class_names=data.class_names)

    (record,) = trained(tmp_path, procedure, memory={"mine": data}, info=told, data="mine")
    assert record.facts["class_names"] == ["å", "b", "c"]
    assert record.facts["input_shape"] == [3, 5, 4]
    assert logits_of(record.table("predictions")).shape == (len(data.test), 3)
