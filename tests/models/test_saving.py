"""Model folders: the same bits come back, anything else is one sentence."""

import json
import pickle

import pytest
import torch
from torch import nn

from gradlab.models import MLP, load, save
from gradlab.models.saved import checksum_of, read_facts
from gradlab.types import UserError

CONFIG = MLP(width=5, depth=2, norm="batch", residual=True)


def network(config=CONFIG, seed=3):
    made = config.build((3, 4, 4), 3, seed=seed, mean=(0.1, 0.5, 0.3), std=(0.2, 0.3, 0.7))
    made(torch.rand(8, 3, 4, 4, generator=torch.Generator().manual_seed(0)))  # moves the running statistics
    return made.eval()


@pytest.fixture
def folder(tmp_path):
    return save(network(), tmp_path / "model", class_names=("cat", "dog", "cow"))


def test_a_loaded_network_has_the_same_bits(folder):
    loaded, original = load(folder), network()
    assert not loaded.training
    assert loaded.config == CONFIG
    state = original.state_dict()
    assert loaded.state_dict().keys() == state.keys()
    assert all(torch.equal(value, state[name]) for name, value in loaded.state_dict().items())
    images = torch.rand(9, 3, 4, 4)
    assert torch.equal(loaded(images), original(images))


def test_fp64_stays_fp64(tmp_path):
    loaded = load(save(network().double(), tmp_path / "model"))
    assert {p.dtype for p in loaded.parameters()} == {torch.float64}
    assert loaded(torch.rand(2, 3, 4, 4, dtype=torch.float64)).dtype == torch.float64


def test_the_json_says_what_the_network_is(folder):
    facts = json.loads((folder / "model.json").read_text())
    assert facts["model"]["width"] == 5
    assert facts["input_shape"] == [3, 4, 4]
    assert facts["class_names"] == ["cat", "dog", "cow"]
    assert facts["mean"] == pytest.approx([0.1, 0.5, 0.3])
    assert facts["std"] == pytest.approx([0.2, 0.3, 0.7])
    assert sorted(path.name for path in folder.iterdir()) == ["model.json", "model.safetensors"]


def test_classes_without_names_are_numbers_and_facts_are_kept(tmp_path):
    facts = read_facts(save(network(), tmp_path / "deep" / "model", facts={"recipe": {"epochs": 3}}))
    assert facts["class_names"] == ["0", "1", "2"]
    assert facts["recipe"] == {"epochs": 3}


def test_a_model_is_replaced_and_anything_else_is_refused(folder):
    save(network(seed=4), folder)
    assert torch.equal(load(folder).head.weight, network(seed=4).head.weight)
    (folder / "thesis.tex").write_text("years of work")
    with pytest.raises(UserError, match=r"holds something else \(thesis.tex\); give a new folder"):
        save(network(), folder)
    with pytest.raises(UserError, match="is a file; give the name of a folder"):
        save(network(), folder / "thesis.tex")
    with pytest.raises(UserError, match=r"thesis\.tex is a file; give a path in a folder"):
        save(network(), folder / "thesis.tex" / "x")
    (folder.parent / "link").symlink_to(folder.parent / "nowhere")
    with pytest.raises(UserError, match="link is a link that leads nowhere; give another path"):
        save(network(), folder.parent / "link")
    assert (folder / "thesis.tex").read_text() == "years of work"


def test_what_is_no_network_of_the_builder_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"got Linear; gradlab\.use.export_model writes any module"):
        save(nn.Linear(2, 2), tmp_path / "model")
    with pytest.raises(UserError, match="has 3 outputs, but 2 class names were given"):
        save(network(), tmp_path / "model", class_names=("a", "b"))
    assert not (tmp_path / "model").exists()


def change(folder, **facts):
    path = folder / "model.json"
    changed = json.loads(path.read_text()) | facts
    path.write_text(json.dumps(changed | {"facts_checksum": checksum_of(changed)}))


def without_checksum(folder):
    """Put the weights' own checksum into the JSON, as somebody would who changes both."""
    import hashlib

    content = (folder / "model.safetensors").read_bytes()
    change(folder, weights_checksum=f"sha256:{hashlib.sha256(content).hexdigest()}")


ODD = {
    "metrics": {"metrics": "x"},
    "part": {"metrics": {"test": 3}},
    "notes": {"data_notes": 5},
    "recipe": {"recipe": 7},
    "training": {"training": []},
    "precision": {"precision": 16},
}


def damage(folder, how):
    weights = folder / "model.safetensors"
    if how == "no folder":
        return folder / "missing"
    if how == "no weights":
        weights.unlink()
    elif how == "truncated":
        weights.write_bytes(weights.read_bytes()[:-9])
    elif how == "empty":
        weights.write_bytes(b"")
    elif how == "pickle":
        weights.write_bytes(pickle.dumps({"a": 1}))
    elif how == "torch pickle":
        torch.save(network().state_dict(), weights)
    elif how == "flipped":
        content = bytearray(weights.read_bytes())
        content[-5] ^= 1
        weights.write_bytes(bytes(content))
    elif how == "other weights":
        other = save(network(MLP(width=6, depth=2, norm="batch", residual=True)), folder.parent / "other")
        weights.write_bytes((other / "model.safetensors").read_bytes())
        without_checksum(folder)
    elif how == "smaller weights":
        other = save(network(MLP(width=2, depth=2)), folder.parent / "other")
        weights.write_bytes((other / "model.safetensors").read_bytes())
        without_checksum(folder)
    elif how == "no json":
        (folder / "model.json").write_text("{")
    elif how == "json list":
        (folder / "model.json").write_text("[]")
    elif how == "json bytes":
        (folder / "model.json").write_bytes(b"\xff\xfe\x00")
    elif how == "bad shape":
        change(folder, input_shape=[3, 4, "4"])
    elif how == "huge shape":
        change(folder, input_shape=[3, 2**19, 2**19])
    elif how == "no classes":
        change(folder, class_names=[])
    elif how == "unknown field":
        change(folder, model={"kind": "mlp", "wings": 2})
    elif how == "no model":
        change(folder, model=None)
    elif how == "edited":
        path = folder / "model.json"
        path.write_text(path.read_text().replace('"relu"', '"tanh"'))
    elif how == "later format":
        change(folder, format=99)
    elif how.startswith("odd "):
        change(folder, **ODD[how.removeprefix("odd ")])
    elif how == "bad mean":
        change(folder, mean=["x"])
    return folder


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("no folder", "holds no model"),
        ("no weights", "cannot be read"),
        ("truncated", "is damaged or no safetensors file"),
        ("empty", "is damaged or no safetensors file"),
        ("pickle", "is damaged or no safetensors file"),
        ("torch pickle", "is damaged or no safetensors file"),
        ("flipped", "is not the file that model.json beside it was written with"),
        ("other weights", r"holds weights of another network: '.*' should be of shape"),
        ("smaller weights", "holds fewer weights than its model.json describes"),
        ("no json", "model.json is damaged"),
        ("json list", "model.json is damaged"),
        ("json bytes", "model.json is damaged"),
        ("bad shape", "model.json is damaged"),
        ("huge shape", "holds fewer weights"),
        ("no classes", "model.json is damaged"),
        ("unknown field", "does not describe a network of this version"),
        ("no model", "does not describe a network of this version"),
        ("bad mean", "model.json is damaged"),
        ("edited", "model.json was changed after it was written; restore it"),
        ("later format", "is of format 99, and this version of gradlab reads format 1"),
        *((f"odd {name}", "model.json is damaged") for name in ODD),
    ],
)
def test_damage_is_one_sentence(folder, how, sentence):
    with pytest.raises(UserError, match=sentence) as caught:
        load(damage(folder, how))
    assert "\n" not in str(caught.value)
