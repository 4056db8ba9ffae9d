"""Slices of the loss surface against closed forms and a plain loop."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from gradlab.training import loss_surface
from gradlab.training.probe import fixed_batch
from gradlab.training.surface import filter_normalised
from gradlab.types import UserError

from .examples import CLASSES, assert_states_equal, blobs, small_cnn

DATA = blobs(200)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_directions_have_the_lengths_of_the_filters_and_leave_vectors_alone():
    weights = {"conv": torch.randn(4, 3, 2, 2, generator=generator(1)), "bias": torch.ones(4)}
    weights["conv"][2] = 0
    direction = filter_normalised(weights, generator())
    assert not direction["bias"].any()
    for mine, theirs in zip(direction["conv"], weights["conv"], strict=True):
        assert float(mine.square().sum().sqrt()) == pytest.approx(
            float(theirs.square().sum().sqrt()), rel=1e-5
        )
    assert torch.equal(direction["conv"], filter_normalised(weights, generator())["conv"])


def test_the_surface_of_linear_regression_is_its_parabola():
    layer = nn.Linear(5, 2).double()
    inputs, targets = torch.randn(30, 5, dtype=torch.float64), torch.randn(30, 2, dtype=torch.float64)
    found = loss_surface(
        layer, (inputs, targets), loss=functional.mse_loss, points=5, extent=2.0, generator=generator()
    )
    (direction,) = [filter_normalised({"weight": layer.weight.detach()}, generator())["weight"]]
    residual, moved = layer(inputs).detach() - targets, inputs @ direction.T
    parts = [float(p.mean()) for p in (residual**2, 2 * residual * moved, moved**2)]
    expected = [parts[0] + a * parts[1] + a * a * parts[2] for a in (-2.0, -1.0, 0.0, 1.0, 2.0)]
    assert found.first.tolist() == [-2.0, -1.0, 0.0, 1.0, 2.0]
    assert found.second is None
    assert found.losses == pytest.approx(expected, rel=1e-12)


def test_two_directions_agree_with_moving_a_copy_by_hand():
    model = small_cnn()
    found = loss_surface(
        model, DATA, dimensions=2, points=3, extent=0.5, batch_size=64, generator=generator(4)
    )
    batch = fixed_batch(DATA, 64)
    source = generator(4)
    weights = {name: p.detach() for name, p in model.named_parameters()}
    first, second = (filter_normalised(weights, source) for _ in range(2))
    assert found.losses.shape == (3, 3)
    for i, a in enumerate((-0.5, 0.0, 0.5)):
        for j, b in enumerate((-0.5, 0.0, 0.5)):
            copy = deepcopy(model).eval()
            with torch.no_grad():
                for name, parameter in copy.named_parameters():
                    parameter += a * first[name] + b * second[name]
                loss = functional.cross_entropy(copy(batch.images / 255), batch.labels)
            assert found.losses[i, j] == pytest.approx(float(loss), rel=1e-5)
    assert np.array_equal(found.first, found.second)


def test_the_model_is_left_as_it_was_and_the_slice_repeats():
    model = small_cnn().train()
    state = deepcopy(model.state_dict())
    random_state = torch.get_rng_state()
    a, b = (loss_surface(model, DATA, points=3) for _ in range(2))
    assert np.array_equal(a.losses, b.losses)
    assert_states_equal(model.state_dict(), state)
    assert model.training
    assert torch.equal(torch.get_rng_state(), random_state)
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"dimensions": 3}, "along 1 or 2 directions, got dimensions=3"),
        ({"points": 4}, "points must be odd and at least 3"),
        ({"extent": 0.0}, "extent must be above 0"),
    ],
)
def test_impossible_slices_are_refused(arguments, words):
    with pytest.raises(UserError, match=words):
        loss_surface(small_cnn(), DATA, **arguments)


def test_test_data_and_frozen_models_are_refused():
    with pytest.raises(UserError, match=r"^loss_surface trains and selects on train"):
        loss_surface(small_cnn(), DATA.test)
    frozen = nn.Sequential(nn.Flatten(), nn.Linear(16, CLASSES)).requires_grad_(False)
    with pytest.raises(UserError, match="no trained weight to move"):
        loss_surface(frozen, DATA)
