import numpy as np
import pytest
from scipy import stats

from gradlab.statistics import judge, outlying_seed


@pytest.mark.parametrize("n", [4, 6, 12])
def test_it_is_grubbs_test_at_one_percent(n: int) -> None:
    t = stats.t.ppf(1 - 0.01 / (2 * n), n - 2)
    critical = (n - 1) / np.sqrt(n) * np.sqrt(t**2 / (n - 2 + t**2))
    rng, seen = np.random.default_rng(0), set()
    for spread in np.linspace(0, 8, 60):
        values = rng.normal(size=n)
        values[2] += spread
        statistic = np.abs(values - values.mean()).max() / values.std(ddof=1)
        expected = int(np.abs(values - values.mean()).argmax()) if statistic > critical else None
        assert outlying_seed(values) == expected
        seen.add(expected)
    assert {None, 2} <= seen


def test_few_or_equal_seeds_have_none_and_one_that_differs_from_equal_ones_is_one() -> None:
    assert outlying_seed(np.array([0.0, 0.0, 9.0])) is None
    assert outlying_seed(np.full(6, 0.3)) is None
    assert outlying_seed(np.array([0.1, 0.1, 0.1, 0.1, 0.2])) == 4


def test_a_judgement_flags_it_and_is_silent_on_two_groups() -> None:
    d = [0.05, 0.051, 0.049, 0.05, -0.12, 0.05]
    found = judge(d, delta=0.01)
    (flag,) = found.flags
    assert flag.startswith("seed 5 of 6 lies far from the others (-0.12, the others' mean 0.05)")
    assert "no interval of 6 seeds allows for such a seed" in flag
    groups = judge(d, delta=0.01, learned=[[1, 1, 1, 1, 0, 1]])
    assert not any("lies far" in flag for flag in groups.flags)
