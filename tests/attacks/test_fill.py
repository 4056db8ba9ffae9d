import numpy as np
import pytest
import torch
from scipy.optimize import brentq

from gradlab.attacks._fill import fill


@pytest.mark.parametrize("seed", range(20))
def test_it_solves_what_a_root_finder_solves(seed):
    rng = np.random.default_rng(seed)
    weights, rates, limits = rng.random((3, 4, 30))
    rates[:, ::7], limits[:, ::5] = 0, 0
    most = (weights * limits * (rates > 0)).sum(1)
    total = most * rng.uniform(0, 0.99, 4)
    found = fill(*map(torch.from_numpy, (weights, rates, limits, total))).numpy()
    for row in range(4):
        w, r, m, goal = weights[row], rates[row], limits[row], total[row]
        root = brentq(
            lambda s, w=w, r=r, m=m, goal=goal: (w * np.minimum(s * r, m)).sum() - goal, 0, 1e9, xtol=1e-15
        )
        assert found[row] == pytest.approx(root, rel=1e-9)


def test_a_total_out_of_reach_is_infinite_and_nothing_takes_no_time():
    ones = torch.ones(1, 3, dtype=torch.float64)
    assert fill(ones, ones, ones, torch.tensor([3.1], dtype=torch.float64)).isinf().all()
    assert float(fill(ones, ones, ones, torch.tensor([0.0], dtype=torch.float64))) == 0
