from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gradlab.statistics import sign_flip, smallest_p
from gradlab.types import UserError


def brute_force(d: list[float], boundary: float) -> float:
    centred = np.array(d) - boundary
    sums = [abs(np.dot(signs, centred)) for signs in product((1, -1), repeat=len(d))]
    return float(np.mean([s >= abs(centred.sum()) - 1e-9 for s in sums]))


@given(st.lists(st.integers(-6, 6), min_size=1, max_size=9), st.integers(-3, 3))
def test_exact_p_counts_all_patterns_also_with_ties(d: list[int], boundary: int) -> None:
    values = [x / 10 for x in d]  # tenths: ties that floating point blurs
    assert sign_flip(values, boundary / 10) == brute_force(values, boundary / 10)


def test_agrees_with_scipy() -> None:
    d = np.random.default_rng(3).normal(0.4, 1, 9)
    reference = stats.permutation_test(
        (d,), np.mean, permutation_type="samples", n_resamples=np.inf, alternative="two-sided"
    )
    assert sign_flip(d) == pytest.approx(reference.pvalue)


@pytest.mark.parametrize("n", [1, 2, 5, 6, 12, 20])
def test_one_sided_differences_reach_the_smallest_p(n: int) -> None:
    assert sign_flip(np.arange(1, n + 1)) == smallest_p(n) == 2 / 2**n


def test_five_seeds_cannot_reach_five_percent_and_six_can() -> None:
    assert smallest_p(5) > 0.05 >= smallest_p(6)


def test_boundary_is_subtracted() -> None:
    d = [1.0, 1.2, 0.9, 1.1, 1.3, 1.0]
    assert sign_flip(d, 0.0) == 2 / 64
    assert sign_flip(d, 1.05) > 0.3
    assert sign_flip(d, 2.0) == 2 / 64


def test_samples_are_averaged_per_seed() -> None:
    d = np.random.default_rng(0).integers(-1, 2, (6, 50))
    assert sign_flip(d, 0.1) == sign_flip(d.mean(axis=1), 0.1)


def test_random_patterns_come_close_to_the_normal_limit_and_repeat() -> None:
    d = np.random.default_rng(1).normal(0.3, 1, 40)
    z = d.sum() / np.sqrt(np.sum(d**2))  # variance of the flipped sum
    p = sign_flip(d, generator=np.random.default_rng(5))
    assert p == pytest.approx(2 * stats.norm.sf(abs(z)), rel=0.1)
    assert p == sign_flip(d, generator=np.random.default_rng(5))


def test_random_p_is_never_zero() -> None:
    assert sign_flip(np.ones(40), generator=np.random.default_rng(0), draws=999) == 1 / 1000


def test_beyond_twenty_seeds_a_generator_is_asked_for() -> None:
    with pytest.raises(UserError, match=r"got 21 seeds; give generator="):
        sign_flip(np.ones(21))


def test_leaves_numpy_global_state_alone() -> None:
    before = np.random.get_state()[1].copy()  # type: ignore[index,union-attr]
    sign_flip(np.ones(25), generator=np.random.default_rng(0))
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # type: ignore[index]
