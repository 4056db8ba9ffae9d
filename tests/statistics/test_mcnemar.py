import numpy as np
import pytest
from scipy import stats

from gradlab.statistics import mcnemar
from gradlab.types import UserError


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_the_binomial_test_of_the_discordant_images(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.random(200) < 0.9, rng.random(200) < 0.8
    only_a = sum(x and not y for x, y in zip(a, b, strict=True))
    only_b = sum(y and not x for x, y in zip(a, b, strict=True))
    found = mcnemar(a, b)
    assert (found.only_a, found.only_b, found.n) == (only_a, only_b, 200)
    assert found.p_value == pytest.approx(stats.binomtest(only_a, only_a + only_b).pvalue)
    assert mcnemar(b, a).p_value == found.p_value


def test_images_that_both_get_right_do_not_count() -> None:
    short = mcnemar([1, 1, 1, 0], [0, 0, 0, 1])
    long = mcnemar([1, 1, 1, 0] + [1] * 500, [0, 0, 0, 1] + [1] * 500)
    assert short.p_value == long.p_value == pytest.approx(10 / 16)


def test_equal_models_give_one() -> None:
    assert mcnemar([1, 0, 1], [1, 0, 1]).p_value == 1


def test_stacked_seeds_are_refused_with_the_reason() -> None:
    with pytest.raises(
        UserError, match=r"one seed.*several seeds on one image are not several images.*judge"
    ):
        mcnemar(np.ones((3, 50)), np.ones((3, 50)))


def test_other_input_is_refused() -> None:
    with pytest.raises(UserError, match="same images, got 3 and 2"):
        mcnemar([1, 0, 1], [1, 0])
    with pytest.raises(UserError, match="one true or false"):
        mcnemar([0.2, 0.9], [1, 0])
    with pytest.raises(UserError, match="at least one image"):
        mcnemar([], [])
