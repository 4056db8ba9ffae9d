"""The average of weights, with the statistics of the batch norms that belong to it."""

import pytest
import torch
from torch import nn

from gradlab.training import Recipe, fit, predict_logits
from gradlab.training.weights import Weights

from .examples import blobs, small_cnn

DATA = blobs(600, noise=20.0)


@pytest.mark.slow
def test_an_averaged_network_with_batch_norm_classifies_as_well_as_the_trained_one():
    """Raw statistics under averaged weights: the activations that they normalise are others."""

    features = [nn.Flatten(), nn.Linear(16, 16), nn.BatchNorm1d(16), nn.Linear(16, 16)]
    model = nn.Sequential(*features, nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3))
    generator = torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        nn.init.uniform_(parameter, -0.5, 0.5, generator=generator)
    recipe = Recipe(epochs=30, batch_size=32, learning_rate=0.1, optimizer="adam", ema=0.98, keep="last")
    trained = fit(model, DATA, recipe, progress=False)
    logits = predict_logits(trained.model, DATA.train)
    accuracy = (logits.argmax(1) == DATA.train.labels).double().mean().item()
    assert accuracy > 0.95
    raw = fit(model, DATA, Recipe(**(vars(recipe) | {"ema": None})), progress=False).model
    mixed = {
        name: raw.state_dict()[name] if "running" in name else value
        for name, value in trained.model.state_dict().items()
    }
    trained.model.load_state_dict(mixed)
    wrong = predict_logits(trained.model, DATA.train)
    assert nn.functional.cross_entropy(wrong, DATA.train.labels) > 2 * nn.functional.cross_entropy(
        logits, DATA.train.labels
    )


def test_whole_numbers_are_taken_as_they_are_and_floats_averaged():
    a = Weights([torch.zeros(2, 3)], [torch.zeros(2, 2), torch.zeros(2, dtype=torch.int64)])
    b = Weights([torch.ones(2, 3)], [torch.full((2, 2), 4.0), torch.full((2,), 7)])
    a.average_(b, 0.75)
    assert a.flats[0].tolist() == [[0.25] * 3] * 2
    assert a.buffers[0].tolist() == [[1.0] * 2] * 2
    assert a.buffers[1].tolist() == [7, 7]


@pytest.mark.parametrize("chunk", [1, 4, 100])
def test_values_are_exchanged_in_place(chunk):
    a = Weights([torch.arange(10.0).view(2, 5)], [torch.tensor([[1.0], [2.0]])])
    b = Weights([torch.arange(10.0, 20.0).view(2, 5)], [torch.tensor([[3.0], [4.0]])])
    before = [one.clone() for one in a.tensors], [one.clone() for one in b.tensors]
    a.swap_(b, chunk)
    assert all(torch.equal(x, y) for x, y in zip(a.tensors, before[1], strict=True))
    assert all(torch.equal(x, y) for x, y in zip(b.tensors, before[0], strict=True))


def test_counters_of_an_averaged_module_count_every_step():
    recipe = Recipe(epochs=2, batch_size=32, ema=0.9, keep="last")
    trained = fit(small_cnn(), DATA, recipe, progress=False)
    assert trained.model.calls == 2 * -(-len(DATA.train) // 32)
