"""Train mode that leaves frozen batch norms alone, and modes given back."""

import pytest
import torch
from torch import nn

from gradlab.training.modes import kept_modes, kept_statistics, set_training


def test_frozen_parts_keep_their_batch_norms_in_eval_and_all_else_trains():
    frozen = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2, affine=False), nn.Dropout(0.1))
    frozen.requires_grad_(False)
    free = nn.Sequential(nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2), nn.BatchNorm2d(2, affine=False))
    model = nn.Sequential(frozen, free).eval()
    set_training(model)
    assert [layer.training for layer in frozen] == [True, False, True]
    assert all(layer.training for layer in free)


def test_a_norm_whose_own_parameters_are_frozen_keeps_its_statistics():
    norm = nn.BatchNorm1d(2).requires_grad_(False)
    model = nn.Sequential(nn.Linear(2, 2), norm)
    set_training(model)
    model(torch.rand(4, 2))
    assert not norm.running_mean.any()
    assert model.training


def test_modes_are_given_back_layer_by_layer_even_after_an_error():
    model = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Dropout(), nn.ReLU()))
    model[1][0].eval()
    before = [layer.training for layer in model.modules()]

    def spoil():
        with kept_modes(model):
            model.eval()
            model(torch.rand(1, 7))  # a shape that it cannot read

    with pytest.raises(RuntimeError, match="shapes"):
        spoil()
    assert [layer.training for layer in model.modules()] == before


def test_statistics_stay_within_the_block_and_a_graph_from_before_it_can_be_gone_back():
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 2)).train()
    images = torch.rand(5, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    first = module(images)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    with kept_statistics(module):
        second = module(2 * images)
        assert not torch.equal(module[1].running_mean, before["1.running_mean"])
    with pytest.raises(RuntimeError, match="Expected 3D"), kept_statistics(module):
        module(images[0, 0, 0])
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name]), name
    (first + second).sum().backward()
    module.eval()
    with kept_statistics(module):
        assert not module[1].training
