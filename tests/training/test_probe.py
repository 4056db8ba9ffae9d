"""Gradient norms against autograd by hand, and probes in a loop of one's own; the module is left as it was."""

import contextlib
from copy import deepcopy

import pytest
import torch
from torch import nn

from gradlab.models import MLP, wrap
from gradlab.training import gradient_norms, loss_surface, probe
from gradlab.training.probe import fixed_batch
from gradlab.types import UserError

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
    with pytest.raises(UserError, match="PyTorch says: broken on"):
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


def train(model, count, *, wrapped=None, optimizer=None, **more):
    """A loop of one's own with momentum and dropout; returns the final state, the rows and the random state."""
    torch.manual_seed(5)
    optimizer = optimizer or torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    images, labels = DATA.train.images / 255, DATA.train.labels

    def step(number):
        batch = torch.arange(16) + 16 * (number % 8)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images[batch]), labels[batch]).backward()
        optimizer.step()

    if wrapped is None:
        for number in range(count):
            step(number)
        return model.state_dict(), [], torch.get_rng_state()
    with probe(model, wrapped, **more) as log:
        for number in range(count):
            step(number)
            log.step()
    return model.state_dict(), log.rows, torch.get_rng_state()


@pytest.mark.parametrize("data", ["dataset", "pair"])
def test_a_loop_with_probes_trains_the_same_bits(data):
    pair = (DATA.train.images[:9] / 255, DATA.train.labels[:9])
    model = small_cnn()
    plain, _, random_state = train(deepcopy(model), 7)
    probed, rows, after = train(model, 7, wrapped=DATA if data == "dataset" else pair, every=3)
    assert_states_equal(probed, plain)
    assert torch.equal(after, random_state)
    assert sorted({row.step for row in rows}) == [0, 3, 6, 7]
    assert not any(layer._forward_hooks or layer._backward_hooks for layer in model.modules())


def test_rows_of_a_loop_are_those_of_the_weights_at_that_step():
    model = MLP(width=6, depth=2).build(SHAPE, CLASSES, seed=0)
    states = []
    sgd = torch.optim.SGD(model.parameters(), lr=0.1)
    sgd.register_step_post_hook(lambda *_: states.append(deepcopy(model.state_dict())))
    _, rows, _ = train(model, 5, wrapped=DATA, steps=(2, 4), optimizer=sgd)
    assert sorted({row.step for row in rows}) == [2, 4, 5]
    for step in (2, 4):
        model.load_state_dict(states[step - 1])
        norms = {layer.layer: layer for layer in gradient_norms(model, DATA)}
        for row in (row for row in rows if row.step == step):
            old, new = (states[number][f"{row.layer}.weight"] for number in (step - 2, step - 1))
            assert row.weight_gradient == pytest.approx(norms[row.layer].weight, rel=1e-6)
            assert row.bias_gradient == pytest.approx(norms[row.layer].bias, rel=1e-6)
            assert row.update_ratio == pytest.approx(float((new - old).norm() / old.norm()), rel=1e-4)
    assert all(
        row.update_ratio is None for row in rows if row.step == 5
    )  # nobody knew that it would be the last


def test_a_compiled_module_is_probed_as_the_one_it_was_made_from():
    model = MLP(width=6, depth=2).build(SHAPE, CLASSES, seed=0)
    with probe(torch.compile(model, backend="eager"), DATA) as compiled, probe(model, DATA) as plain:
        pass
    assert compiled.rows == plain.rows
    assert len(plain.rows) == 4


def test_any_outputs_and_any_loss_can_be_probed():
    model = nn.Sequential(nn.Embedding(7, 4), nn.Flatten(), nn.Linear(12, 1))
    tokens, targets = torch.randint(0, 7, (9, 3)), torch.randn(9, 1)
    with probe(model, (tokens, targets), loss=nn.functional.mse_loss) as log:
        pass
    copy = deepcopy(model)
    nn.functional.mse_loss(copy(tokens), targets).backward()
    assert [row.layer for row in log.rows] == ["0", "2"]
    for row in log.rows:
        expected = float(copy.get_submodule(row.layer).weight.grad.norm())
        assert row.weight_gradient == pytest.approx(expected, rel=1e-6)


def test_a_loop_that_raises_leaves_the_model_clean_and_looks_no_more():
    class StoppedError(Exception):
        pass

    model = small_cnn()

    def loop():
        with probe(model, DATA, every=2) as log:
            logs.append(log)
            log.step()
            raise StoppedError

    logs = []
    with pytest.raises(StoppedError):
        loop()
    assert {row.step for row in logs[0].rows} == {0}
    assert not any(layer._forward_hooks for layer in model.modules())
    with pytest.raises(UserError, match=r"this probe has ended; call step\(\) inside its with-block"):
        logs[0].step()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"every": 0}, "every counts optimiser steps between two probes, at least 1, got 0"),
        ({"every": 0.5}, "at least 1, got 0.5"),
        ({"steps": (0, -1)}, "whole numbers from 0, the start, got -1"),
        ({"steps": (1.5,)}, "whole numbers from 0, the start, got 1.5"),
        ({"steps": 5}, "a list of whole numbers from 0, the start, got 5"),
        ({"batch_size": 0}, "counts its images, at least 1, got 0"),
    ],
)
def test_steps_that_are_none_are_refused(arguments, words):
    with pytest.raises(UserError, match=words), probe(small_cnn(), DATA, **arguments):
        pass


@pytest.mark.parametrize("data", [DATA.test, (DATA.test.images, DATA.test.labels)], ids=["split", "pair"])
def test_a_probe_refuses_the_test_part(data):
    with (
        pytest.raises(UserError, match=r"^probe trains and selects on train and validation only"),
        probe(small_cnn(), data),
    ):
        pass


def test_a_probe_refuses_what_is_no_data():
    with (
        pytest.raises(UserError, match="a probe reads a gradlab Dataset or Split, got list"),
        probe(small_cnn(), [1]),
    ):
        pass


@pytest.mark.parametrize("look", [probe, gradient_norms, loss_surface])
def test_what_is_no_module_is_refused(look):
    with pytest.raises(
        UserError, match=rf"^{look.__name__} expects a torch.nn.Module, got function; pass the"
    ):
        run(look, lambda images: images, DATA)


@pytest.mark.parametrize("look", [probe, loss_surface])
@pytest.mark.parametrize(
    ("batch", "words"),
    [
        (
            (torch.rand(4, 3), torch.zeros(4).long()),
            r"cannot read inputs of shape \(4, 3\) and labels of shape \(4,\)",
        ),
        (
            (torch.rand(4, *SHAPE), torch.zeros(3).long()),
            r"\(PyTorch says: .*\); give a batch as in training",
        ),
        ((torch.rand(4, *SHAPE), torch.full((4,), 99)), "PyTorch says: .*99.* is out of bounds"),
        (
            (torch.rand(0, *SHAPE), torch.zeros(0).long()),
            "^{} needs at least one sample, got inputs of shape .0, ",
        ),
    ],
    ids=["shape", "count", "class", "empty"],
)
def test_a_batch_that_does_not_fit_is_refused_before_the_first_step(look, batch, words):
    model = small_cnn()
    with pytest.raises(UserError, match=words.format(look.__name__)):
        run(look, model, batch)
    assert not any(layer._forward_hooks for layer in model.modules())
    if look is probe:
        with pytest.raises(UserError), probe(model, batch, steps=(100,)):
            pytest.fail("the batch is tried before the loop, not at step 100")


def test_a_loss_that_is_no_mean_is_refused():
    losses = nn.CrossEntropyLoss(reduction="none")
    with pytest.raises(UserError, match=r"must be one number, a mean over the batch, got \(128,\)"):
        run(probe, small_cnn(), DATA, loss=losses)


def test_data_of_another_size_is_refused():
    model = nn.Sequential(nn.Flatten(), nn.Linear(3, CLASSES))
    with pytest.raises(UserError, match="cannot read inputs of shape"):
        run(gradient_norms, model, DATA)


def run(look, *arguments, **options):
    """Call what looks, and enter it where it is for a with-block."""
    with (
        look(*arguments, **options) if look is probe else contextlib.nullcontext(look(*arguments, **options))
    ):
        pass
