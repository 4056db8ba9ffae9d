"""Maps compared with those of random weights where they can tell, and planted cases that must pass and fail."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from gradlab.explain import edge_maps, rank_correlation, similarity
from tests.explain.examples import generator


def drawn(count=4, images=6, side=12, seed=0):
    """Maps that have nothing to do with each other: (count, images, side, side), positive."""
    return torch.rand(count, images, side, side, generator=generator(seed), dtype=torch.float64) + 0.01


@pytest.fixture(scope="module")
def half_black():
    """Images (6, 1, 12, 12) of which every other row is black."""
    batch = torch.rand(6, 1, 12, 12, generator=generator(9), dtype=torch.float64) * 0.2 + 0.8
    batch[:, :, ::2] = 0
    return batch


def test_it_is_spearmans_correlation_over_pixels_that_are_not_0_in_the_map_or_another_draw():
    maps = drawn()
    maps[:, :, :, :5] = 0  # whatever the weights are
    maps[0, :, 0, 5], maps[1:, :, 1, 6] = 0, 0
    found = similarity(maps[0], maps[1:])
    for draw in range(3):
        others = [0, *(k + 1 for k in range(3) if k != draw)]
        for image in range(6):
            kept = (maps[others, image] != 0).any(0).numpy()
            pair = (maps[k, image].numpy()[kept] for k in (0, draw + 1))
            assert float(found[draw, image]) == pytest.approx(spearmanr(*pair).statistic)


def test_a_network_dependent_map_times_the_image_is_different_with_random_weights(half_black):
    maps = drawn() * half_black[:, 0]
    ties = torch.stack([rank_correlation(maps[0], one) for one in maps[1:]])
    assert float(ties.mean()) > 0.7  # what black pixels alone do
    found = similarity(maps[0], maps[1:])
    assert float(found.mean()) < 0.3
    assert not found.isnan().any()


def test_maps_of_the_image_alone_are_the_same_with_random_weights(half_black):
    for maps in (edge_maps(half_black), half_black[:, 0].abs(), (half_black[:, 0] > 0.9).double()):
        assert (similarity(maps, torch.stack([maps] * 3)) == 1).all()
        almost = torch.stack([maps * (1 + k / 10) for k in range(1, 4)])  # another scale, the same order
        found = similarity(maps, almost)
        assert (found[~found.isnan()] > 0.999).all()


def test_maps_that_have_nothing_in_common_are_uncorrelated_although_many_pixels_are_0():
    """Were the pixels chosen by all maps of a comparison, the correlation would be about -0.2 here."""
    maps = drawn(4, 400, 10, seed=3)
    maps = torch.where(torch.rand(maps.shape, generator=generator(4)) < 0.8, 0.0, maps)
    found = similarity(maps[0], maps[1:])
    assert abs(float(found.nanmean())) < 4 * float(found[~found.isnan()].std()) / np.sqrt(3 * 400)


def test_empty_maps_and_images_of_which_almost_nothing_counts_say_nothing():
    maps = drawn()
    maps[0, 0] = 0  # the network's map is empty
    maps[1, 1] = 0.5  # a draw's is
    maps[:, 2] = 0
    maps[:, 2, 0, :3] = torch.rand(4, 3, generator=generator())  # 3 of 144 pixels
    found = similarity(maps[0], maps[1:]).isnan()
    assert found[:, 0].all()
    assert found[:, 1].tolist() == [True, False, False]
    assert found[:, 2].all()
    assert not found[:, 3:].any()


def test_with_one_draw_pixels_count_where_the_map_is_not_0(half_black):
    maps = drawn() * half_black[:, 0]
    found = similarity(maps[0], maps[1:2])
    kept = (maps[0, 0] != 0).numpy()
    expected = spearmanr(maps[0, 0].numpy()[kept], maps[1, 0].numpy()[kept]).statistic
    assert float(found[0, 0]) == pytest.approx(expected)
