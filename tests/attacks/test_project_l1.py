import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradlab.attacks import project_l1
from tests.attacks.examples import generator, images


def length(change):
    return change.double().flatten(1).abs().sum(1)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
@given(eps=st.floats(0, 30), seed=st.integers(0, 99))
def test_the_projection_is_exact_idempotent_and_keeps_what_lies_inside(dtype, eps, seed):
    centre = images(2, seed=seed).to(dtype)
    far = (images(2, seed=seed + 100) * 6 - 3).to(dtype)
    found = project_l1(far, centre, eps)
    assert found.dtype == dtype
    assert float(length(found.double() - centre.double()).max()) <= eps
    assert 0 <= float(found.min()) <= float(found.max()) <= 1
    assert torch.equal(project_l1(found, centre, eps), found)
    assert torch.equal(project_l1(centre, centre, eps), centre)


def test_no_point_of_ball_and_range_is_nearer():
    """At a projection z of y, (y - z)·(v - z) ≤ 0 for every v of a convex set."""
    centre, far = images(20), images(20, seed=1) * 4 - 1.5
    found = project_l1(far, centre, 3)
    assert (length(found - centre) > 3 - 1e-5).all()
    for seed in range(300):
        other = torch.randn(centre.shape, generator=generator(seed), dtype=torch.float64) ** 3
        inside = (centre + other * (3 / length(other)).view(-1, 1, 1, 1)).clamp(0, 1)
        assert (((far - found) * (inside - found)).flatten(1).sum(1) <= 1e-5).all()


def test_far_from_the_borders_changes_shrink_by_one_threshold():
    centre = torch.full((1, 1, 1, 3), 0.5, dtype=torch.float64)
    change = torch.tensor([[[[0.3, -0.2, 0.05]]]], dtype=torch.float64)
    wanted = torch.tensor([[[[0.2, -0.1, 0.0]]]], dtype=torch.float64)  # λ = 0.1 leaves 0.3 in all
    torch.testing.assert_close(project_l1(centre + change, centre, 0.3) - centre, wanted, rtol=0, atol=1e-12)


def test_what_a_border_takes_goes_to_the_others():
    centre = torch.tensor([[[[0.9, 0.2, 0.5]]]], dtype=torch.float64)
    change = torch.tensor([[[[1.0, 0.6, -0.4]]]], dtype=torch.float64)
    wanted = torch.tensor([[[[0.1, 0.3, -0.1]]]], dtype=torch.float64)  # the first is full at λ = 0.3
    torch.testing.assert_close(project_l1(centre + change, centre, 0.5) - centre, wanted, rtol=0, atol=1e-12)
