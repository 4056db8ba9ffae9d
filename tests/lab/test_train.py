"""Model folders from training: resume to the bit, never over something else."""

import json

import pytest
import torch
from gradlab.lab.export import OWN_FACTS
from gradlab.lab.locks import try_lock
from gradlab.lab.scores import score

from gradlab.augmentation import Rotation
from gradlab.lab import open_trained, train_model
from gradlab.models import MLP, load, save
from gradlab.training import Patience, Recipe
from gradlab.training.fit import fit
from gradlab.types import UserError

COMMON = {"epochs": 4, "batch_size": 64, "learning_rate": 3e-3}
MODEL, RECIPE = MLP(width=6, depth=1), Recipe(**COMMON)


class Killed(BaseException):
    """A process that dies in the middle."""


def killed_after(epoch):
    def listen(heard):
        if heard.epoch == epoch:
            raise Killed

    return listen


def train(digits, out, model=MODEL, recipe=RECIPE, **more):
    return train_model(model, digits, recipe, out=out, device="cpu", progress=False, **more)


def test_the_folder_holds_what_fit_gives(digits, tmp_path):
    made = train(digits, tmp_path / "deep" / "model", seed=3)
    network = MODEL.build(digits.input_shape, 10, seed=3, mean=digits.mean, std=digits.std)
    expected = fit(network, digits, RECIPE, seed=3, device="cpu", progress=False)
    loaded = load(made.folder)
    for name, value in expected.model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value), name
    assert made.facts["training"]["best_epoch"] == expected.best_epoch
    assert sorted(path.name for path in made.folder.iterdir()) == ["model.json", "model.safetensors"]


def test_the_json_says_everything(digits, tmp_path):
    facts = train(digits, tmp_path / "model").facts
    assert (facts["data"], facts["data_checksum"], facts["seed"]) == ("digits", digits.checksum, 0)
    assert facts["recipe"]["learning_rate"] == 3e-3
    assert facts["images"] == {"train": 1293, "validation": 144, "test": 360}
    assert facts["versions"]["torch"] == torch.__version__.split("+")[0]
    for role in ("validation", "test"):
        again = score(open_trained(tmp_path / "model"), digits, role, device="cpu")
        assert facts["metrics"][role] == pytest.approx(again.metrics)
    assert json.loads((tmp_path / "model" / "model.json").read_text()) == facts


def test_a_killed_training_goes_on_to_the_same_bits(digits, tmp_path):
    with pytest.raises(Killed):
        train(digits, tmp_path / "model", listeners=[killed_after(3)])
    assert not (tmp_path / "model" / "model.json").exists()
    epochs = []
    resumed = train(digits, tmp_path / "model", listeners=[lambda one: epochs.append(one.epoch)])
    whole = train(digits, tmp_path / "whole")
    assert resumed.went_on
    assert 0 < len(epochs) < 4
    assert (resumed.folder / "model.safetensors").read_bytes() == (
        whole.folder / "model.safetensors"
    ).read_bytes()
    assert sorted(path.name for path in resumed.folder.iterdir()) == ["model.json", "model.safetensors"]


def test_a_finished_model_is_not_trained_again(digits, tmp_path):
    first = train(digits, tmp_path / "model")
    changed = (first.folder / "model.safetensors").stat().st_mtime_ns
    again = train(digits, tmp_path / "model", listeners=[killed_after(1)])
    assert again.was_there
    assert again.facts == first.facts
    assert (first.folder / "model.safetensors").stat().st_mtime_ns == changed


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": MLP(width=7, depth=1)}, "other width"),
        ({"recipe": Recipe(epochs=4, batch_size=64, stopping=Patience())}, "other learning rate, stopping"),
        ({"recipe": Recipe(**COMMON, augmentation=(Rotation(degrees=5),))}, "other augmentation"),
        ({"seed": 1}, "other seed"),
        ({"precision": "fp64"}, "other precision"),
    ],
)
def test_another_request_is_refused_with_what_differs(digits, tmp_path, changes, words):
    train(digits, tmp_path / "model")
    with pytest.raises(UserError, match=rf"holds another model \({words}\); give another --out, or delete"):
        train(digits, tmp_path / "model", **changes)
    with pytest.raises(Killed):
        train(digits, tmp_path / "begun", listeners=[killed_after(1)])
    with pytest.raises(UserError, match=rf"the beginning of another training \({words}\)"):
        train(digits, tmp_path / "begun", **changes)


def test_an_augmented_model_is_not_taken_for_a_plain_one(digits, tmp_path):
    train(digits, tmp_path / "model", recipe=Recipe(**COMMON, augmentation=(Rotation(degrees=5),)))
    with pytest.raises(UserError, match=r"other augmentation"):
        train(digits, tmp_path / "model")


def test_anything_else_in_the_folder_is_kept(digits, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match=r"holds something else \(notes.txt\)"):
        train(digits, tmp_path)
    with pytest.raises(UserError, match="is a file; give the name of a folder"):
        train(digits, tmp_path / "notes.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_an_empty_folder_is_taken(digits, tmp_path):
    (tmp_path / "model").mkdir()
    assert not train(digits, tmp_path / "model").was_there


def test_leftovers_of_a_killed_writer_are_cleared(digits, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / ".model.json.x1y2").write_text("half")
    (folder / "training.safetensors.77.tmp").write_text("half")
    train(digits, folder)
    assert sorted(path.name for path in folder.iterdir()) == ["model.json", "model.safetensors"]


def test_two_processes_do_not_train_in_one_folder(digits, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    with try_lock(folder / "training.lock"), pytest.raises(UserError, match="another process is training in"):
        train(digits, folder)


@pytest.mark.parametrize("name", ["training.json", "model.json"])
def test_damage_is_one_sentence(digits, tmp_path, name):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / name).write_text("{")
    (folder / "training.safetensors").write_text("")
    with pytest.raises(UserError, match=rf"{name} is damaged"):
        train(digits, folder)


def test_the_number_of_threads_is_as_before(digits, tmp_path, monkeypatch):
    before = torch.get_num_threads()
    monkeypatch.setattr("gradlab.lab.train.usable_cores", lambda: before + 1)
    train(digits, tmp_path / "model", threads=before + 1)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"threads": 0},
            r"threads counts those of PyTorch and must lie between 1 and the \d+ usable cores, got 0",
        ),
        ({"threads": 100_000}, "usable cores, got 100000"),
        ({"seed": -1}, "seed must be a whole number from 0 to 2147483647, got -1"),
        ({"seed": 10**23}, f"got {10**23}"),
        ({"model": MLP(width=10**9)}, "width goes up to 10,000 and depth to 1,000, got 1,000,000,000 and 2"),
        ({"model": MLP(widths=(4,) * 1002)}, "got 4 and 1,001"),
    ],
)
def test_numbers_beyond_every_machine_are_one_sentence(digits, tmp_path, changes, sentence):
    with pytest.raises(UserError, match=sentence):
        train(digits, tmp_path / "model", **changes)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")])
def test_too_little_memory_is_one_sentence(digits, tmp_path, monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("gradlab.lab.train.fit", fail)
    with pytest.raises(UserError, match="memory does not suffice for a network of width 6 and depth 1"):
        train(digits, tmp_path / "model")


@pytest.mark.parametrize("there", [True, False])
def test_a_training_that_never_began_leaves_the_folder_to_the_next(digits, tmp_path, there):
    folder = tmp_path / "model"
    if there:
        folder.mkdir()
    with pytest.raises(UserError, match="cuda"):
        train_model(MODEL, digits, RECIPE, out=folder, device="cuda:99", progress=False)
    assert folder.exists() == there
    (tmp_path / "killed").mkdir()
    (tmp_path / "killed" / "training.json").write_text('{"seed": 9}')  # before the first epoch, outright
    for place in (folder, tmp_path / "killed"):
        assert not train(digits, place).went_on
        assert sorted(path.name for path in place.iterdir()) == ["model.json", "model.safetensors"]


@pytest.mark.parametrize("name", ["training", "images", "data_notes"])
def test_a_model_that_says_less_than_a_training_writes_is_refused(digits, tmp_path, name):
    made = train(digits, tmp_path / "whole")
    facts = {key: value for key, value in made.facts.items() if key not in (*OWN_FACTS, name)}
    save(load(made.folder), tmp_path / "model", class_names=digits.class_names, facts=facts)
    with pytest.raises(UserError, match="holds this model, but not as gradlab train writes it"):
        train(digits, tmp_path / "model")
