import pytest
import torch
from scipy.optimize import linprog

from gradlab.attacks.project_plane import project_plane
from tests.attacks.examples import generator, images


def case(seed):
    points = images(6, shape=(1, 2, 4), seed=seed)
    slope = torch.randn(points.shape, generator=generator(seed), dtype=torch.float64)
    height = torch.randn(6, generator=generator(seed + 1), dtype=torch.float64)
    return points, slope, height


def value(at, points, slope, height):
    return height + (slope * (at - points)).flatten(1).sum(1)


@pytest.mark.parametrize("seed", range(5))
def test_in_l_infinity_it_is_as_near_as_a_linear_programme_finds(seed):
    points, slope, height = case(seed)
    found = project_plane(points, slope, height, "linf")
    solved = 0
    for row in range(6):
        w, x = slope[row].flatten().numpy(), points[row].flatten().numpy()
        sides = [[*(sign * (k == j) for k in range(8)), -1.0] for sign in (1, -1) for j in range(8)]
        limits = [sign * x[j] for sign in (1, -1) for j in range(8)]
        best = linprog(
            [0] * 8 + [1], sides, limits, [[*w, 0]], [w @ x - float(height[row])], [(0, 1)] * 8 + [(0, None)]
        )
        if best.status != 2:  # there is a zero in the range
            solved += 1
            assert float((found[row] - points[row]).abs().max()) == pytest.approx(best.fun, abs=1e-9)
            assert float(value(found, points, slope, height)[row]) == pytest.approx(0, abs=1e-9)
    assert solved >= 5


@pytest.mark.parametrize("seed", range(5))
def test_in_l2_no_point_of_the_plane_is_nearer(seed):
    points, slope, height = case(seed)
    found = project_plane(points, slope, height, "l2")
    assert 0 <= float(found.min()) <= float(found.max()) <= 1
    near = torch.linalg.vector_norm((found - points).flatten(1), dim=1)
    for trial in range(100):
        other = images(6, shape=(1, 2, 4), seed=1000 + trial)
        back = project_plane(other, slope, value(other, points, slope, height), "linf")
        lies = value(back, points, slope, height).abs() < 1e-9
        distance = torch.linalg.vector_norm((back - points).flatten(1), dim=1)
        assert (distance >= near - 1e-9)[lies].all()


def test_where_there_is_no_zero_it_goes_as_far_as_the_range_allows():
    points = torch.full((1, 1, 1, 2), 0.5)
    found = project_plane(points, torch.ones_like(points), torch.tensor([9.0]), "l2")
    assert torch.equal(found, torch.zeros_like(points))
