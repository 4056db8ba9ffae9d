"""Faults of published labs, planted into CNNs on purpose: each is caught and named."""

import dataclasses
from copy import deepcopy

import pytest
import torch
from torch import nn

from gradlab.lab import load, run_design
from gradlab.lab.designing.design import Twins
from gradlab.models import CNN, FastCNN
from gradlab.procedures._modules import as_factory
from gradlab.procedures._networks import network_of
from gradlab.procedures.train import Custom, Train
from gradlab.training import Recipe, alarms, fit
from gradlab.types import UserError
from tests.procedures.examples import DATA, asked, design_of, run

STRIPES = DATA["stripes"]
SHAPE, CLASSES = (1, 6, 6), 3
RECIPE = Recipe(epochs=1, batch_size=32)
NET = CNN(widths=(4, 5), residual=True)


def net(config=NET, seed=0):
    return config.build(SHAPE, CLASSES, seed=seed)


def test_a_batch_norm_that_goes_on_learning_in_a_frozen_part_stops_the_run():
    model = net()
    model.stem.requires_grad_(False)
    model.blocks[0].requires_grad_(False)
    kept = fit(model, STRIPES, RECIPE, progress=False).model
    assert torch.equal(kept.stem[1].running_mean, model.stem[1].running_mean)
    norm = "blocks.0.0.branch.1"
    model.register_forward_pre_hook(lambda module, _inputs: module.get_submodule(norm).train() and None)
    with pytest.raises(UserError, match=rf"'{norm}\.running_mean' is frozen, but it changed during training"):
        fit(model, STRIPES, RECIPE, progress=False)


class Silent(nn.Module):
    """A layer whose output is multiplied by 0, so that it gets a gradient of zeros."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, features):
        return 0 * self.layer(features)


def test_a_layer_whose_gradient_is_zero_raises_an_alarm_and_one_without_any_stops_the_run():
    model = net(CNN(widths=(4, 5)))
    fine = fit(model, STRIPES, RECIPE, probe_steps=(1,), progress=False)
    assert not alarms(fine.probes)
    stage = model.blocks[1][0].branch
    stage[0] = Silent(stage[0])
    found = alarms(fit(model, STRIPES, RECIPE, probe_steps=(1,), progress=False).probes)
    assert "vanishing" in {one.kind for one in found}
    stage[0].register_forward_hook(lambda _layer, _inputs, output: output.detach())
    stage[0].layer.bias = nn.Parameter(torch.zeros(5))
    with pytest.raises(UserError, match="should train but does not affect the loss"):
        fit(model, STRIPES, RECIPE, progress=False)


def told(out, *procedures, **more):
    """What the result says about the starts of two twins."""
    design = dataclasses.replace(design_of(*procedures), twins=(Twins(a="arm-0", b="arm-1"),))
    (pair,) = run_design(design, asked(out, (0, 1), **more))["twins"]
    return [text for text in (*pair["same"], *pair["differences"]) if "start weights" in text]


def test_a_variant_that_starts_from_used_weights_is_named(tmp_path):
    plain, residual = (
        Train(data="stripes", model=dataclasses.replace(NET, residual=kind), recipe=RECIPE)
        for kind in (False, True)
    )
    assert told(tmp_path / "twins", plain, residual) == ["start weights bit-equal in 2 of 2 seeds"]
    used = {seed: fit(net(seed=seed), STRIPES, RECIPE, progress=False).model for seed in (0, 1)}
    factories = {
        "fresh": as_factory("fresh", lambda seed: net(seed=seed)),
        "used": as_factory("used", lambda seed: deepcopy(used[seed])),
    }
    procedures = [
        Train(data="stripes", model=Custom(name=name, digest=str(number)), recipe=RECIPE)
        for number, name in enumerate(factories)
    ]
    assert told(tmp_path / "used", *procedures, modules=factories) == [
        "start weights bit-equal in 0 of 2 seeds"
    ]


def test_a_record_of_the_fast_net_holds_its_whitening_and_gives_the_network_back(tmp_path):
    procedure = Train(data="stripes", model=FastCNN(widths=(5,)), recipe=RECIPE)
    made = run(tmp_path, procedure, (3,))
    network = network_of(load(tmp_path / "records" / made["runs"][0]["record"]))
    start = procedure.model.build(SHAPE, CLASSES, seed=3, mean=STRIPES.mean, std=STRIPES.std)
    expected = fit(start, STRIPES, RECIPE, seed=3, progress=False).model
    assert network.is_whitened
    for name, value in network.state_dict().items():
        assert torch.equal(value, expected.state_dict()[name]), name
