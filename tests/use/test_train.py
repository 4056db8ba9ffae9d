"""Model folders from single trainings: a record and an export of it; never over something else."""

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import torch

from gradlab.attacks import MadryTraining
from gradlab.augmentation import Rotation
from gradlab.lab import find_record
from gradlab.lab.records.prune import find_leftovers, prune
from gradlab.lab.running.locks import STUDY, try_lock
from gradlab.models import CNN, MLP, NETS, ViT, load, save
from gradlab.training import Patience, Recipe
from gradlab.training.fit import fit
from gradlab.types import UserError
from gradlab.use import open_trained, score, train_model
from gradlab.use.export import OWN_FACTS

COMMON = {"epochs": 4, "batch_size": 64, "learning_rate": 3e-3}
MODEL, RECIPE = MLP(width=6, depth=1), Recipe(**COMMON)
FILES = ["model.json", "model.safetensors"]


class Killed(BaseException):
    """A process that dies in the middle."""


def killed_after(epoch):
    def listen(heard):
        if heard.rows[0][1] == epoch:
            raise Killed

    return listen


def train(data, out, model=MODEL, recipe=RECIPE, **more):
    return train_model(model, data, recipe, out=out, device="cpu", progress=False, **more)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def often(monkeypatch):
    """Write a checkpoint after every epoch."""
    monkeypatch.setattr("gradlab.procedures._fits.CHECKPOINT_SECONDS", 0.0)


def test_the_folder_holds_what_fit_gives(digits, tmp_path):
    made = train(digits, tmp_path / "deep" / "model", seed=3)
    network = MODEL.build(digits.input_shape, 10, seed=3, mean=digits.mean, std=digits.std)
    expected = fit(network, digits, RECIPE, seed=3, device="cpu", progress=False)
    loaded = load(made.folder)
    for name, value in expected.model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value), name
    assert made.facts["training"]["best_epoch"] == expected.best_epoch
    assert names(made.folder) == FILES


@pytest.mark.slow
def test_a_worker_process_trains_the_same_bits(digits, tmp_path):
    here, away = train(digits, tmp_path / "here"), train("digits", tmp_path / "away", runs=tmp_path / "other")
    assert here.facts["weights_checksum"] == away.facts["weights_checksum"]
    assert here.facts["record"] == away.facts["record"]
    assert names(tmp_path / "other" / "records") == [away.facts["record"]]  # one run, not a block of six


def test_the_record_is_one_like_every_other(digits, tmp_path):
    made = train(digits, tmp_path / "model")
    record = find_record(made.facts["record"])
    assert record.damaged() == []
    assert (record.spec["block"], record.spec["seed"], record.spec["procedure"]["single"]) == (1, 0, True)
    assert open_trained(record.hash[:8]).facts["metrics"] == made.facts["metrics"]


def test_the_json_says_everything(digits, tmp_path):
    facts = train(digits, tmp_path / "model").facts
    assert (facts["data"], facts["data_checksum"], facts["seed"]) == ("digits", digits.checksum, 0)
    assert facts["recipe"]["learning_rate"] == 3e-3
    assert facts["images"] == {"train": 1293, "validation": 144, "test": 360}
    assert facts["versions"]["torch"] == torch.__version__.split("+")[0]
    assert {"gradlab", "python", "torch", "commit", "processor", "date"} == facts["provenance"].keys()
    for role in ("validation", "test"):
        again = score(open_trained(tmp_path / "model"), digits, role, device="cpu")
        assert facts["metrics"][role] == pytest.approx(again.metrics)
    assert json.loads((tmp_path / "model" / "model.json").read_text()) == facts


def test_data_without_test_images_will_do(digits, tmp_path):
    facts = train(replace(digits, test=None), tmp_path / "model").facts
    assert facts["metrics"].keys() == {"validation"}
    assert facts["images"].keys() == {"train", "validation"}


def test_a_cnn_is_trained_as_well(digits, tmp_path):
    made = train(digits, tmp_path / "model", CNN(widths=(4, 4)), Recipe(epochs=1))
    assert made.facts["model"]["kind"] == "cnn"
    assert load(made.folder)(torch.rand(2, 1, 8, 8)).shape == (2, 10)


def test_a_network_with_a_name_is_trained_and_loaded_again(digits, tmp_path):
    made = train(digits, tmp_path / "model", model="two_stage_1", recipe=Recipe(epochs=1))
    assert load(made.folder).config == NETS["two-stage-1"].config
    again = train(digits, tmp_path / "model", model=NETS["two-stage-1"].config, recipe=Recipe(epochs=1))
    assert again.was_there
    with pytest.raises(UserError, match=r"there is no network 'resnet200'; did you mean 'resnet20'\?"):
        train(digits, tmp_path / "other", model="resnet200")


def test_a_vision_transformer_is_trained_as_well(digits, tmp_path):
    model = ViT(patch=2, width=16, depth=1, heads=2)
    made = train(
        digits, tmp_path / "model", model=model, recipe=Recipe(epochs=3, learning_rate=3e-3, batch_size=32)
    )
    assert load(made.folder).config == model
    assert made.facts["metrics"]["test"]["accuracy"] > 0.2


@pytest.mark.usefixtures("often")
def test_a_killed_training_goes_on_to_the_same_bits(digits, tmp_path):
    with pytest.raises(Killed):
        train(digits, tmp_path / "model", listeners=[killed_after(3)])
    assert not (tmp_path / "model").exists()
    epochs = []
    resumed = train(digits, tmp_path / "model", listeners=[lambda one: epochs.append(one.rows[0][1])])
    whole = train(digits, tmp_path / "whole", runs=tmp_path / "other")
    assert (resumed.went_on, whole.went_on) == (True, False)
    assert epochs[0] > 2
    assert epochs[-1] == 4
    assert (resumed.folder / FILES[1]).read_bytes() == (whole.folder / FILES[1]).read_bytes()
    assert [path.suffix for path in (tmp_path / "runs" / "work").iterdir()] == [".lock"] * 3


KILLED = """
import sys
from gradlab.models import MLP
from gradlab.training import Recipe
from gradlab.use import train_model
train_model(MLP(width=64, depth=4), "digits", Recipe(epochs=400), out="model", progress=False)
"""


@pytest.mark.slow
def test_a_process_that_is_killed_outright_leaves_no_folder_and_is_gone_on_from(tmp_path):
    """SIGKILL reaches the parent alone: its worker ends by itself, and the next process goes on."""
    process = subprocess.Popen([sys.executable, "-c", KILLED], cwd=tmp_path)
    work = tmp_path / "runs" / "work"
    end = time.monotonic() + 120
    while not list(work.glob("*.safetensors")) and time.monotonic() < end:
        time.sleep(0.1)
    process.kill()
    process.wait()
    assert list(work.glob("*.safetensors"))
    assert not (tmp_path / "model").exists()
    made = train("digits", tmp_path / "model", MLP(width=64, depth=4), Recipe(epochs=400))
    assert made.went_on
    assert names(made.folder) == FILES
    assert list(work.glob("*.safetensors")) == []


def test_a_finished_model_is_not_trained_again(digits, tmp_path):
    first = train(digits, tmp_path / "model")
    changed = (first.folder / FILES[1]).stat().st_mtime_ns
    shutil.rmtree(tmp_path / "runs")  # the folder is whole by itself
    again = train(digits, tmp_path / "model", listeners=[killed_after(1)])
    assert again.was_there
    assert again.facts == first.facts
    assert (first.folder / FILES[1]).stat().st_mtime_ns == changed


def test_a_finished_record_is_exported_and_not_trained_again(digits, tmp_path):
    first = train(digits, tmp_path / "model")
    (first.folder / "model.json").unlink()  # as after a kill between the two files
    again = train(digits, tmp_path / "model", listeners=[killed_after(1)])
    assert again.was_there
    assert again.facts == first.facts


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": MLP(width=7, depth=1)}, "other width"),
        ({"recipe": Recipe(epochs=4, batch_size=64, stopping=Patience())}, "other learning rate, stopping"),
        ({"recipe": Recipe(**COMMON, augmentation=(Rotation(degrees=5),))}, "other augmentation"),
        ({"model": CNN(widths=(4,))}, "other kind, widths, .*"),
        ({"seed": 1}, "other seed"),
        ({"precision": "fp64"}, "other precision"),
    ],
)
def test_another_request_is_refused_with_what_differs(digits, tmp_path, changes, words):
    made = train(digits, tmp_path / "model")
    with pytest.raises(UserError, match=rf"holds another model \({words}\); give another --out, or delete"):
        train(digits, tmp_path / "model", **changes)
    assert len(names(tmp_path / "runs" / "records")) == 1  # nothing was trained first
    assert train(digits, tmp_path / "model").facts == made.facts


def test_a_model_that_came_meanwhile_is_not_replaced(digits, tmp_path):
    """Another process writes another model into the folder while this one trains."""

    def meanwhile(progress):
        if progress.share == 1:
            save(MLP(width=3).build((1, 8, 8), 10, seed=0), tmp_path / "model")

    with pytest.raises(UserError, match="holds another model"):
        train(digits, tmp_path / "model", listeners=[meanwhile])
    assert load(tmp_path / "model").config.width == 3


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
    assert names(tmp_path) == ["notes.txt"]


def test_leftovers_of_a_killed_writer_are_cleared(digits, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / ".model.json.x1y2.part").write_text("half")
    (folder / ".model.json.swp").write_text("of a person's editor")
    train(digits, folder)
    assert names(folder) == sorted([".model.json.swp", *FILES])


def test_while_records_are_pruned_nothing_trains(digits, tmp_path):
    """The lock of a study is held while a single network trains, too."""
    held = []
    train(
        digits,
        tmp_path / "model",
        listeners=[lambda _: held.append(try_lock(tmp_path / "runs" / "work" / STUDY))],
    )
    assert held == [None] * 4


def test_the_record_stays_while_its_model_folder_is_there(digits, tmp_path):
    made = train(digits, tmp_path / "model")
    assert prune(tmp_path / "runs").leftovers == ()
    shutil.rmtree(made.folder)
    assert [one.path.name for one in find_leftovers(tmp_path / "runs").leftovers] == [made.facts["record"]]


def test_damage_is_one_sentence(digits, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.json").write_text("{")
    with pytest.raises(UserError, match=r"model.json is damaged"):
        train(digits, folder)


def test_the_number_of_threads_is_as_before_and_in_the_facts(digits, tmp_path, monkeypatch):
    before = torch.get_num_threads()
    monkeypatch.setattr("gradlab.use.train.usable_cores", lambda: before + 1)
    made = train(digits, tmp_path / "model", threads=before + 1)
    assert torch.get_num_threads() == before
    assert made.facts["training"]["threads"] == before + 1


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
        ({"model": CNN(widths=(20_000,))}, "got 20,000 and 2"),
        ({"device": "cuda:99"}, "cuda"),
        ({"precision": "fp16"}, "fp16 on a CPU is unusably slow"),
    ],
)
def test_what_cannot_be_trained_is_one_sentence_and_leaves_no_model(digits, tmp_path, changes, sentence):
    with pytest.raises(UserError, match=sentence):
        train_model(**{"model": MODEL, "data": digits, "out": tmp_path / "m", "device": "cpu"} | changes)
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("data", ["noise", "nowhere"])
def test_data_on_which_nothing_can_be_trained_are_one_sentence(tmp_path, data):
    with pytest.raises(UserError, match=r"noise' has no train part here|No data set is called 'nowhere'"):
        train(data, tmp_path / "model")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")])
def test_too_little_memory_is_one_sentence(digits, tmp_path, monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(sys.modules["gradlab.training.fit"], "fit_stacked", fail)
    with pytest.raises(UserError, match="memory does not suffice for a network of width 6 and depth 1"):
        train(digits, tmp_path / "model")


@pytest.mark.parametrize("name", ["training", "images", "data_notes"])
def test_a_model_that_says_less_than_a_training_writes_is_refused(digits, tmp_path, name):
    made = train(digits, tmp_path / "whole")
    facts = {key: value for key, value in made.facts.items() if key not in (*OWN_FACTS, name)}
    save(load(made.folder), tmp_path / "model", class_names=digits.class_names, facts=facts)
    with pytest.raises(UserError, match="holds this model, but not as gradlab train writes it"):
        train(digits, tmp_path / "model")


def test_an_objective_trains_the_folder_and_another_one_is_another_model(digits, tmp_path):
    objective = MadryTraining(eps=0.1, steps=1, validation_steps=1)
    recipe = replace(RECIPE, epochs=1)
    made = train(digits, tmp_path / "robust", recipe=recipe, objective=objective)
    network = MODEL.build(digits.input_shape, 10, seed=0, mean=digits.mean, std=digits.std)
    expected = fit(network, digits, recipe, objective=objective, device="cpu", progress=False)
    for name, value in expected.model.state_dict().items():
        assert torch.equal(load(made.folder).state_dict()[name], value), name
    assert made.facts["objective"]["kind"] == "madry"
    assert train(digits, tmp_path / "robust", recipe=recipe, objective=objective).was_there
    for other in (None, MadryTraining(eps=0.2, steps=1, validation_steps=1)):
        with pytest.raises(UserError, match="holds another model \\(other objective\\)"):
            train(digits, tmp_path / "robust", recipe=recipe, objective=other)
