"""A module of any kind in training: memory format, precision, snapshots."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from gradlab.augmentation import Flip, Mixup
from gradlab.training import Recipe, fit, fit_stacked, replay
from gradlab.training import feed as feeds

from .examples import CLASSES, SHAPE, assert_states_close, assert_states_equal, blobs, small_cnn

DATA = blobs(150)
RECIPE = Recipe(epochs=3, batch_size=16, learning_rate=0.01, keep="last")


def cnn():
    """Two convolutions, so that the format passes from one to the next."""
    generator = torch.Generator().manual_seed(0)
    layers = [nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 5, 3), nn.ReLU()]
    net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, CLASSES))
    for parameter in net.parameters():
        nn.init.uniform_(parameter, -0.5, 0.5, generator=generator)
    return net


class Spy(nn.Module):
    """Notes the format of what it passes on."""

    def __init__(self):
        super().__init__()
        self.net, self.seen = cnn(), set()

    def forward(self, images):
        features = self.net[:4](images)
        if self.training:
            self.seen.add(features.is_contiguous(memory_format=torch.channels_last))
        return self.net[4:](features)

    def __deepcopy__(self, _memo):
        other = Spy()
        other.load_state_dict(self.state_dict())
        other.seen = self.seen
        return other


def test_channels_last_is_another_format_and_the_same_training():
    recipe = replace(RECIPE, optimizer="sgd", momentum=0.9)
    plain, other = (
        fit(cnn(), DATA, replace(recipe, memory_format=name), precision="fp64", progress=False)
        for name in ("contiguous", "channels-last")
    )
    assert_states_close(other.model.state_dict(), plain.model.state_dict(), 1e-9)
    assert other.model[3].weight.is_contiguous(memory_format=torch.channels_last)
    assert plain.model[3].weight.is_contiguous()
    for wanted, spy in ((True, Spy()), (False, Spy())):
        recipe = replace(RECIPE, memory_format="channels-last" if wanted else "contiguous")
        fit(spy, DATA, recipe, progress=False)
        assert spy.seen == {wanted}


@pytest.mark.parametrize("memory_format", ["contiguous", "channels-last"])
def test_a_cnn_with_batch_norm_trains_in_bf16_near_fp32(memory_format):
    recipe = replace(RECIPE, memory_format=memory_format, ema=0.5)
    single, half = (fit(cnn(), DATA, recipe, precision=name, progress=False) for name in ("fp32", "bf16"))
    assert half.history[-1]["train_loss"] != single.history[-1]["train_loss"]
    assert half.history[-1]["train_loss"] == pytest.approx(single.history[-1]["train_loss"], rel=0.03)
    assert half.history[-1]["validation_loss"] == pytest.approx(
        single.history[-1]["validation_loss"], rel=0.05
    )
    assert {value.dtype for value in half.model.parameters()} == {torch.float32}


def test_the_recipe_s_precision_is_that_of_the_training():
    by_recipe = fit(cnn(), DATA, replace(RECIPE, precision="bf16"), progress=False)
    assert by_recipe.history == fit(cnn(), DATA, RECIPE, precision="bf16", progress=False).history
    assert by_recipe.history != fit(cnn(), DATA, RECIPE, progress=False).history
    with pytest.raises(ValueError, match="the recipe trains in bf16, but precision='fp64' is asked for"):
        fit(cnn(), DATA, replace(RECIPE, precision="bf16"), precision="fp64")


@pytest.mark.parametrize("ema", [None, 0.5])
def test_snapshots_are_the_weights_of_their_epochs(ema):
    recipe = replace(RECIPE, ema=ema)
    whole = fit(small_cnn(), DATA, replace(recipe, snapshots=(1, 3)), progress=False)
    assert list(whole.snapshots) == [1, 3]
    for epochs, state in whole.snapshots.items():
        shorter = fit(small_cnn(), DATA, replace(recipe, epochs=epochs), progress=False)
        assert_states_equal(state, shorter.model.state_dict())
    assert fit(small_cnn(), DATA, recipe, progress=False).snapshots == {}


def test_snapshots_of_stacked_seeds_are_their_own_and_absent_after_a_stop():
    from gradlab.models import MLP

    models = [MLP(width=6).build(SHAPE, CLASSES, seed=seed) for seed in (0, 1)]
    with torch.no_grad():
        models[0].head.bias.fill_(torch.nan)
    recipe = replace(RECIPE, snapshots=(2,))
    first, second = fit_stacked(models, DATA, recipe, seeds=[0, 1], progress=False)
    assert (first.status, first.snapshots) == ("diverged", {})
    alone = fit(models[1], DATA, replace(RECIPE, epochs=2), seed=1, progress=False)
    assert_states_close(second.snapshots[2], alone.model.state_dict(), 1e-4)


def test_snapshots_after_the_last_epoch_are_refused():
    with pytest.raises(ValueError, match="snapshots must be epochs from 1 to 3, the last, got 4"):
        replace(RECIPE, snapshots=(1, 4))


def test_what_is_new_in_a_recipe_is_said_and_left_out_of_older_dumps():
    from pydantic import TypeAdapter

    recipe = replace(RECIPE, snapshots=(1, 2), memory_format="channels-last", precision="bf16")
    assert "bf16, channels-last, weights of epochs 1, 2 kept as well" in recipe.describe()
    dumped = TypeAdapter(Recipe).dump_python(RECIPE, mode="json")
    assert not {"select", "snapshots", "memory_format", "precision", "groups"} & set(dumped)


def test_where_the_start_of_an_epoch_is_too_large_to_keep_the_losses_name_the_step(monkeypatch):
    monkeypatch.setattr(replay, "LARGEST", 0)
    steps = -(-len(DATA.train) // 16)
    broken = fit(cnn(), DATA, replace(RECIPE, optimizer="sgd", learning_rate=1e30), progress=False)
    assert broken.note == f"epoch 1, step 2 of {steps}: the loss is not finite"
    assert broken.status == "diverged"
    assert_states_equal(broken.model.state_dict(), cnn().state_dict())


def test_augmented_batches_are_not_looked_at_for_their_range(monkeypatch):
    """A look at the values waits for the device at every step."""

    def look(_tensor, *_arguments):
        raise AssertionError("the range of a training batch was looked at")

    monkeypatch.setattr(feeds, "TABLE_BYTES", 0)
    recipe = replace(RECIPE, epochs=1, augmentation=(Flip(),), mixing=Mixup())
    expected = fit(cnn(), DATA, recipe, progress=False)
    monkeypatch.setattr(torch.Tensor, "aminmax", look)
    assert_states_equal(
        fit(cnn(), DATA, recipe, progress=False).model.state_dict(), expected.model.state_dict()
    )
