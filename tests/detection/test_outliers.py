"""Foreign images made of validation images: means and jigsaws, the same bits for the same seed, none of test images."""

import pytest
import torch

from gradlab.data import from_tensors
from gradlab.detection import outliers
from gradlab.types import UserError

PIXELS = torch.randint(0, 256, (60, 3, 9, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
DATA = from_tensors(PIXELS, torch.arange(60) % 3, name="random")
PART = DATA.train


def test_even_rows_are_means_of_two_images_of_different_classes():
    made, images = outliers(PART), PART.images.int()
    for row in range(0, len(PART), 2):
        pairs = (images[row] + images) // 2
        partner = [k for k in range(len(PART)) if torch.equal(pairs[k], made[row].int())]
        assert len(partner) == 1
        assert PART.labels[partner[0]] != PART.labels[row]


def test_odd_rows_are_the_same_pieces_in_another_order():
    made = outliers(PART)
    for row in range(1, len(PART), 2):
        before, after = (
            [one[:, 2 * a : 2 * a + 2, 2 * b : 2 * b + 2] for a in range(4) for b in range(4)]
            for one in (PART.images[row], made[row])
        )
        assert sorted(piece.sum().item() for piece in before) == sorted(piece.sum().item() for piece in after)
        assert not torch.equal(PART.images[row], made[row])
        assert torch.equal(PART.images[row, :, 8:], made[row, :, 8:])  # the ninth row belongs to no piece


def test_the_seed_decides_and_small_images_have_fewer_pieces():
    assert torch.equal(outliers(PART), outliers(PART))
    assert not torch.equal(outliers(PART), outliers(PART, seed=1))
    small = from_tensors(PIXELS[..., :5, :5], torch.arange(60) % 3).train
    assert outliers(small).shape == small.images.shape


def test_test_images_and_one_class_are_refused():
    with pytest.raises(UserError, match="got the test split of 'random'"):
        outliers(DATA.test)
    with pytest.raises(UserError, match="images of at least two"):
        outliers(PART[PART.labels == 0])
