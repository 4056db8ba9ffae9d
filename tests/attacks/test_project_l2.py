import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradlab.attacks import project_l2
from tests.attacks.examples import generator, images


def length(change):
    return change.double().flatten(1).norm(dim=1)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
@given(eps=st.floats(0, 9), seed=st.integers(0, 99))
def test_the_projection_is_exact_idempotent_and_keeps_what_lies_inside(dtype, eps, seed):
    centre = images(2, seed=seed).to(dtype)
    far = (images(2, seed=seed + 100) * 6 - 3).to(dtype)
    found = project_l2(far, centre, eps)
    assert found.dtype == dtype
    assert float(length(found.double() - centre.double()).max()) <= eps
    assert 0 <= float(found.min()) <= float(found.max()) <= 1
    assert torch.equal(project_l2(found, centre, eps), found)
    assert torch.equal(project_l2(centre, centre, eps), centre)


def test_no_point_of_ball_and_range_is_nearer():
    """At a projection z of y, (y - z)·(v - z) ≤ 0 for every v of a convex set."""
    centre, far = images(20), images(20, seed=1) * 4 - 1.5
    found = project_l2(far, centre, 0.8)
    assert (length(found - centre) > 0.8 - 1e-6).all()
    for seed in range(300):
        other = torch.randn(centre.shape, generator=generator(seed), dtype=torch.float64)
        other = centre + other * (0.8 / length(other)).view(-1, 1, 1, 1)
        inside = centre + (other.clamp(0, 1) - centre)
        assert (((far - found) * (inside - found)).flatten(1).sum(1) <= 1e-6).all()


def test_far_from_the_borders_it_is_the_ray():
    centre, way = torch.full((1, 1, 1, 2), 0.5, dtype=torch.float64), torch.tensor([[[[3.0, 4.0]]]]).double()
    torch.testing.assert_close(project_l2(centre + way, centre, 0.1), centre + way / 50, rtol=0, atol=1e-12)


def test_a_border_does_not_cost_radius():
    """One number meets the border after 0.1; the other takes what is left of the radius."""
    centre = torch.tensor([[[[0.9, 0.2]]]], dtype=torch.float64)
    far = centre + 1
    found = project_l2(far, centre, 0.5)
    wanted = torch.tensor([[[[1.0, 0.2 + (0.25 - 0.01) ** 0.5]]]], dtype=torch.float64)
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-12)
