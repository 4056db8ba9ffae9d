"""What is measured of maps, against loops, closed forms and SciPy."""

import numpy as np
import pytest
import torch
from scipy import sparse, stats
from scipy.sparse.linalg import spsolve
from torch import nn

from gradlab.explain import (
    area,
    average_drop,
    centre_of_mass,
    deletion_insertion,
    edge_maps,
    overlap,
    pointing,
    random_maps,
    rank_correlation,
    road,
    scaled,
)
from gradlab.explain.deletion_insertion import blur, ranks
from gradlab.explain.road import imputed
from gradlab.types import UserError
from tests.explain.examples import averaging, flattening, generator, images


class Patch(nn.Module):
    """The logit of class 1 is the brightness of one corner alone."""

    def forward(self, batch):
        seen = 20 * batch[:, :, :3, :3].mean((1, 2, 3))
        return torch.stack([torch.zeros_like(seen), seen - 8], 1)


def corner():
    """Images that are bright in the corner and dark elsewhere, and the map that knows it."""
    batch = images(4) * 0.2
    batch[:, :, :3, :3] += 0.8
    good = torch.zeros(4, 12, 10, dtype=torch.float64)
    good[:, :3, :3] = 1
    return batch, good, torch.ones(4, dtype=torch.int64)


def test_deletion_and_insertion_are_areas_under_curves_made_pixel_by_pixel():
    model, batch, classes = flattening(), images(2), torch.tensor([1, 3])
    maps = images(2, (1, 12, 10), seed=7)[:, 0]
    found = deletion_insertion(model, batch, maps, classes, steps=6)
    for row in range(2):
        order = np.argsort(-maps[row].numpy().ravel(), kind="stable")
        mean = batch[row].mean((1, 2))[:, None]
        soft = blur(batch[row : row + 1], 2.0)[0].flatten(1)
        curves = {"deletion": [], "insertion": []}
        for step in range(7):
            gone = order[: 20 * step]
            deleted, inserted = batch[row].flatten(1).clone(), soft.clone()
            deleted[:, gone] = mean
            inserted[:, gone] = batch[row].flatten(1)[:, gone]
            for name, image in (("deletion", deleted), ("insertion", inserted)):
                probability = model(image.view(1, 3, 12, 10)).softmax(1)[0, classes[row]]
                curves[name].append(float(probability.detach()))
        for name, curve in curves.items():
            assert float(getattr(found, name)[row]) == pytest.approx(np.trapezoid(curve, dx=1 / 6), abs=1e-12)
    assert torch.equal(found.gap, found.insertion - found.deletion)


def test_a_map_that_knows_what_counts_beats_its_reverse_and_random_ones():
    batch, good, classes = corner()
    best, best_road = deletion_insertion(Patch(), batch, good, classes), road(Patch(), batch, good, classes)
    for other, least in ((1 - good, 0.9), (random_maps(batch, generator=generator()), 0.0)):
        worse = deletion_insertion(Patch(), batch, other, classes)
        gain, by_road = best.gap - worse.gap, best_road - road(Patch(), batch, other, classes)
        assert (gain > least).all()
        assert (by_road > least).all()
        assert float(gain.mean()) > 0.4
        assert float(by_road.mean()) > 0.4


def test_blurring_is_that_of_scipy():
    from scipy.ndimage import gaussian_filter1d

    batch = images(2)
    expected = batch.numpy()
    for axis in (2, 3):
        expected = gaussian_filter1d(expected, 1.5, axis=axis, radius=3, mode="nearest")
    torch.testing.assert_close(blur(batch, 1.5), torch.from_numpy(expected))


def test_ties_are_ranked_in_the_order_of_rows():
    assert ranks(torch.tensor([[[1.0, 2.0], [2.0, 0.0]]])).flatten().tolist() == [0.5, 0, 0.25, 0.75]


def test_imputation_solves_the_published_linear_system():
    """The sparse system of Rong et al., built pixel by pixel and solved by SciPy."""
    batch = images(2, (1, 7, 6))
    removed = torch.rand(2, 7, 6, generator=generator(4)) < 0.6
    found = imputed(batch, removed, generator=generator(), noise=0.0)
    for image, hole, filled in zip(batch[:, 0].numpy(), removed.numpy(), found[:, 0].numpy(), strict=True):
        number = {place: i for i, place in enumerate(zip(*np.nonzero(hole), strict=True))}
        matrix, right = sparse.lil_matrix((len(number), len(number))), np.zeros(len(number))
        for (row, column), i in number.items():
            for down in (-1, 0, 1):
                for across in (-1, 0, 1):
                    place = (row + down, column + across)
                    if (down or across) and 0 <= place[0] < 7 and 0 <= place[1] < 6:
                        weight = 1 / 12 if down and across else 1 / 6
                        matrix[i, i] += weight
                        if place in number:
                            matrix[i, number[place]] -= weight
                        else:
                            right[i] += weight * image[place]
        assert np.allclose(filled[hole], spsolve(matrix.tocsr(), right), atol=1e-5)
        assert np.array_equal(filled[~hole], image[~hole])


def test_noise_is_put_on_what_is_imputed_alone():
    batch, removed = images(2) * 0.5 + 0.25, torch.rand(2, 12, 10, generator=generator(4)) < 0.5
    plain, noisy = (imputed(batch, removed, generator=generator(), noise=one) for one in (0.0, 0.01))
    change = (noisy - plain).permute(0, 2, 3, 1)
    assert (change[~removed] == 0).all()
    assert 0.008 < float(change[removed].std()) < 0.012


def test_average_drop_and_increase_are_those_of_the_masked_image():
    model, batch, classes = averaging(), images(5), torch.arange(5) % 4
    maps = images(5, (1, 12, 10), seed=8)[:, 0]
    drop, rose = average_drop(model, batch, maps, classes)
    model.eval()
    for row, k in enumerate(classes.tolist()):
        before = float(model(batch[row : row + 1]).softmax(1)[0, k].detach())
        after = float(model(batch[row : row + 1] * maps[row]).softmax(1)[0, k].detach())
        assert float(drop[row]) == pytest.approx(max(0, before - after) / before)
        assert bool(rose[row]) == (after > before)
    nothing, _ = average_drop(model, batch, torch.ones_like(maps), classes)
    assert (nothing == 0).all()


def test_the_average_drop_of_a_map_outside_of_0_to_1_is_that_of_the_map_scaled():
    model, batch, classes = averaging(), images(5), torch.arange(5) % 4
    maps = images(5, (1, 12, 10), seed=8)[:, 0]
    maps[0], maps[1] = 50 * maps[0] - 10, -maps[1]
    within = maps.clone()
    within[0] = (maps[0].clamp(min=0) - maps[0].clamp(min=0).min()) / maps[0].max()
    within[1] = 0
    for found, expected in zip(
        *(average_drop(model, batch, one, classes) for one in (maps, within)), strict=True
    ):
        assert torch.equal(found, expected)
    untouched, _ = average_drop(model, batch, images(5, (1, 12, 10), seed=8)[:, 0], classes)
    assert torch.equal(average_drop(model, batch, maps, classes)[0][2:], untouched[2:])


def test_pointing_is_whether_the_maximum_lies_on_the_object_and_a_flat_map_is_a_random_pixel():
    maps, masks = torch.zeros(3, 4, 5), torch.zeros(3, 4, 5, dtype=torch.bool)
    masks[:, 1:3, 2:4] = True
    maps[0, 2, 3], maps[1, 0, 0] = 1, 1
    assert pointing(maps, masks).tolist() == [1, 0, 4 / 20]
    maps[1, 1, 2] = 1
    assert pointing(maps, masks)[1] == 0.5
    with pytest.raises(UserError, match="1 of 3 masks are empty"):
        pointing(maps, torch.cat([masks[:2], torch.zeros(1, 4, 5, dtype=torch.bool)]))
    with pytest.raises(UserError, match=r"bool of the maps' shape \(3, 4, 5\), got torch.float32"):
        pointing(maps, masks.float())


def test_overlap_is_intersection_over_union_of_the_top_fifth():
    first = torch.arange(20.0).view(1, 4, 5)
    second = first.clone()
    assert overlap(first, second).tolist() == [1]
    second[0, 3, 3:] = 0  # two of the top four give way to two others
    assert overlap(first, second).tolist() == [2 / 6]
    assert overlap(first, -first).tolist() == [0]


def test_rank_correlation_is_that_of_scipy_and_0_for_a_constant_map():
    first, second = images(4, (1, 6, 5))[:, 0], images(4, (1, 6, 5), seed=1)[:, 0].round(decimals=1)
    expected = [
        stats.spearmanr(a.flatten(), b.flatten()).statistic for a, b in zip(first, second, strict=True)
    ]
    assert rank_correlation(first, second).tolist() == pytest.approx(expected)
    assert rank_correlation(first, torch.ones_like(first)).tolist() == [0] * 4


def test_centre_and_area_are_sums_by_hand():
    maps = torch.zeros(3, 4, 8)
    maps[0, 0, 0], maps[1, 3, 6:] = 1, 0.6
    assert centre_of_mass(maps)[0].tolist() == [0.5 / 4, 0.5 / 8]
    assert centre_of_mass(maps)[1].tolist() == pytest.approx([3.5 / 4, 7 / 8])
    assert centre_of_mass(maps)[2].tolist() == pytest.approx([0.5, 0.5])
    assert area(maps).tolist() == [1 / 32, 2 / 32, 0]


def test_maps_are_cut_at_0_then_stretched_and_a_constant_one_is_0():
    maps = torch.tensor([[[-2.0, 1.0], [3.0, 2.0]], [[-1.0, -1.0], [-3.0, -1.0]], [[0.7, 0.7], [0.7, 0.7]]])
    found = scaled(maps, (2, 2))
    assert found[0].flatten().tolist() == pytest.approx([0, 1 / 3, 1, 2 / 3])
    assert (found[1:] == 0).all()
    large = scaled(maps, (7, 9))
    assert (float(large[0].min()), float(large[0].max())) == (0, 1)
    assert (large[1:] == 0).all()


def test_edges_are_scipys_sobel_and_random_maps_are_drawn_from_the_generator():
    from scipy.ndimage import sobel

    batch = images(2)
    grey = batch.mean(1).numpy()
    strength = np.stack(
        [np.hypot(sobel(one, 0, mode="nearest"), sobel(one, 1, mode="nearest")) for one in grey]
    )
    torch.testing.assert_close(edge_maps(batch), scaled(torch.from_numpy(strength), (12, 10)))
    first, same, other = (random_maps(batch, generator=generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("measure", [deletion_insertion, road, average_drop])
def test_maps_of_another_shape_are_refused(measure):
    batch, good, classes = corner()
    with pytest.raises(UserError, match=r"a tensor of shape \(4, 12, 10\), got \(4, 6, 5\); resize the maps"):
        measure(Patch(), batch, good[:, ::2, ::2], classes)
    with pytest.raises(UserError, match="finite numbers, got NaN"):
        measure(Patch(), batch, good * torch.nan, classes)


@pytest.mark.parametrize("measure", [deletion_insertion, average_drop, road])
def test_a_measure_takes_classes_as_explainers_do_and_refuses_those_that_are_none(measure):
    batch, maps, *_ = corner()
    ones = torch.ones(len(batch), dtype=torch.int64)

    def numbers(classes):
        found = measure(Patch(), batch, maps, classes)
        found = found.gap if hasattr(found, "gap") else found
        return found[0] if isinstance(found, tuple) else found

    wanted = numbers(ones)
    for same in (1, [1] * len(batch), ones.numpy(), ones.int(), None):  # the class that is predicted is 1
        assert torch.equal(numbers(same), wanted)
    for wrong, said in (
        (2, "must lie in \\[0, 2\\)"),
        ([1, 0, 1], "one for each image"),
        (ones + 0.5, "one class number"),
        (lambda logits: logits[:, 1], "follows the probability of a class"),
    ):
        with pytest.raises(UserError, match=said):
            numbers(wrong)
