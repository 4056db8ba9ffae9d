"""Mirrors against PIL's."""

import pytest
import torch
from PIL import ImageOps

from gradlab.augmentation import Flip
from gradlab.types import UserError
from tests.augmentation.examples import by_pil, generator, images


def test_a_flip_is_pil_s_mirror():
    batch = images()
    assert torch.equal(
        Flip(probability=1)(batch, generator=generator()),
        by_pil(batch, lambda image, _: ImageOps.mirror(image)),
    )


def test_a_vertical_flip_is_pil_s_and_comes_on_top():
    batch = images()
    upside_down = Flip(probability=0, vertical=1)(batch, generator=generator())
    assert torch.equal(upside_down, by_pil(batch, lambda image, _: ImageOps.flip(image)))
    both = Flip(probability=1, vertical=1)(batch, generator=generator())
    assert torch.equal(both, by_pil(batch, lambda image, _: image.rotate(180)))


def test_the_two_mirrors_are_drawn_independently():
    drawn = Flip(probability=0.5, vertical=0.25).draw(4000, (1, 4, 4), generator())
    assert set(drawn.unique().tolist()) == {0.0, 1.0}
    across, down = drawn.mean(0).tolist()
    assert abs(across - 0.5) < 0.032
    assert abs(down - 0.25) < 0.028
    assert abs(float((drawn[:, 0] * drawn[:, 1]).mean()) - 0.125) < 0.021


def test_an_alternating_flip_needs_halves():
    with pytest.raises(
        UserError, match=r"every other epoch, got probability=0\.3; leave probability at 0\.5"
    ):
        Flip(alternate=True, probability=0.3)
