"""CutMix: boxes of partners, weights that are the real share of pixels."""

import pytest
import torch
from scipy import stats

from gradlab.augmentation import CutMix
from tests.augmentation.examples import generator, images


def test_weights_are_the_share_of_own_pixels_and_labels_those_of_what_stands_in_the_box():
    count = 60
    batch = torch.arange(count).view(-1, 1, 1, 1).expand(count, 2, 9, 13) / 100  # the number is the image
    labels = torch.arange(count)
    mixed, others, weights = CutMix()(batch, labels, generator=generator())
    clipped = 0
    for i in range(count):
        own, other = mixed[i] == batch[i], mixed[i] == batch[others[i]]
        assert bool((own | other).all())
        if int(others[i]) != i:
            assert float(own.float().mean()) == pytest.approx(float(weights[i]), abs=1e-6)
            rows, columns = other[0].any(1).nonzero().flatten(), other[0].any(0).nonzero().flatten()
            assert int(other[0].sum()) == len(rows) * len(columns)  # one box
            clipped += int(len(rows) > 0 and (int(rows[0]) == 0 or int(columns[0]) == 0))
    assert clipped > 5  # boxes that are cut at the border are among them


def test_boxes_have_the_paper_s_size_where_the_border_does_not_cut_them():
    drawn = CutMix().draw(4000, (1, 400, 400), generator()).double()
    top, left, height, width = drawn[:, 1:].unbind(1)
    inner = (top > 0) & (left > 0) & (top + height < 400) & (left + width < 400)
    assert torch.equal(height[inner], width[inner])
    assert bool((height % 2 == 0)[inner].all())
    # an uncut box of side s·400 leaves (1 - s)² of the places; λ = 1 - s² is uniform, so that s has density 2s(1-s)²·6
    sides = (height[inner] / 400).numpy()
    cumulative = lambda s: 12 * (s**2 / 2 - 2 * s**3 / 3 + s**4 / 4)  # noqa: E731
    assert stats.kstest(sides, cumulative).pvalue > 0.01


def test_box_middles_are_uniform():
    drawn = CutMix(alpha=0.2).draw(4000, (1, 100, 100), generator()).double()
    untouched = drawn[(drawn[:, 3] > 0) & (drawn[:, 3] < 10)]  # nearly always whole, their middle seen
    middles = untouched[:, 1] + untouched[:, 3] / 2
    inside = middles[(middles > 5) & (middles < 95)].numpy()
    assert len(inside) > 100
    assert stats.kstest(inside, stats.uniform(5, 90).cdf).pvalue > 0.001


def test_alpha_and_probability_zero_keep_images_and_weights_bit_for_bit():
    batch, labels = images(), torch.arange(6)
    for cutmix in (CutMix(alpha=0), CutMix(probability=0)):
        mixed, _, weights = cutmix(batch, labels, generator=generator())
        assert torch.equal(mixed, batch)
        assert torch.equal(weights, torch.ones(6))
