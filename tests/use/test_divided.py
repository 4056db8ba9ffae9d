"""`gradlab train` in two processes, as torchrun starts them: one record, one model folder, the network of one process."""

import json
import time

import pytest
import torch

from gradlab.models import MLP, load
from gradlab.training import Recipe
from gradlab.types import UserError
from gradlab.use import train_model
from gradlab.use._divided import divided
from tests.training.divided import run_two, two
from tests.training.examples import assert_states_close

TRAIN = [
    "gradlab.cli",
    "train",
    "mlp",
    "--width",
    "6",
    "--depth",
    "1",
    "--batch-size",
    "64",
    "--device",
    "cpu",
]


def test_two_processes_write_one_record_and_the_model_that_one_trains(tmp_path):
    first, second = run_two([*TRAIN, "--epochs", "2", "--out", "both"], tmp_path)
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert first.stdout.endswith("Model: both\n")
    assert (second.stdout, second.stderr) == ("", "")
    facts = json.loads((tmp_path / "both" / "model.json").read_text())
    assert facts["training"]["processes"] == 2
    assert [one.name for one in (tmp_path / "runs" / "records").iterdir()] == [facts["record"]]
    alone = train_model(
        MLP(width=6, depth=1),
        "digits",
        Recipe(epochs=2, batch_size=64),
        out=tmp_path / "one",
        runs=tmp_path / "runs",
    )
    assert (
        alone.facts["record"] != facts["record"]
    )  # sums are rounded in another order, so the record is its own
    states = [load(tmp_path / name).state_dict() for name in ("both", "one")]
    assert_states_close(*states, 1e-5)


@pytest.mark.slow
def test_when_one_is_killed_the_other_ends_and_both_go_on_from_the_checkpoint(tmp_path):
    command = [*TRAIN, "--epochs", "800", "--keep", "last", "--out", "both"]
    with two(command, tmp_path) as (first, second):
        until = time.monotonic() + 200
        while not list((tmp_path / "runs" / "work").glob("*.safetensors")):
            assert first.poll() is None, first.communicate()[1]
            assert time.monotonic() < until
            time.sleep(0.05)
        second.kill()
        _, said = first.communicate(timeout=60)
    assert first.returncode == 1
    assert said.splitlines()[-1].startswith(
        "gradlab: another process of this training has ended or cannot be reached ("
    )
    assert not (tmp_path / "both").exists()
    begun, _ = run_two(command, tmp_path)
    assert begun.stdout.startswith("Went on from the checkpoint of an interrupted training.")


def test_what_the_first_process_refuses_is_told_to_the_others(monkeypatch):
    sent = []

    class First:
        is_first = True

        def from_first(self, thing):
            sent.append(thing)
            return thing

    def lead(begin):
        begin(True)
        begin(True)  # asked twice, said once
        raise UserError("the disk is full.")

    monkeypatch.setattr("gradlab.training.ranks.find_ranks", lambda _device: (First(), torch.device("cpu")))
    with pytest.raises(UserError, match="the disk is full"):
        divided("cpu", lead, lambda _place: None)
    assert sent == [(True, None), (None, "the disk is full.")]
