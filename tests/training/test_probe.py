"""Gradient norms against autograd by hand, on any module, which is left as it was."""

from copy import deepcopy

import pytest
import torch
from torch import nn

from gradlab.models import MLP, wrap
from gradlab.training import gradient_norms
from gradlab.training.probe import fixed_batch

from .examples import CLASSES, SHAPE, assert_states_equal, blobs, small_cnn

DATA = blobs(300)


def by_hand(model, batch):
    """Sums of squares in float64 after a plain backward pass of a copy in train mode without dropout."""
    model = deepcopy(model).train()
    for layer in model.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
    nn.functional.cross_entropy(model(batch.images / 255), batch.labels).backward()
    return {
        name: float((parameter.grad.double() ** 2).sum() ** 0.5)
        for name, parameter in model.named_parameters()
    }


@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
@pytest.mark.parametrize("residual", [False, True])
def test_norms_equal_autograd_by_hand(norm, residual):
    model = MLP(width=6, depth=4, norm=norm, residual=residual, dropout=0.2).build(SHAPE, CLASSES, seed=0)
    expected = by_hand(model, fixed_batch(DATA))
    rows = gradient_norms(model, DATA)
    assert [row.index for row in rows] == list(range(len(rows)))
    found = {f"{row.layer}.weight": row.weight for row in rows} | {
        f"{row.layer}.bias": row.bias for row in rows
    }
    assert found == pytest.approx(expected, rel=1e-6)


def test_any_module_is_probed_and_left_as_it_was():
    model = wrap(small_cnn(), (0.5,), (0.25,))
    model.module.conv.bias.requires_grad_(False)
    model.module.norm.eval()
    model.module.head.weight.grad = torch.ones_like(model.module.head.weight)
    state, modes = deepcopy(model.state_dict()), [layer.training for layer in model.modules()]
    torch.manual_seed(3)
    random_state = torch.get_rng_state()
    with torch.no_grad():
        rows = gradient_norms(model, DATA)
    assert_states_equal(model.state_dict(), state)
    assert [layer.training for layer in model.modules()] == modes
    assert torch.equal(torch.get_rng_state(), random_state)
    assert torch.equal(model.module.head.weight.grad, torch.ones(CLASSES, 4))
    assert model.module.conv.weight.grad is None
    assert not any(layer._forward_hooks or layer._backward_hooks for layer in model.modules())
    names = [row.layer for row in rows]
    assert names == ["module.conv", "module.norm", "module.first", "module.second", "module.head"]
    assert rows[0].bias is None
    assert rows[2].weight == rows[3].weight  # tied


def test_a_frozen_batch_norm_probes_with_its_own_statistics():
    free, frozen = small_cnn(), small_cnn()
    frozen.norm.requires_grad_(False)
    a, b = gradient_norms(free, DATA)[0], gradient_norms(frozen, DATA)[0]
    assert a.weight != pytest.approx(b.weight, rel=1e-3)
    assert [row.layer for row in gradient_norms(frozen, DATA)] == ["conv", "first", "second", "head"]


def test_a_model_that_raises_is_left_as_it_was():
    class Broken(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(2, 2)
            self.register_buffer("calls", torch.zeros(1))

        def forward(self, images):
            self.calls += 1
            raise RuntimeError(f"broken on {len(images)}")

    model = Broken().eval()
    with pytest.raises(RuntimeError, match="broken"):
        gradient_norms(model, DATA)
    assert not model.calls
    assert not model.training


def test_tiny_gradients_do_not_vanish_in_the_square():
    model = MLP(width=4, depth=30, activation="sigmoid").build(SHAPE, CLASSES, seed=0)
    first = gradient_norms(model, DATA)[0].weight
    assert 0 < first < 1e-22  # the square is below the smallest float32


def test_a_layer_without_part_in_the_loss_has_norm_zero():
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, CLASSES))
    model[1].aside = nn.Linear(3, 3)
    assert [(row.layer, row.weight) for row in gradient_norms(model, DATA)][1] == ("1.aside", 0.0)


def test_the_batch_is_fixed_and_of_training_images():
    whole, part = fixed_batch(DATA), fixed_batch(DATA.train)
    assert torch.equal(whole.images, part.images)
    assert len(whole) == 128
    assert whole.role == "train"
    assert len(fixed_batch(DATA, 10**6)) == len(DATA.train)
    assert len({tuple(image.flatten().tolist()) for image in whole.images}) > 100


def test_a_model_without_trained_weights_is_refused():
    with pytest.raises(ValueError, match="no layer with a trained weight to probe"):
        gradient_norms(nn.Flatten(), DATA)
