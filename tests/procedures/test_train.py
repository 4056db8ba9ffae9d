import dataclasses
import getpass
import json
import os
import re
import socket
from pathlib import Path

import numpy as np
import pytest
import torch

from gradlab.data import from_tensors
from gradlab.lab.procedure import peak_memory_mb, provenance, train_block
from gradlab.lab.record import Record
from gradlab.lab.run import Request, arm_specs, facts_of
from gradlab.metrics import evaluate
from gradlab.models.mlp import MLP
from gradlab.training import Recipe, gradient_norms
from gradlab.types import UserError
from tests.lab.fakes import RECIPE, arm


@pytest.fixture
def block(tmp_path, digits):
    request = Request(preset="quick", data="digits", dataset=digits, seeds=(0, 1), out=tmp_path, device="cpu")
    model = MLP(width=6, depth=2, residual=True)
    specs = list(arm_specs(arm("a", model), request, facts_of(request), "cpu").values())
    return specs[:2]


def train(specs, digits, out: Path, **more) -> list[Record]:
    train_block(specs, digits, records=out / "records", checkpoint=out / "work" / "c", commit="abc", **more)
    return [Record(out / "records" / spec.hash) for spec in specs]


def test_a_record_holds_what_the_run_was(tmp_path, digits, block):
    threads = torch.get_num_threads()
    heard = []
    first, second = train(block, digits, tmp_path, on_epoch=heard.append)
    assert torch.get_num_threads() == threads
    assert [epoch.epoch for epoch in heard] == [1, 2, 3]
    assert heard[0].seeds == (0, 1)
    for record, seed in ((first, 0), (second, 1)):
        facts = record.facts
        assert record.spec.seed == seed
        assert facts["status"] == "finished"
        assert facts["epochs"] == len(record.epochs["epoch"]) == RECIPE.epochs
        losses = record.epochs["validation_loss"]
        assert facts["best_epoch"] == 1 + int(np.argmin(losses))
        assert facts["parameters"] == MLP(width=6, depth=2).parameter_count(64, 10)
        assert facts["class_names"] == list(digits.class_names)
        assert facts["provenance"]["commit"] == "abc"
        assert facts["cost"]["seconds"] > 0
        assert facts["test"] == pytest.approx(evaluate(record.logits, record.labels))
        np.testing.assert_array_equal(record.predictions, record.logits.argmax(1))
        np.testing.assert_array_equal(record.labels, digits.test.labels.numpy())
    assert not (first.logits == second.logits).all()
    assert not (tmp_path / "work" / "c").exists()


def test_gradients_are_those_of_the_initial_and_of_the_kept_network(tmp_path, digits, block):
    record = train(block, digits, tmp_path)[0]
    initial = record.spec.model.build((1, 8, 8), 10, seed=0, mean=digits.mean, std=digits.std)
    for time, network in (("start", initial), ("end", record.model())):
        rows = record.gradients
        for layer in gradient_norms(network, digits, batch_size=128):
            for kind, norm in (("weight", layer.weight), ("bias", layer.bias)):
                chosen = (rows["time"] == time) & (rows["layer"] == layer.layer) & (rows["kind"] == kind)
                assert rows["norm"][chosen] == pytest.approx([norm], rel=1e-5)
                assert rows["index"][chosen] == [layer.index]
    assert len(rows["norm"]) == 2 * 2 * 4  # times, kinds, layers: stem, two of the blocks, head


def test_the_worst_errors_are_kept_with_their_images(tmp_path, digits, block):
    import base64
    import io

    from PIL import Image

    record = train(block, digits, tmp_path)[0]
    table = record.errors
    assert len(table["index"]) == 10
    confidence = np.exp(record.logits) / np.exp(record.logits).sum(1, keepdims=True)
    wrong = np.flatnonzero(record.predictions != record.labels)
    expected = np.sort(confidence[wrong].max(1))[::-1][:10]
    assert table["confidence"] == pytest.approx(expected, rel=1e-5)
    for index, png in zip(table["index"], table["png"], strict=True):
        pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(png))))
        np.testing.assert_array_equal(pixels, digits.test.images[int(index), 0].numpy())


def test_a_paused_block_goes_on_from_its_checkpoint_and_ends_alike(tmp_path, digits, block, monkeypatch):
    monkeypatch.setattr("gradlab.lab.procedure.CHECKPOINT_SECONDS", 0.0)
    whole = train(block, digits, tmp_path / "whole")

    class Stopped(Exception):  # noqa: N818
        pass

    def stop(epoch) -> None:
        if epoch.epoch == 2:
            raise Stopped

    with pytest.raises(Stopped):
        train(block, digits, tmp_path / "cut", on_epoch=stop)
    assert (tmp_path / "cut" / "work" / "c").exists()
    heard = []
    cut = train(block, digits, tmp_path / "cut", on_epoch=heard.append)
    assert [epoch.epoch for epoch in heard] == [3]
    for one, other in zip(whole, cut, strict=True):
        for name in (
            "epochs.parquet",
            "gradients.parquet",
            "predictions.parquet",
            "weights.safetensors",
            "spec.json",
        ):
            assert (one.folder / name).read_bytes() == (other.folder / name).read_bytes()


def test_a_run_that_diverges_is_recorded_with_the_place(tmp_path, digits, block):
    wild = Recipe(optimizer="sgd", learning_rate=1e30, epochs=3, batch_size=64)
    (record, _) = train([dataclasses.replace(spec, recipe=wild) for spec in block], digits, tmp_path)
    assert record.facts["status"] == "diverged"
    assert re.search(r"epoch 1, step \d+ of", record.facts["note"])
    assert np.isnan(record.epochs["train_loss"]).any()
    assert record.facts["best_epoch"] == 0
    initial = record.spec.model.build((1, 8, 8), 10, seed=0, mean=digits.mean, std=digits.std)
    assert torch.equal(record.model().head.weight, initial.head.weight)


def test_a_network_that_overflows_from_the_start_counts_as_chance(tmp_path, digits, block):
    deep = MLP(width=2, depth=300, residual=True, init="he")
    (record,) = train([dataclasses.replace(block[0], model=deep)], digits, tmp_path)
    assert record.facts["status"] == "diverged"
    assert not np.isfinite(record.logits).all()
    rows = ~np.isfinite(record.logits).all(1)
    assert (record.predictions[rows] == 0).all()
    assert record.damaged() == []


def test_a_record_tells_nothing_about_the_person_or_the_machines_name(tmp_path, digits, block):
    record = train(block, digits, tmp_path)[0]
    text = "".join(path.read_text() for path in record.folder.glob("*.json"))
    binary = b"".join(path.read_bytes() for path in record.folder.iterdir())
    for secret in (str(Path.home()), str(tmp_path), os.getcwd()):
        assert secret not in text
        assert secret.encode() not in binary
    for name in (
        getpass.getuser(),
        socket.gethostname(),
    ):  # a short name stands by chance in compressed bytes
        assert not re.search(rf"\b{re.escape(name)}\b", json.dumps(record.facts))


def test_data_without_a_test_part_are_refused(tmp_path, digits, block):
    with pytest.raises(UserError, match="has no test images here, so its runs cannot be judged"):
        train(block, dataclasses.replace(digits, test=None), tmp_path)


def test_a_users_own_module_trains_only_where_it_lives(tmp_path, digits, block):
    from gradlab.lab.design import Custom

    specs = [dataclasses.replace(spec, model=Custom(name="mine", digest="0")) for spec in block[:1]]
    with pytest.raises(UserError, match="'mine' trains in the process that holds it"):
        train(specs, digits, tmp_path)


def test_colour_images_and_class_names_go_through(tmp_path):
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (90, 3, 5, 4), generator=generator, dtype=torch.uint8)
    data = from_tensors(images, torch.arange(90) % 3, class_names=("å", "b", "c"), name="mine")
    request = Request(preset="quick", data="mine", dataset=data, seeds=(0,), out=tmp_path, device="cpu")
    specs = list(arm_specs(arm("a", MLP(width=3)), request, facts_of(request), "cpu").values())
    record = train(specs[:1], data, tmp_path)[0]
    assert record.facts["class_names"] == ["å", "b", "c"]
    assert record.facts["input_shape"] == [3, 5, 4]
    assert record.logits.shape == (len(data.test), 3)


def test_provenance_names_versions():
    found = provenance("abc")
    assert found["torch"] == torch.__version__.split("+")[0]
    assert found["commit"] == "abc"
    assert set(found) == {"gradlab", "python", "torch", "commit", "processor", "date"}
    assert peak_memory_mb("cpu") > 50


def test_probes_of_stated_steps_and_drawn_images_are_recorded_and_change_no_weight(tmp_path, digits, block):
    few = [dataclasses.replace(spec, train_images=100) for spec in block]
    probed = [dataclasses.replace(spec, probe_steps=(0, 2)) for spec in few]
    plain, seen = train(few, digits, tmp_path), train(probed, digits, tmp_path)
    steps = RECIPE.epochs * -(-100 // RECIPE.batch_size)
    for one, other in zip(plain, seen, strict=True):
        np.testing.assert_array_equal(one.logits, other.logits)
        assert len(one.probes["step"]) == 0
        assert not (one.folder / "probes.parquet").exists()
        assert sorted(set(other.probes["step"].tolist())) == [0, 2, steps]
        assert "probes.parquet" in json.loads((other.folder / "files.json").read_text())
        start = other.probes["weight_gradient"][other.probes["step"] == 0]
        table = other.gradients
        chosen = (table["time"] == "start") & (table["kind"] == "weight")
        np.testing.assert_allclose(start, table["norm"][chosen], rtol=1e-5)
