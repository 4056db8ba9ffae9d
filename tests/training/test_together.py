"""Two processes train what one trains: weights, history, stop, checkpoint; and what they cannot do is said in a sentence."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from gradlab.augmentation import Crop, Flip
from gradlab.training import fit, fit_stacked
from gradlab.training.augment import Augmenter

from . import divided
from .divided import CASES, DATA, REFUSED, SMALL, STOPPED, cnn, mlp, outcome
from .examples import assert_states_close, assert_states_equal


@pytest.fixture(scope="module")
def of_two(tmp_path_factory):
    """What each of the two processes made of a case."""
    folder = tmp_path_factory.mktemp("divided")
    ended = divided.run_two(["tests.training.divided", str(folder)])
    assert [one.returncode for one in ended] == [0, 7], ended[0].stderr + ended[1].stderr

    def read(name: str) -> tuple[Any, Any]:
        first, second = (torch.load(folder / f"{name}.{rank}.pt", weights_only=False) for rank in (0, 1))
        return first, second

    read.folder = folder
    return read


def assert_same(mine, theirs):
    """The same bits in both processes."""
    assert_states_equal(mine["state"], theirs["state"])
    assert {**mine, "state": 0, "heard": 0} == {**theirs, "state": 0, "heard": 0}


@pytest.mark.parametrize("case", CASES)
def test_two_processes_train_the_network_that_one_trains(of_two, case):
    build, recipe = CASES[case]
    first, second = of_two(case)
    assert_same(first, second)
    alone = outcome(build(), recipe, precision="fp64")
    assert_states_close(first["state"], alone["state"], 1e-12)
    for mine, theirs in zip(first["history"], alone["history"], strict=True):
        assert mine == pytest.approx(theirs, rel=1e-12)


def test_in_fp32_only_the_rounding_of_sums_differs(of_two):
    first, second = of_two("fp32")
    assert_same(first, second)
    assert_states_close(first["state"], outcome(cnn(), SMALL)["state"], 1e-5)


def test_stacked_seeds_are_divided_as_well(of_two):
    first, second = of_two("two seeds")
    alone = fit_stacked(
        [mlp(), mlp()], DATA, SMALL, seeds=[0, 1], precision="fp64", device="cpu", progress=False
    )
    for mine, theirs, one in zip(first, second, alone, strict=True):
        assert_states_equal(mine, theirs)
        assert_states_close(mine, one.model.state_dict(), 1e-12)


def test_both_stop_in_the_epoch_in_which_one_would(of_two):
    first, second = of_two("stopped")
    assert_same(first, second)
    alone = outcome(cnn(), STOPPED)
    assert (first["status"], first["best"], len(first["history"])) == (
        "stopped",
        alone["best"],
        len(alone["history"]),
    )


def test_the_first_process_alone_is_listened_to(of_two):
    first, second = of_two("sgd")
    assert (first["heard"], second["heard"]) == ([1, 2], [])


def test_a_divergence_is_said_by_both(of_two):
    first, second = of_two("diverged")
    assert first["status"] == second["status"] == "diverged"
    assert first["note"] == second["note"] == "epoch 1, step 2 of 6: the loss is not finite"


def test_the_first_process_writes_the_checkpoint_and_both_go_on_from_it(of_two):
    resumed, whole = of_two("resumed"), of_two("whole")
    for mine, theirs in zip(resumed, whole, strict=True):
        assert_states_equal(mine["state"], theirs["state"])
        assert mine["history"] == theirs["history"]
    assert resumed[0]["heard"] == [2]
    assert (of_two.folder / "checkpoint.0").exists()
    assert not (of_two.folder / "checkpoint.1").exists()


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_divided_is_refused_in_a_sentence(of_two, case):
    for one in of_two(case):
        assert REFUSED[case][3] in one["error"]


def test_both_say_what_is_wrong_with_what_they_were_started_with(of_two):
    for name, sentence in (
        ("other seeds", "process 1 was started with another model, data, recipe or seed than process 0"),
        ("refused checkpoint", "belongs to another training"),
    ):
        for one in of_two(name):
            assert sentence in one["error"]


def test_a_process_whose_fellow_dies_says_so_and_ends(of_two):
    said = torch.load(of_two.folder / "left alone.0.pt", weights_only=False)["error"]
    assert said.startswith("another process of this training has ended or cannot be reached (")
    assert "peer" in said  # closed the connection, or reset it
    assert said.endswith("with a checkpoint they go on after the last finished epoch.")


def test_each_process_augments_its_images_as_one_process_would():
    recipe = replace(SMALL, augmentation=(Flip(alternate=True), Crop(padding=1)))
    images, labels = torch.rand(2, 9, *DATA.train.images.shape[1:]), torch.zeros(2, 9, dtype=torch.int64)
    indices = torch.arange(9).expand(2, 9)

    def changed(part: slice) -> torch.Tensor:
        augmenter = Augmenter(recipe)
        augmenter.start([0, 1], epoch=1, samples=9)
        return augmenter.change(images[:, part], labels, indices, part)[0]

    parts = [slice(0, 4), slice(4, 9)]
    assert torch.equal(torch.cat([changed(part) for part in parts], 1), changed(slice(0, 9)))


def test_without_torchrun_a_training_is_alone(monkeypatch):
    monkeypatch.setenv("RANK", "0")  # some job queues set one of the variables
    assert not torch.distributed.is_initialized()
    assert fit(cnn(), DATA, replace(SMALL, epochs=1), device="cpu", progress=False).status == "finished"
    assert not torch.distributed.is_initialized()
