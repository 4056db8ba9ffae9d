"""Robust accuracy after every epoch: the closed form of a linear network, the same draws in every epoch."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from gradlab.attacks import PGD, FastTraining, MadryTraining, attacked
from gradlab.data import from_tensors
from gradlab.training import Recipe, fit
from tests.attacks.notebook import DATA, QUIET, mlp

STAY = Recipe(epochs=3, batch_size=64, learning_rate=1e-12, keep="last")
"""Weights that do not move, so that every epoch judges the same network."""


def two_classes():
    """Two classes that differ in brightness, no pixel near 0 or 1."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(400) % 2
    images = 90 + 60 * torch.rand(400, 1, 3, 3, generator=generator) + 12 * labels[:, None, None, None]
    return from_tensors(images.to(torch.uint8), labels, name="two")


def test_of_a_linear_network_it_is_the_share_of_margins_that_the_radius_does_not_reach():
    data, network = two_classes(), nn.Sequential(nn.Flatten(), nn.Linear(9, 2)).double()
    with torch.no_grad():
        network[1].weight.copy_(torch.linspace(0.5, 1.3, 18).view(2, 9) * torch.tensor([[-1.0], [1.0]]))
        network[1].bias.copy_(torch.tensor([0.5, -0.5]) * 16.2 * 126 / 255)
    made = fit(
        network, data, STAY, objective=MadryTraining(eps=0.02, validation_steps=10), precision="fp64", **QUIET
    )
    images, labels = data.validation.images.double() / 255, data.validation.labels
    logits = network(images).detach()
    margin = (logits[:, 1] - logits[:, 0]) * (2 * labels - 1)
    reach = 0.02 * float((network[1].weight[1] - network[1].weight[0]).detach().abs().sum())
    expected, clean = (float((margin > bound).double().mean()) for bound in (reach, 0))
    assert 0.1 < expected < clean - 0.1
    for row in made.history:
        assert row["validation_robust_accuracy"] == pytest.approx(expected, abs=1e-12)
        assert row["validation_accuracy"] == pytest.approx(clean, abs=1e-12)


def test_it_is_near_what_pgd_finds_and_the_same_in_every_epoch():
    network = fit(mlp(), DATA, Recipe(epochs=8, learning_rate=0.03), **QUIET).model
    made = fit(network, DATA, STAY, objective=FastTraining(eps=0.08, validation_steps=10), **QUIET)
    robust = [row["validation_robust_accuracy"] for row in made.history]
    assert len(set(robust)) == 1
    images, labels = DATA.validation.images.float() / 255, DATA.validation.labels
    found = attacked(PGD(eps=0.08, steps=10), network, images, labels)
    assert robust[0] == pytest.approx(found.robust_accuracy, abs=2.1 / len(labels))
    assert robust[0] < made.history[0]["validation_accuracy"]


def test_every_third_image_is_attacked_and_the_mean_is_over_these():
    data, network = two_classes(), nn.Sequential(nn.Flatten(), nn.Linear(9, 2))
    third = (data.validation.images[::3], data.validation.labels[::3])
    few = from_tensors(data.train.images, data.train.labels, name="few", validation=third)
    still = replace(STAY, epochs=1)

    def row(images, every):
        objective = FastTraining(eps=0.05, validation_every=every)
        return fit(network, images, still, objective=objective, **QUIET).history[0]

    part = row(data, 3)
    assert part["validation_accuracy"] == row(data, 1)["validation_accuracy"]
    assert part["validation_robust_accuracy"] == pytest.approx(row(few, 1)["validation_robust_accuracy"])
