import json
import re
from pathlib import Path

import pytest

from gradlab.lab import find_record
from gradlab.metrics import METRICS
from gradlab.models import MLP, save
from tests.studied import labels, predictions


@pytest.fixture
def record(out):
    return find_record(sorted((out / "records").iterdir())[0])


def test_a_record_is_scored_on_its_own_data(ask, out, record):
    answer = ask("evaluate", record.hash[:8], "--runs", out)
    assert answer.code == 0
    text = answer.out
    accuracy = float((predictions(record) == labels(record)).mean())
    assert f"{record.hash} on 360 test images of digits" in text
    assert re.search(rf"accuracy +{accuracy:.4f} +\[0\.\d{{4}}, 0\.\d{{4}}\] +fraction", text)
    for metric in METRICS.values():
        assert metric.title in text
    assert len(re.findall(r"^\d +3[5-7] ", text, flags=re.MULTILINE)) == 10
    assert "FLOPs an image" in text


def test_json_has_every_number(ask, record):
    found = json.loads(ask("evaluate", record.folder, "--json").out)
    assert found["metrics"].keys() == METRICS.keys()
    assert found["intervals"].keys() == {"accuracy", "top_5"}
    low, high = found["intervals"]["accuracy"]
    assert low < found["metrics"]["accuracy"] < high
    assert len(found["classes"]) == 10
    assert found["network"]["parameters"] == record.facts["parameters"]


def test_layers_and_other_parts(ask, record):
    text = ask("evaluate", record.folder, "--part", "train", "--layers").out
    assert "1,293 train images" in text
    assert "The network was trained on images of this part" in text
    assert "MLPNetwork, images 1×8×8" in text
    assert "1,797 images of all parts" in ask("evaluate", record.folder, "--part", "all").out


def test_an_exported_folder_scores_the_same(ask, out, record):
    assert ask("runs", "export", record.hash[:8], "--runs", out, "--out", "model").code == 0
    one, two = (json.loads(ask("evaluate", place, "--json").out) for place in (record.folder, "model"))
    assert one["metrics"] == two["metrics"]


def test_a_model_that_knows_no_data_needs_some(ask, tmp_path):
    save(MLP().build((1, 8, 8), 10, seed=0), tmp_path / "model")
    assert "does not say what it was trained on; give --data" in ask("evaluate", "model").sentence
    assert ask("evaluate", "model", "--data", "digits").code == 0


@pytest.mark.parametrize(
    ("place", "words", "sentence"),
    [
        (
            "record",
            ["--data", "noise"],
            "reads images 1×8×8 (channels, height, width), but those of 'noise' are 3×32×32",
        ),
        ("record", ["--part", "tset"], "--part cannot be 'tset'; did you mean 'test'?"),
        ("record", ["--data", ""], "an empty name names no data"),
        ("", [], "an empty name names no model"),
        ("nowhere", [], "there is no model nowhere"),
        ("..", [], "holds no model"),
        ("weights.pt", [], "is a program or a pickle, which could run anything"),
    ],
)
def test_a_mistake_is_one_sentence(ask, record, tmp_path, place, words, sentence):
    (tmp_path / "weights.pt").write_bytes(b"\x80")
    model = record.folder if place == "record" else place
    assert sentence in ask("evaluate", model, *words).sentence


def test_data_of_ones_own_that_are_not_found_again_are_asked_for(ask, tmp_path):
    save(MLP().build((1, 8, 8), 10, seed=0), tmp_path / "model", facts={"data": "skies"})
    expected = "model was trained on data of your own, 'skies'; say with --data where they lie."
    assert ask("evaluate", "model").sentence == expected
    assert "No data set is called 'skies'" in ask("evaluate", "model", "--data", "skies").sentence


def test_a_path_that_a_stranger_s_model_names_is_not_read(ask, tmp_path, monkeypatch):
    monkeypatch.setattr("gradlab.data.load", lambda *_, **__: pytest.fail("was read"))
    for path in (str(tmp_path), "/dev/zero", "../x", f"{tmp_path}:grey"):
        folder = tmp_path / "models" / str(len(path))
        save(MLP().build((1, 8, 8), 10, seed=0), folder, facts={"data": path})
        assert "was trained on data of your own" in ask("evaluate", folder).sentence


def test_damage_is_one_sentence(ask, tmp_path):
    save(MLP().build((1, 8, 8), 10, seed=0), tmp_path / "model")
    weights = Path("model/model.safetensors")
    weights.write_bytes(weights.read_bytes()[:100])
    assert "is damaged or no safetensors file" in ask("evaluate", "model").sentence
