"""Muon against singular values, PyTorch's own Muon and AdamW, and itself in stacks and in channels-last."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from gradlab.models import CNN, MLP
from gradlab.training import Group, Recipe, fit, fit_stacked
from gradlab.training.muon import COEFFICIENTS, orthogonalise
from gradlab.training.optimizer import build_optimizer
from gradlab.training.trainee import assemble
from gradlab.types import UserError

from .examples import CLASSES, SHAPE, assert_states_close, blobs

DATA = blobs()
RECIPE = Recipe(optimizer="muon", learning_rate=0.02, momentum=0.9, nesterov=True, weight_decay=0.1)


def matrices(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def lifted(values, steps):
    """The polynomial on singular values alone."""
    a, b, c = COEFFICIENTS
    for _ in range(steps):
        values = a * values + b * values**3 + c * values**5
    return values


@pytest.mark.parametrize("shape", [(4, 4), (7, 3), (3, 11), (1, 5)])
@pytest.mark.parametrize("steps", [1, 5])
def test_newton_schulz_is_its_polynomial_on_the_singular_values(shape, steps):
    given = matrices(3, *shape)
    left, values, right = torch.linalg.svd(given, full_matrices=False)
    values = values / values.norm(dim=-1, keepdim=True)
    expected = (left * lifted(values, steps)[:, None, :]) @ right
    torch.testing.assert_close(orthogonalise(given, steps), expected, rtol=1e-5, atol=1e-5)


def test_five_steps_bring_singular_values_between_a_two_hundredth_and_one_near_one():
    values = torch.cat([torch.logspace(-2.3, 0, 400, dtype=torch.float64)])
    assert lifted(values, 5).min() > 0.65
    assert lifted(values, 5).max() < 1.25
    found = torch.linalg.svdvals(orthogonalise(matrices(2, 24, 60)))
    assert found.min() > 0.65
    assert found.max() < 1.25


def test_in_bf16_it_is_the_same_but_for_eight_bits():
    given = matrices(2, 24, 60).float()
    full, half = orthogonalise(given), orthogonalise(given.bfloat16())
    assert half.dtype == torch.bfloat16
    assert 0 < (half - full).norm() / full.norm() < 0.03
    steps = [stepped(Two(), replace(RECIPE, orthogonalise=form)) for form in ("fp32", "bf16")]
    moved = (steps[0]["first.weight"] - Two().first.weight).norm()
    assert 0 < (steps[1]["first.weight"] - steps[0]["first.weight"]).norm() < 0.03 * moved
    assert steps[1]["first.weight"].dtype == torch.float32
    assert torch.equal(steps[0]["first.bias"], steps[1]["first.bias"])  # a bias, by AdamW
    with pytest.raises(UserError, match="orthogonalise belongs to optimizer='muon', got optimizer='sgd'"):
        Recipe(optimizer="sgd", orthogonalise="bf16")


class Two(nn.Module):
    """Two matrices, one with more rows than columns, and their biases."""

    def __init__(self):
        super().__init__()
        self.first, self.head = nn.Linear(6, 16), nn.Linear(16, 4)
        with torch.no_grad():
            for number, parameter in enumerate(self.parameters()):
                parameter.copy_(matrices(*parameter.shape, seed=number))


def stepped(module, recipe, steps=4):
    """Take steps with made-up gradients through gradlab's optimiser; returns the parameters."""
    trainee = assemble([module], [0], device=torch.device("cpu"), dtype=torch.float32, groups=recipe.groups)
    optimizer = build_optimizer(recipe, trainee)
    for step in range(steps):
        trainee.trained._make_room()
        for number, parameter in enumerate(trainee.trained.parameters):
            parameter.grad.copy_(matrices(*parameter.shape, seed=100 * step + number))
        optimizer.step()
    return dict(trainee.module.named_parameters())


def stepped_by_torch(module, steps=4):
    """The same by PyTorch's Muon for matrices and its AdamW for biases."""
    named = dict(module.named_parameters())
    vectors = [one for one in named.values() if one.dim() == 1]
    optimizers = [
        torch.optim.Muon([one for one in named.values() if one.dim() == 2], lr=0.02, momentum=0.9, weight_decay=0.1),
        torch.optim.AdamW(vectors, lr=0.02, weight_decay=0.1),
    ]  # fmt: skip
    for step in range(steps):
        for number, parameter in enumerate(named.values()):
            parameter.grad = matrices(*parameter.shape, seed=100 * step + number).to(parameter.dtype)
        for optimizer in optimizers:
            optimizer.step()
    return named


def test_steps_are_those_of_pytorch_s_muon_and_adamw():
    start, mine, theirs = (
        dict(Two().named_parameters()),
        stepped(Two(), RECIPE),
        stepped_by_torch(Two()),
    )
    for name, value in mine.items():
        moved, expected = value - start[name], theirs[name] - start[name]
        if value.dim() == 1:
            torch.testing.assert_close(moved, expected, rtol=1e-4, atol=1e-6)
        else:  # PyTorch's Newton-Schulz steps are in bfloat16, with 8 bits
            assert (moved - expected).norm() < 0.02 * expected.norm(), name


def test_a_group_gives_matrices_to_adamw():
    group = Group(match="head.*", optimizer="adamw", rate=0.5, decay=0.0)
    found = stepped(Two(), Recipe(optimizer="muon", learning_rate=0.02, groups=(group,)))["head.weight"]
    module = Two()
    adam = torch.optim.AdamW(module.head.parameters(), lr=0.01, weight_decay=0.0)
    for step in range(4):
        for number, parameter in enumerate(module.head.parameters(), 2):
            parameter.grad = matrices(*parameter.shape, seed=100 * step + number).float()
        adam.step()
    torch.testing.assert_close(found, module.head.weight, rtol=1e-5, atol=1e-6)


def test_stacked_seeds_are_their_solo_runs():
    config, recipe = MLP(width=6, depth=2), Recipe(epochs=2, batch_size=16, **muon())
    models = [config.build(SHAPE, CLASSES, seed=seed) for seed in (0, 3)]
    both = fit_stacked(models, DATA, recipe, seeds=[0, 3], precision="fp64", progress=False)
    alone = fit(models[1], DATA, recipe, seed=3, precision="fp64", progress=False)
    assert_states_close(both[1].model.state_dict(), alone.model.state_dict(), 1e-6)


def test_channels_last_changes_the_rounding_alone():
    model = CNN(widths=(4, 6)).build(SHAPE, CLASSES, seed=0)
    plain, last = (
        fit(model, DATA, Recipe(epochs=1, memory_format=form, **muon()), precision="fp64", progress=False)
        for form in ("contiguous", "channels-last")
    )
    assert_states_close(last.model.state_dict(), plain.model.state_dict(), 1e-6)


def muon():
    return {"optimizer": "muon", "learning_rate": 0.02, "momentum": 0.9, "nesterov": True}


def test_muon_learns():
    model = MLP(width=8, depth=1).build(SHAPE, CLASSES, seed=0)
    history = fit(model, DATA, Recipe(epochs=12, batch_size=16, **muon()), progress=False).history
    assert history[-1]["train_loss"] < 0.6 * history[0]["train_loss"]


def test_a_group_s_optimizer_needs_muon():
    with pytest.raises(UserError, match="set optimizer='muon', or drop it from the group"):
        Recipe(groups=(Group(optimizer="adamw"),))
