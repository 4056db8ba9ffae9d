import pytest
import torch

from gradlab.attacks import APGD, FAB, PGD, DeepFool, explore_over_eps, over_eps
from gradlab.types import UserError
from tests.attacks.examples import generator, images, labels_of, small


def test_each_radius_gets_the_attack_with_all_else_equal():
    found = over_eps(PGD(steps=3), (0, 4 / 255))
    assert found == {0.0: PGD(steps=3, eps=0), 4 / 255: PGD(steps=3, eps=4 / 255)}
    assert found[4 / 255].step == pytest.approx(2.5 * 4 / 255 / 3)
    assert list(over_eps(PGD(norm="l2"), (0.5, 3))) == [0.5, 3]


@pytest.mark.parametrize(
    ("eps", "sentence"), [((), "one or more"), ((0.1, 0.1), "different"), ((8,), "8/255")]
)
def test_radii_that_are_none_are_refused(eps, sentence):
    with pytest.raises(UserError, match=sentence):
        over_eps(PGD(), eps)


@pytest.mark.parametrize(
    "attack", [PGD(steps=3), APGD(steps=5, norm="l2"), DeepFool(), FAB(steps=5)], ids=repr
)
def test_many_radii_in_one_call_are_as_each_by_itself(attack):
    model, batch = small(), images(30)
    labels, radii = labels_of(model, batch), (0.01, 0.05, 0.2)
    found = explore_over_eps(attack, radii, model, batch, labels, generator=generator(4))
    assert list(found) == list(radii)
    for eps, at in over_eps(attack, radii).items():
        alone = at.explore(model, batch, labels, generator=generator(4))
        assert torch.equal(alone.iterations, found[eps].iterations)
        if not isinstance(attack, FAB):  # which stops at the first success within the radius
            assert torch.equal(alone.images, found[eps].images)
    shares = [float((one.iterations >= 0).double().mean()) for one in found.values()]
    assert shares[0] < shares[2]
    assert shares == sorted(shares)


def test_the_nearest_success_is_searched_once_for_all_radii():
    model, batch = small(), images(20)
    labels, seen = labels_of(model, batch), []
    model.register_forward_pre_hook(lambda _model, inputs: seen.append(len(inputs[0])))
    explore_over_eps(DeepFool(), (0.1,), model, batch, labels)
    once = sum(seen)
    seen.clear()
    explore_over_eps(DeepFool(), (0.1, 0.2, 0.3, 0.5), model, batch, labels)
    assert sum(seen) == once
