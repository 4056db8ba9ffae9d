"""Probes inside fit: the training stays the same bit for bit, stacked or alone, interrupted or not."""

import math

import pytest
import torch
from torch import nn

from gradlab.data import order
from gradlab.models import MLP
from gradlab.training import Cosine, Patience, Recipe, fit, fit_stacked, gradient_norms, probe
from gradlab.types import UserError

from .examples import CLASSES, SHAPE, assert_states_equal, blobs, small_cnn

DATA = blobs(200)
RECIPE = Recipe(epochs=4, batch_size=32, learning_rate=3e-3, keep="last")
PER_EPOCH = math.ceil(len(DATA.train) / 32)
LAST = 4 * PER_EPOCH
STEPS = (0, 1, PER_EPOCH, PER_EPOCH + 1, LAST - 1)


def mlps(count=3, **more):
    config = MLP(**({"width": 6, "depth": 2, "norm": "batch", "dropout": 0.2} | more))
    return [config.build(SHAPE, CLASSES, seed=seed) for seed in range(count)]


def stacked(models, recipe=RECIPE, *, probe_steps=STEPS, **more):
    return fit_stacked(
        models, DATA, recipe, seeds=range(len(models)), device="cpu", probe_steps=probe_steps, **more
    )


def numbers(rows):
    return [[-1.0 if value is None else value for value in vars(row).values()] for row in rows]


def assert_close(mine, theirs, rel=2e-5):
    assert len(mine) == len(theirs)
    for a, b in zip(numbers(mine), numbers(theirs), strict=True):
        assert a[:3] == b[:3]
        assert a[3:] == pytest.approx(b[3:], rel=rel, abs=1e-6)


@pytest.mark.parametrize("models", [mlps, lambda: [small_cnn()]], ids=["stack", "module"])
def test_training_with_probes_is_bit_equal_to_training_without(models):
    plain, probed = stacked(models(), probe_steps=()), stacked(models())
    for a, b in zip(plain, probed, strict=True):
        assert a.history == b.history
        assert_states_equal(a.model.state_dict(), b.model.state_dict())
        assert a.probes == []
        assert sorted({row.step for row in b.probes}) == [*STEPS, LAST]


def test_stacked_seeds_are_probed_as_each_alone():
    together = stacked(mlps(norm="layer", dropout=0.0))
    for seed, model in enumerate(mlps(norm="layer", dropout=0.0)):
        alone = fit(model, DATA, RECIPE, seed=seed, device="cpu", probe_steps=STEPS)
        assert_close(together[seed].probes, alone.probes, rel=2e-4)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_fit_sees_what_a_probe_in_a_loop_of_ones_own_sees(optimizer):
    recipe = Recipe(epochs=2, batch_size=32, learning_rate=1e-2, keep="last", optimizer=optimizer)
    (model,) = mlps(1, norm="none", dropout=0.0, activation="tanh")
    steps = (0, 1, 3, PER_EPOCH, PER_EPOCH + 1)
    found = fit(model, DATA, recipe, seed=4, device="cpu", probe_steps=steps).probes
    kind = torch.optim.Adam if optimizer == "adam" else torch.optim.SGD
    own = kind(model.parameters(), lr=1e-2)
    with probe(model, DATA, steps=(*steps, 2 * PER_EPOCH)) as log:
        for epoch in (1, 2):
            for chosen in order(len(DATA.train), seed=4, epoch=epoch).split(32):
                own.zero_grad()
                logits = model(DATA.train.images[chosen] / 255)
                nn.functional.cross_entropy(logits, DATA.train.labels[chosen]).backward()
                own.step()
                log.step()
    assert_close(found, log.rows, rel=1e-4)
    assert all(row.update_ratio for row in found if row.step)


def test_rows_at_the_start_are_the_gradient_norms_of_the_given_model():
    (model,) = mlps(1)
    rows = [row for row in stacked([model])[0].probes if row.step == 0]
    norms = {layer.layer: layer for layer in gradient_norms(model, DATA)}
    for row in rows:
        assert row.weight_gradient == pytest.approx(norms[row.layer].weight, rel=1e-6)
        assert row.bias_gradient == pytest.approx(norms[row.layer].bias, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("pause", [1, 3])
@pytest.mark.parametrize("models", [mlps, lambda: [small_cnn()]], ids=["stack", "module"])
def test_an_interrupted_training_has_the_rows_of_the_whole(tmp_path, pause, models):
    whole = stacked(models())
    path = tmp_path / "checkpoint"
    paused = stacked(models(), checkpoint=path, pause_after=pause)
    assert max(row.step for row in paused[0].probes) <= pause * PER_EPOCH
    resumed = stacked(models(), checkpoint=path)
    assert [fit.probes for fit in resumed] == [fit.probes for fit in whole]
    for a, b in zip(resumed, whole, strict=True):
        assert_states_equal(a.model.state_dict(), b.model.state_dict())


def test_the_end_of_a_shorter_training_is_no_end_of_the_longer_one(tmp_path):
    path = tmp_path / "checkpoint"
    short = Recipe(epochs=2, batch_size=32, learning_rate=3e-3, keep="last")
    first = stacked(mlps(), short, checkpoint=path)
    assert first[0].probes[-1].step == 2 * PER_EPOCH
    longer = stacked(mlps(), checkpoint=path)
    assert [fit.probes for fit in longer] == [fit.probes for fit in stacked(mlps())]


def test_a_checkpoint_with_other_probes_is_refused(tmp_path):
    path = tmp_path / "checkpoint"
    stacked(mlps(), checkpoint=path, pause_after=1)
    for more in ({"probe_steps": (0, 2)}, {"probe_batch": 16}, {"probe_steps": ()}):
        with pytest.raises(UserError, match="probed after other steps or on another batch"):
            stacked(mlps(), checkpoint=path, **more)
    assert stacked(mlps(), checkpoint=path, probe_steps=(*STEPS, LAST - 3))[0].status == "finished"


def test_every_network_is_probed_at_its_own_last_step():
    recipe = Recipe(epochs=30, batch_size=32, learning_rate=3e-2, stopping=Patience(patience=2))
    fits = stacked(mlps(4, norm="none"), recipe, probe_steps=(0,))
    assert len({fit.epochs for fit in fits}) > 1
    for found in fits:
        assert sorted({row.step for row in found.probes}) == [0, found.epochs * PER_EPOCH]
        assert all(row.update_ratio is not None for row in found.probes if row.step)


def test_the_last_step_of_a_schedule_that_ends_at_zero_changes_nothing():
    recipe = Recipe(epochs=2, batch_size=32, schedule=Cosine(), keep="last")
    rows = stacked(mlps(1), recipe, probe_steps=(1,))[0].probes
    assert {row.update_ratio for row in rows if row.step == 2 * PER_EPOCH} == {0.0}


def test_a_network_that_diverges_is_probed_to_its_end_and_spoils_no_other():
    models = mlps(2, norm="none", dropout=0.0)
    recipe = Recipe(epochs=4, batch_size=32, keep="last")
    alone = fit_stacked(models[1:], DATA, recipe, seeds=[1], device="cpu", probe_steps=STEPS)[0].probes
    with torch.no_grad():
        models[0].head.weight.fill_(math.inf)
    broken, healthy = stacked(models, recipe)
    assert broken.status == "diverged"
    assert broken.probes[-1].step == PER_EPOCH
    assert math.isnan(broken.probes[-1].weight_gradient)
    assert_close(healthy.probes, alone, rel=2e-4)


def test_probes_look_at_the_batch_that_is_asked_for():
    (model,) = mlps(1, norm="none")
    rows = stacked([model], probe_batch=16)[0].probes
    norms = gradient_norms(model, DATA, batch_size=16)
    assert [row.weight_gradient for row in rows[:4]] == pytest.approx([n.weight for n in norms], rel=1e-6)


@pytest.mark.parametrize("steps", [(-1,), (True,), (0.5,)])
def test_steps_that_are_none_are_refused(steps):
    with pytest.raises(UserError, match="steps to probe are whole numbers from 0"):
        stacked(mlps(1), probe_steps=steps)


def test_a_model_without_layers_to_probe_is_refused_before_it_trains():
    class Scales(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(CLASSES))

        def forward(self, images):
            return images.flatten(1)[:, :CLASSES] * self.scale

    with pytest.raises(UserError, match="no layer with a trained weight to probe"):
        stacked([Scales()])
    assert stacked([Scales()], probe_steps=())[0].status == "finished"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            {"probe_steps": 5},
            r"a list of whole numbers from 0, the start, got 5; write for example \(0, 100, 200\)",
        ),
        ({"probe_steps": None}, "a list of whole numbers from 0, the start, got None"),
        ({"probe_steps": "abc"}, "whole numbers from 0, the start, got 'a'"),
        ({"probe_batch": 0}, "counts its images, at least 1, got 0"),
    ],
)
def test_steps_that_are_none_and_an_empty_batch_are_refused(arguments, words):
    with pytest.raises(UserError, match=words):
        stacked(mlps(1), **arguments)


def test_steps_may_come_from_any_iterable():
    (found,) = stacked(mlps(1), probe_steps=(step for step in (0, 2)))
    assert {0, 2} <= {row.step for row in found.probes}
