"""Erasing: one box of the stated area and shape, filled as stated, and nothing else."""

import numpy as np
import pytest
import torch
from scipy import stats

from gradlab.augmentation import Erasing
from tests.augmentation.examples import generator, images

LARGE = (1, 200, 200)
"""Large images, where the rounding of boxes to whole pixels hardly shows."""


def test_erasing_is_a_plain_slice():
    batch = images(40)
    for fill in ("black", "noise"):
        erasing = Erasing(fill=fill, probability=0.7)
        drawn = erasing.draw(40, (3, 10, 12), generator())
        expected = batch.clone()
        for i, row in enumerate(drawn):
            top, left, height, width = (int(number) for number in row[:4])
            filling = row[4:].view(3, 10, 12) if fill == "noise" else torch.zeros(3, 10, 12)
            box = np.s_[:, top : top + height, left : left + width]
            expected[i][box] = filling[box]
        assert torch.equal(erasing.apply(batch, drawn), expected)


def test_boxes_lie_inside_and_areas_are_uniform_in_their_range():
    boxes = Erasing(probability=1, fill="black").draw(4000, LARGE, generator()).double()
    top, left, height, width = boxes.unbind(1)
    assert bool((top >= 0).all() and (left >= 0).all())
    assert bool((top + height <= 200).all() and (left + width <= 200).all())
    areas = (height * width / 200**2).numpy()
    assert 0.02 - 0.001 < areas.min() < areas.max() < 0.4 + 0.005
    assert stats.kstest(areas, stats.uniform(0.02, 0.38).cdf).pvalue > 0.01


def test_shapes_are_uniform_on_the_log_scale_where_all_of_them_fit():
    erasing = Erasing(smallest=0.05, largest=0.2, probability=1, fill="black")
    boxes = erasing.draw(4000, LARGE, generator()).double()
    ratios = (boxes[:, 2] / boxes[:, 3]).log().numpy()
    limit = np.log(1 / 0.3)
    assert stats.kstest(ratios, stats.uniform(-limit, 2 * limit).cdf).pvalue > 0.01


def test_places_are_uniform_among_those_inside():
    boxes = Erasing(probability=1, fill="black").draw(4000, LARGE, generator()).double()
    for start, length in ((boxes[:, 0], boxes[:, 2]), (boxes[:, 1], boxes[:, 3])):
        part = ((start + 0.5) / (200 - length + 1)).numpy()
        assert stats.kstest(part, "uniform").pvalue > 0.01


def test_sides_are_rounded_and_every_place_inside_is_as_likely():
    erasing = Erasing(smallest=0.2, largest=0.2, ratio=1, probability=1, fill="black")
    boxes = erasing.draw(5000, (1, 8, 8), generator())  # 12.8 pixels, sides of 3.58
    assert boxes[:, 2:].unique().tolist() == [4.0]
    counts = torch.bincount((boxes[:, 0] * 5 + boxes[:, 1]).long(), minlength=25)
    assert len(counts) == 25
    assert float(((counts - 200) ** 2 / 200).sum()) < 43  # 99 % of chi-square with 24 degrees of freedom


@pytest.mark.parametrize("size", [(1, 4, 40), (1, 40, 4), (1, 8, 8)])
def test_boxes_fit_into_narrow_and_small_images(size):
    boxes = Erasing(probability=1, fill="black", largest=0.9).draw(500, size, generator())
    top, left, height, width = boxes.unbind(1)
    assert bool((top + height <= size[1]).all() and (left + width <= size[2]).all())
    areas = height * width / (size[1] * size[2])
    assert abs(float(areas.mean()) - 0.46) < 0.06


def test_the_filling_noise_is_uniform_over_grey_levels():
    drawn = Erasing(probability=1).draw(50, (1, 16, 16), generator())[:, 4:]
    levels = drawn * 255
    torch.testing.assert_close(levels, levels.round(), atol=1e-4, rtol=0)
    counts = torch.bincount(levels.round().long().flatten(), minlength=256)
    assert len(counts) == 256
    assert 180 < float(((counts - 50) ** 2 / 50).sum()) < 340  # chi-square with 255 degrees of freedom
