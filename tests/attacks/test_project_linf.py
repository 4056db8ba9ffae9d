import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradlab.attacks import project_linf
from tests.attacks.examples import images


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@given(eps=st.floats(0, 1), seed=st.integers(0, 99))
def test_the_projection_is_exact_idempotent_and_keeps_what_lies_inside(dtype, eps, seed):
    centre = images(2, seed=seed).to(dtype)
    far = (images(2, seed=seed + 100) * 6 - 3).to(dtype)
    found = project_linf(far, centre, eps)
    assert found.dtype == dtype
    assert float((found.double() - centre.double()).abs().max()) <= eps
    assert float(found.min()) >= 0
    assert float(found.max()) <= 1
    assert torch.equal(project_linf(found, centre, eps), found)
    assert torch.equal(project_linf(centre, centre, eps), centre)


def test_it_is_the_nearest_point_up_to_one_rounding():
    centre, far = images(50, dtype=torch.float32), images(50, seed=1, dtype=torch.float32) * 4 - 2
    nearest = torch.minimum(torch.maximum(far.double(), centre.double() - 0.1), centre.double() + 0.1)
    torch.testing.assert_close(
        project_linf(far, centre, 0.1).double(), nearest.clamp(0, 1), rtol=0, atol=2**-24
    )


def test_plain_clamping_leaves_the_ball_by_a_bit_and_this_does_not():
    """In float32 images + 8/255 - images is often more than 8/255."""
    centre, eps = images(400, dtype=torch.float32) * 0.9, 8 / 255
    assert float(((centre + eps).double() - centre.double()).max()) > eps
    found = project_linf(centre + 1, centre, eps)
    assert float((found.double() - centre.double()).max()) <= eps
