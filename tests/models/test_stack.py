"""Stacked networks against the same networks one by one."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from torch import nn

from gradlab.models import MLP, stack, unstack
from gradlab.models.stack import can_stack

SHAPE, CLASSES, SEEDS = (1, 4, 4), 3, (0, 1, 5)
BASE = MLP(width=6, depth=4)
CONFIGS = [
    BASE,
    MLP(width=6, depth=0),
    replace(BASE, residual=True, layers_per_block=2, activation_place="after-sum", stem_activation=False),
    replace(BASE, norm="batch", residual=True, layers_per_block=2),
    replace(BASE, norm="layer", activation="gelu"),
    MLP(widths=(7, 5, 6), activation="tanh", norm="batch"),
    replace(BASE, activation="sigmoid", norm="layer", activation_place="after-sum"),
    replace(BASE, activation="leaky-relu", residual=True),
]


def networks(config, seeds=SEEDS):
    built = [config.build(SHAPE, CLASSES, seed=s, mean=(0.3,), std=(0.4,)).double() for s in seeds]
    generator = torch.Generator().manual_seed(0)
    for network in built:  # norms with values of their own
        for value in (*network.parameters(), *(b for b in network.buffers() if b.dim() == 1)):
            if value.is_floating_point():
                value.data.add_(0.2 * torch.rand(value.shape, generator=generator, dtype=torch.float64))
    return built


def batch(seeds=SEEDS, size=7):
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(len(seeds), size, *SHAPE, generator=generator, dtype=torch.float64)
    return images, torch.randint(0, CLASSES, (len(seeds), size), generator=generator)


def loss_of(logits, labels):
    return nn.functional.cross_entropy(logits.flatten(0, -2), labels.flatten(), reduction="sum")


def as_weights(stacked):
    """Copy a stack with its gradients in place of its weights, so that unstacking gives them their usual shapes."""
    copy = deepcopy(stacked)
    for mine, parameter in zip(copy.parameters(), stacked.parameters(), strict=True):
        mine.data = parameter.grad.clone()
    return copy


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_forward_gradients_and_running_statistics_equal_the_solo_networks(config, training):
    solo = [network.train(training) for network in networks(config)]
    stacked = stack(solo).train(training)
    images, labels = batch()
    logits = stacked(images)
    loss_of(logits, labels).backward()
    for index, network in enumerate(solo):
        expected = network(images[index])
        loss_of(expected, labels[index]).backward()
        torch.testing.assert_close(logits[index], expected, rtol=1e-12, atol=1e-12)
        gradients = unstack(as_weights(stacked), index, network).parameters()
        for mine, (name, theirs) in zip(gradients, network.named_parameters(), strict=True):
            torch.testing.assert_close(mine.detach(), theirs.grad, rtol=1e-12, atol=1e-12, msg=name)
        buffers = dict(network.named_buffers())
        for name, mine in stacked.named_buffers():
            if not name.startswith("normalise"):
                torch.testing.assert_close(mine[index], buffers[name], rtol=1e-12, atol=1e-12, msg=name)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_stacking_and_unstacking_gives_the_same_bits(config):
    solo = networks(config)
    stacked = stack(solo)
    for index, network in enumerate(solo):
        back = unstack(stacked, index, networks(config, (9,))[0])
        assert list(back.state_dict()) == list(network.state_dict())
        pairs = zip(back.state_dict().values(), network.state_dict().values(), strict=True)
        assert all(torch.equal(a, b) and a.dtype == b.dtype for a, b in pairs)


def test_unstacking_keeps_the_stack_s_number_format_whatever_the_template_s():
    solo = networks(BASE)
    back = unstack(stack(solo), 1, BASE.build(SHAPE, CLASSES, seed=0))  # a float32 template
    assert torch.equal(back.head.weight, solo[1].head.weight)
    assert back.head.weight.dtype == torch.float64


def test_stacking_leaves_the_networks_alone():
    solo = networks(replace(BASE, norm="batch"))
    before = deepcopy([network.state_dict() for network in solo])
    stacked = stack(solo).train()
    loss = loss_of(stacked(batch()[0]), batch()[1])
    loss.backward()
    with torch.no_grad():
        for parameter in stacked.parameters():
            parameter.sub_(parameter.grad)
    for network, state in zip(solo, before, strict=True):
        assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
        assert all(parameter.grad is None for parameter in network.parameters())


def test_a_network_s_slice_does_not_depend_on_which_others_are_stacked():
    solo = networks(replace(BASE, residual=True, norm="batch"))
    images, _ = batch()
    whole = stack(solo).eval()(images)
    for order in ([2], [1, 0], [2, 0, 1]):
        part = stack([solo[i] for i in order]).eval()(images[order])
        torch.testing.assert_close(part, whole[order], rtol=1e-13, atol=1e-13)


def test_one_network_full_of_nan_does_not_touch_the_others():
    solo = networks(replace(BASE, norm="batch", residual=True))
    images, labels = batch()
    clean = stack(solo)
    loss_of(clean(images), labels).backward()
    with torch.no_grad():
        solo[1].blocks[0].branch[0].weight.fill_(float("nan"))
    dirty = stack(solo)
    loss_of(dirty(images), labels).backward()
    for a, b in zip(clean.parameters(), dirty.parameters(), strict=True):
        assert torch.equal(a.grad[[0, 2]], b.grad[[0, 2]])
    assert dirty(images)[1].isnan().all()


def test_frozen_layers_stay_frozen_in_the_stack():
    solo = networks(BASE)
    for network in solo:
        network.stem.requires_grad_(False)
    stacked = stack(solo)
    frozen = [name for name, parameter in stacked.named_parameters() if not parameter.requires_grad]
    assert frozen == ["stem.0.weight", "stem.0.bias"]
    assert not unstack(stacked, 0, solo[0]).stem[0].weight.requires_grad


def test_networks_that_differ_are_refused():
    one = BASE.build(SHAPE, CLASSES, seed=0)
    frozen = BASE.build(SHAPE, CLASSES, seed=1)
    frozen.head.requires_grad_(False)
    others = [
        replace(BASE, residual=True).build(SHAPE, CLASSES, seed=1),
        BASE.build(SHAPE, CLASSES, seed=1, mean=(0.5,)),
        BASE.build(SHAPE, CLASSES + 1, seed=1),
        BASE.build((1, 2, 8), CLASSES, seed=1),
        frozen,
    ]
    for other in others:
        with pytest.raises(ValueError, match="group them"):
            stack([one, other])
    with pytest.raises(ValueError, match="at least one network"):
        stack([])


def changed(change):
    network = replace(BASE, norm="batch").build(SHAPE, CLASSES, seed=0)
    change(network)
    return network


@pytest.mark.parametrize(
    "change",
    [
        lambda n: setattr(n, "head", nn.Bilinear(6, 6, 3)),
        lambda n: n.stem.append(nn.Softplus()),
        lambda n: n.head.register_forward_hook(lambda *_: None),
        lambda n: nn.utils.parametrizations.orthogonal(n.blocks[0].branch[0]),
        lambda n: setattr(n.blocks[1].branch[0], "weight", n.blocks[0].branch[0].weight),
        lambda n: setattr(n.stem[1], "momentum", None),
    ],
    ids=["other layer", "other activation", "hook", "parametrised", "tied", "cumulative batch norm"],
)
def test_networks_that_were_changed_beyond_their_values_are_not_stacked(change):
    network = changed(change)
    assert not can_stack(network)
    with pytest.raises(ValueError, match="one seed at a time"):
        stack([network, network])


def test_a_user_s_module_is_not_stacked():
    assert not can_stack(nn.Linear(2, 2))
    assert can_stack(BASE.build(SHAPE, CLASSES, seed=0))
