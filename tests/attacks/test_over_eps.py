import pytest

from gradlab.attacks import PGD, over_eps
from gradlab.types import UserError


def test_each_radius_gets_the_attack_with_all_else_equal():
    found = over_eps(PGD(steps=3), (0, 4 / 255))
    assert found == {0.0: PGD(steps=3, eps=0), 4 / 255: PGD(steps=3, eps=4 / 255)}
    assert found[4 / 255].step == pytest.approx(2.5 * 4 / 255 / 3)


@pytest.mark.parametrize(
    ("eps", "sentence"), [((), "one or more"), ((0.1, 0.1), "different"), ((8,), "8/255")]
)
def test_radii_that_are_none_are_refused(eps, sentence):
    with pytest.raises(UserError, match=sentence):
        over_eps(PGD(), eps)
