import pytest
import torch

from gradlab.attacks import PGD, DeepFool, attacked, over_eps
from gradlab.attacks.each_eps import each_eps
from tests.attacks.examples import images, labels_of, small

RADII = (0.01, 0.05, 0.2)


@pytest.mark.parametrize("attack", [PGD(steps=3), DeepFool(norm="linf")], ids=["pgd", "deepfool"])
def test_each_radius_gets_what_the_attack_finds_alone(attack):
    model, batch = small(), images(30)
    labels = labels_of(model, batch)
    shared = each_eps(attack, RADII)
    for eps, one in over_eps(attack, RADII).items():
        found, alone = (attacked(each, model, batch, labels, batch_size=16) for each in (shared[eps], one))
        assert torch.equal(found.images, alone.images)
        assert torch.equal(found.iterations, alone.iterations)
        assert torch.equal(found.queries, alone.queries)


def test_a_minimum_norm_attack_searches_once_for_all_radii():
    model, batch = small(), images(12)
    labels = labels_of(model, batch)
    calls = []
    model.register_forward_pre_hook(lambda *_: calls.append(1))
    shared = each_eps(DeepFool(norm="linf"), RADII)
    shared[RADII[0]](model, batch, labels)
    once = len(calls)
    for eps in RADII[1:]:
        shared[eps](model, batch, labels)
    assert len(calls) == once > 0
    shared[RADII[0]](model, batch[:5], labels[:5])
    assert len(calls) > once
