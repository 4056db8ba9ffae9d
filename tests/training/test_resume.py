"""Exact resume: paused, killed and shrunk trainings go on bit for bit; foreign and damaged checkpoints are refused."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from gradlab.augmentation import Crop, Flip
from gradlab.models import MLP, FastCNN
from gradlab.training import RECIPES, Cosine, OneCycle, Patience, Recipe, fit, fit_stacked
from tests.damage import DAMAGES, damaged

from .examples import CLASSES, SHAPE, assert_states_equal, blobs, small_cnn

DATA = blobs()
NET = MLP(width=6, depth=2, residual=True)
BASE = Recipe(epochs=5, batch_size=16, learning_rate=0.02)


def net(config=NET, seed=0):
    return config.build(SHAPE, CLASSES, seed=seed)


def assert_same_fit(mine, theirs):
    assert_states_equal(mine.model.state_dict(), theirs.model.state_dict())
    for name in ("seed", "history", "best_epoch", "epochs", "status", "note"):
        assert getattr(mine, name) == getattr(theirs, name)


CASES = {
    "adam": (NET, BASE),
    "nesterov": (NET, replace(BASE, optimizer="sgd", momentum=0.9, nesterov=True)),
    "weight average": (NET, replace(BASE, ema=0.8)),
    "dropout": (replace(NET, dropout=0.4), BASE),
    "batch norm": (replace(NET, norm="batch"), BASE),
    "one cycle": (NET, replace(BASE, schedule=OneCycle(), clip_norm=1.0)),
    "muon": (
        replace(NET, norm="batch"),
        replace(BASE, optimizer="muon", momentum=0.9, nesterov=True, ema=0.8, precision="bf16"),
    ),
    "last weights": (NET, replace(BASE, keep="last")),
    "early stopping": (NET, replace(BASE, epochs=12, learning_rate=0.05, stopping=Patience(patience=1))),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("pause", [1, 4])
def test_paused_and_resumed_is_uninterrupted_bit_for_bit(case, pause, tmp_path):
    config, recipe = CASES[case]
    seeds = [0, 3, 11]
    arguments = {"seeds": seeds, "progress": False}
    models = [net(config, seed) for seed in seeds]
    whole = fit_stacked(models, DATA, recipe, **arguments)
    file = tmp_path / "run.safetensors"
    paused = fit_stacked(models, DATA, recipe, checkpoint=file, pause_after=pause, **arguments)
    assert {one.status for one in paused} <= {"paused", "stopped"}
    if case == "early stopping" and pause == 4:
        assert {one.status for one in paused} == {"paused", "stopped"}  # one seed has left the stack
    torch.manual_seed(99)  # nothing depends on the global stream
    resumed = fit_stacked(models, DATA, recipe, checkpoint=file, **arguments)
    for mine, theirs in zip(resumed, whole, strict=True):
        assert_same_fit(mine, theirs)
    again = fit_stacked(models, DATA, recipe, checkpoint=file, **arguments)  # nothing left to do
    for mine, theirs in zip(again, whole, strict=True):
        assert_same_fit(mine, theirs)


@pytest.mark.parametrize("recipe", [BASE, replace(BASE, ema=0.8, schedule=Cosine())], ids=["adam", "average"])
def test_a_user_s_module_with_batch_norm_dropout_and_buffers_resumes_exactly(recipe, tmp_path):
    whole = fit(small_cnn(), DATA, recipe, progress=False)
    file = tmp_path / "run.safetensors"
    for pause in (1, 2, 4, None):
        resumed = fit(small_cnn(), DATA, recipe, checkpoint=file, pause_after=pause, progress=False)
        assert resumed.status == ("finished" if pause is None else "paused")
    assert_same_fit(resumed, whole)


def test_all_that_the_fast_recipe_does_resumes_exactly(tmp_path):
    """Whitening, smaller images, augmentation, Muon, batch norm, bf16, channels-last and an average, together."""
    whole = fit(fast_cnn(), DATA, FAST, progress=False)
    for pause in (1, 2, 4, None):
        resumed = fit(fast_cnn(), DATA, FAST, checkpoint=tmp_path / "c", pause_after=pause, progress=False)
    assert_same_fit(resumed, whole)
    assert not torch.equal(whole.model.whiten.bias, fast_cnn().whiten.bias)


def test_more_epochs_of_a_constant_rate_go_on_where_the_run_ended(tmp_path):
    file = tmp_path / "run.safetensors"
    fit(net(), DATA, BASE, checkpoint=file, progress=False)
    longer = replace(BASE, epochs=8)
    assert_same_fit(
        fit(net(), DATA, longer, checkpoint=file, progress=False), fit(net(), DATA, longer, progress=False)
    )
    with pytest.raises(ValueError, match="has already reached epoch 8, but the recipe ends at 5"):
        fit(net(), DATA, BASE, checkpoint=file, progress=False)


def test_a_diverged_seed_stays_diverged_after_a_resume(tmp_path):
    models = [net(seed=seed) for seed in (0, 1)]
    with torch.no_grad():
        models[0].head.weight.fill_(1e38)
        models[0].head.bias.fill_(3e38)
    file = tmp_path / "run.safetensors"
    arguments = {"seeds": [0, 1], "progress": False}
    whole = fit_stacked(models, DATA, BASE, **arguments)
    fit_stacked(models, DATA, BASE, checkpoint=file, pause_after=2, **arguments)
    resumed = fit_stacked(models, DATA, BASE, checkpoint=file, **arguments)
    assert [one.status for one in resumed] == ["diverged", "finished"]
    assert resumed[0].note == whole[0].note
    assert_same_fit(resumed[1], whole[1])
    assert_states_equal(resumed[0].model.state_dict(), models[0].state_dict())


FAST = replace(
    RECIPES["fast"].recipe, epochs=5, batch_size=16, sizes=(3, 3), augmentation=(Flip(), Crop(padding=1, border="mirror")),
    ema=0.8, precision="bf16", orthogonalise="bf16", snapshots=(1,),
)  # fmt: skip


def fast_cnn():
    return FastCNN(widths=(5,)).build(SHAPE, CLASSES, seed=0)


CNN = replace(BASE, epochs=40, ema=0.9, memory_format="channels-last", precision="bf16", snapshots=(1, 30))
KILLED = (replace(NET, dropout=0.3, norm="batch"), replace(BASE, epochs=40, ema=0.9))
CHILD = """
import sys, time, torch
sys.path.insert(0, {root!r})
torch.set_num_threads(1)
from safetensors.torch import save_file
from tests.training.test_resume import TRAININGS, states
slow = [lambda epoch: time.sleep(0.02)] if sys.argv[3] == "slow" else []
fits = TRAININGS[sys.argv[2]](checkpoint=sys.argv[1], listeners=slow, progress=False)
save_file(states(fits), sys.argv[1] + ".done")
"""
TRAININGS = {
    "stack": lambda **more: fit_stacked(
        [net(KILLED[0], seed) for seed in (0, 1)], DATA, KILLED[1], seeds=[0, 1], **more
    ),
    "module": lambda **more: [fit(small_cnn(), DATA, CNN, **more)],
    "fast": lambda **more: [fit(fast_cnn(), DATA, replace(FAST, epochs=15), **more)],
}


def states(fits):
    """Every number of the networks and of their snapshots, by name."""
    found = {}
    for fitted in fits:
        for when, state in {"end": fitted.model.state_dict(), **fitted.snapshots}.items():
            found |= {
                f"{fitted.seed}.{when}.{name}": value.contiguous().clone() for name, value in state.items()
            }
    return found


@pytest.mark.slow
@pytest.mark.parametrize("kind", TRAININGS)
def test_killed_at_random_moments_and_run_again_it_ends_with_the_same_bits(kind, tmp_path):
    root = str(Path(__file__).parents[2])
    file = tmp_path / "killed.safetensors"
    command = [sys.executable, "-c", CHILD.format(root=root), str(file), kind]
    chance = random.Random(0)
    for kill in range(2):
        child = subprocess.Popen([*command, "slow"])
        deadline = time.monotonic() + 60
        seen = file.stat().st_mtime_ns if file.exists() else 0
        while (not file.exists() or file.stat().st_mtime_ns == seen) and time.monotonic() < deadline:
            assert child.poll() is None, f"the child ended by itself before kill {kill + 1}"
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.15))
        os.kill(child.pid, signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
        assert not Path(f"{file}.done").exists()
    subprocess.run([*command, "fast"], check=True)
    whole, found = states(TRAININGS[kind](progress=False)), load_file(f"{file}.done")
    assert_states_equal({name: found[name] for name in whole}, whole)
    assert len(found) == len(whole)


OTHERS = {
    "seed": lambda file: fit(net(), DATA, BASE, seed=1, checkpoint=file),
    "initial weights": lambda file: fit(net(seed=5), DATA, BASE, checkpoint=file),
    "recipe": lambda file: fit(net(), DATA, replace(BASE, learning_rate=0.03), checkpoint=file),
    "data": lambda file: fit(net(), blobs(seed=2), BASE, checkpoint=file),
    "validation": lambda file: fit(net(), DATA, BASE, validation=DATA.validation[:5], checkpoint=file),
    "part of the data": lambda file: fit(
        net(), DATA.train[:60], BASE, validation=DATA.validation, checkpoint=file
    ),
    "plain twin": lambda file: fit(net(replace(NET, residual=False)), DATA, BASE, checkpoint=file),
    "dropout": lambda file: fit(net(replace(NET, dropout=0.5)), DATA, BASE, checkpoint=file),
    "normalisation": lambda file: fit(
        NET.build(SHAPE, CLASSES, seed=0, mean=(0.5,)), DATA, BASE, checkpoint=file
    ),
    "precision": lambda file: fit(net(), DATA, BASE, precision="bf16", checkpoint=file),
    "number of seeds": lambda file: fit_stacked(
        [net(), net(seed=1)], DATA, BASE, seeds=[0, 1], checkpoint=file
    ),
}


@pytest.mark.parametrize("other", OTHERS)
def test_the_checkpoint_of_another_training_is_refused_and_left_alone(other, tmp_path):
    file = tmp_path / "run.safetensors"
    fit(net(), DATA, BASE, checkpoint=file, pause_after=1, progress=False)
    before = file.read_bytes()
    with pytest.raises(
        ValueError, match=r"belongs to another training .*; delete it or give another checkpoint path"
    ):
        OTHERS[other](file)
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


# ---- damage


@pytest.mark.slow
def test_of_two_hundred_damaged_checkpoints_none_gives_another_result(tmp_path, caplog):
    """Sixteen in the first bytes, the rest anywhere, of every kind: the training starts afresh and says why."""
    recipe = replace(BASE, epochs=2, batch_size=60, ema=0.5, snapshots=(1,))
    file = tmp_path / "run.safetensors"
    whole = fit(net(), DATA, recipe, seed=0, progress=False)
    fit(net(), DATA, recipe, seed=0, checkpoint=file, pause_after=1, progress=False)
    content, rng = file.read_bytes(), random.Random(0)
    heads = [("flip", content[:n] + bytes([content[n] ^ 1]) + content[n + 1 :]) for n in range(0, 64, 4)]
    named: Counter[str] = Counter()
    for what, other in [*heads, *(damaged(content, rng) for _ in range(184))]:
        file.write_bytes(other)
        caplog.clear()
        resumed = fit(net(), DATA, recipe, seed=0, checkpoint=file, progress=False)
        assert_same_fit(resumed, whole)
        assert_states_equal(resumed.snapshots[1], whole.snapshots[1])
        is_named = "Training starts afresh" in caplog.text and str(file) in caplog.text
        assert is_named == (other != content), what
        named[what] += is_named
        for left in tmp_path.glob("*.damaged*"):
            left.unlink()
    assert set(named) == set(DAMAGES)
    assert named.total() > 195  # zeros that were zeroed are no damage


@pytest.mark.parametrize("cut", [0, 4, 100, -1])
def test_a_cut_checkpoint_is_named_and_training_starts_afresh(cut, tmp_path, caplog):
    file = tmp_path / "run.safetensors"
    fit(net(), DATA, BASE, checkpoint=file, pause_after=2, progress=False)
    file.write_bytes(file.read_bytes()[:cut])
    assert_same_fit(
        fit(net(), DATA, BASE, checkpoint=file, progress=False), fit(net(), DATA, BASE, progress=False)
    )
    assert f"{file} is" in caplog.text
    assert "Training starts afresh" in caplog.text


def test_what_may_be_a_person_s_own_file_is_put_aside_or_refused(tmp_path, caplog):
    file = tmp_path / "notes.txt"
    file.write_text("mine")
    fit(net(), DATA, replace(BASE, epochs=1), checkpoint=file, progress=False)
    assert (tmp_path / "notes.txt.damaged").read_text() == "mine"
    assert "the file is now" in caplog.text
    file.write_text("mine as well")
    fit(net(), DATA, replace(BASE, epochs=1), checkpoint=file, progress=False)
    assert (tmp_path / "notes.txt.damaged").read_text() == "mine"
    assert (tmp_path / "notes.txt.damaged-2").read_text() == "mine as well"
    save_file({"a": torch.zeros(3)}, tmp_path / "weights.safetensors")
    with pytest.raises(ValueError, match="is not a checkpoint of this version of gradlab"):
        fit(net(), DATA, BASE, checkpoint=tmp_path / "weights.safetensors", progress=False)
    assert load_file(tmp_path / "weights.safetensors")["a"].tolist() == [0, 0, 0]
