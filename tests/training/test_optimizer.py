"""The optimiser over the one tensor of all seeds: clipping by row, state by row."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from gradlab.training import Recipe
from gradlab.training.optimizer import (
    build_optimizer,
    clip_rows,
    keep_rows,
    load_optimizer_state,
    optimizer_state,
)

RECIPES = [
    Recipe(),
    Recipe(optimizer="adamw", weight_decay=0.1),
    Recipe(optimizer="sgd", learning_rate=0.1),
    Recipe(optimizer="sgd", learning_rate=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
]


def rows(seed=0):
    return torch.randn(3, 5, generator=torch.Generator().manual_seed(seed))


def trainee_of(flat):
    """As much of a trainee as an optimiser reads."""
    return SimpleNamespace(trained=SimpleNamespace(flats=[flat]), used_groups=[0])


def advance(optimizer, flat, keep=slice(None), steps=3, start=0):
    for step in range(start, start + steps):
        flat.grad = rows(step + 1)[keep]
        optimizer.step()


@pytest.mark.parametrize("largest", [0.5, 2.0, 100.0])
def test_each_row_is_clipped_as_pytorch_clips_one_network(largest):
    gradient, expected = rows(), []
    for row in gradient.clone():
        parameter = nn.Parameter(torch.zeros(5))
        parameter.grad = row
        nn.utils.clip_grad_norm_([parameter], largest)
        expected.append(parameter.grad)
    clip_rows([gradient], largest)
    torch.testing.assert_close(gradient, torch.stack(expected), rtol=1e-6, atol=0)


def test_a_row_of_nan_leaves_the_others_clipped_alone():
    clean, dirty = rows(), rows()
    dirty[1] = float("nan")
    clip_rows([clean], 0.5)
    clip_rows([dirty], 0.5)
    assert torch.equal(clean[[0, 2]], dirty[[0, 2]])


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.describe()[:30])
def test_rows_that_stay_go_on_as_if_nothing_had_left(recipe):
    whole, optimizer = (flat := nn.Parameter(rows())), build_optimizer(recipe, trainee_of(flat))
    advance(optimizer, whole)
    part = nn.Parameter(whole.detach()[[0, 2]].clone())
    smaller = keep_rows(optimizer, recipe, trainee_of(part), [0, 2])
    advance(optimizer, whole, start=3)
    advance(smaller, part, keep=[0, 2], start=3)
    # the processor rounds a number at the end of a vector otherwise than one within: one ulp
    torch.testing.assert_close(part, whole[[0, 2]], rtol=3e-7, atol=1e-7)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.describe()[:30])
def test_state_written_and_read_goes_on_bit_for_bit(recipe):
    flat = nn.Parameter(rows())
    optimizer = build_optimizer(recipe, trainee_of(flat))
    advance(optimizer, flat)
    again = nn.Parameter(flat.detach().clone())
    fresh = build_optimizer(recipe, trainee_of(again))
    load_optimizer_state(fresh, {name: value.clone() for name, value in optimizer_state(optimizer).items()})
    advance(optimizer, flat, start=3)
    advance(fresh, again, start=3)
    assert torch.equal(flat, again)
