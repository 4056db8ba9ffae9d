"""Mosaics, and the share of a map in the image's own cell, against loops."""

import pytest
import torch

from gradlab.explain import grad_cam, mosaics, share_in_cell
from gradlab.explain.mosaics import taking
from gradlab.models import CNN
from gradlab.types import UserError
from tests.explain.examples import generator, images

CLASSES = torch.tensor([0, 1, 2, 3, 0, 1, 2, 3, 3, 3])


def quarter(mosaic, cell):
    high, wide = mosaic.shape[-2] // 2, mosaic.shape[-1] // 2
    row, column = divmod(int(cell), 2)
    return mosaic[..., row * high : (row + 1) * high, column * wide : (column + 1) * wide]


def whose(part, batch):
    """Number of the image that this is."""
    same = [number for number, image in enumerate(batch) if torch.equal(part, image)]
    assert len(same) == 1
    return same[0]


def test_an_image_lies_in_its_cell_among_images_of_three_other_classes():
    batch = images(10)
    made, cells = mosaics(batch, CLASSES, generator=generator())
    assert made.shape == (10, *batch.shape[1:2], 2 * batch.shape[2], 2 * batch.shape[3])
    for number in range(10):
        at = [whose(quarter(made[number], cell), batch) for cell in range(4)]
        assert at[cells[number]] == number
        assert sorted(CLASSES[at].tolist()) == [0, 1, 2, 3]
    assert len(cells.unique()) > 1
    again, _ = mosaics(batch, CLASSES, generator=generator())
    assert torch.equal(made, again)


def test_with_two_classes_the_others_are_of_the_other_one():
    batch, classes = images(3), torch.tensor([0, 0, 1])
    made, cells = mosaics(batch, classes, generator=generator())
    for number in range(3):
        for cell in range(4):
            found = whose(quarter(made[number], cell), batch)
            assert (found == number) if cell == cells[number] else (classes[found] != classes[number])


def test_shares_are_sums_over_the_cell_divided_by_sums_over_the_map():
    maps = images(8, (1, 12, 10), seed=3)[:, 0]
    cells = torch.arange(8) % 4
    expected = [float(quarter(one, cell).sum() / one.sum()) for one, cell in zip(maps, cells, strict=True)]
    assert share_in_cell(maps, cells).tolist() == pytest.approx(expected, rel=1e-6)
    sums = sum(share_in_cell(maps, torch.full((8,), cell)) for cell in range(4))
    assert sums.tolist() == pytest.approx([1] * 8)
    assert share_in_cell(torch.zeros(2, 4, 4), torch.tensor([0, 3])).tolist() == [0.25, 0.25]


def test_a_network_that_averages_over_places_takes_mosaics_meanwhile():
    network = CNN(widths=(4,)).build((1, 8, 8), 4, seed=0).eval()
    made, _ = mosaics(images(4, (1, 8, 8)).float(), torch.arange(4), generator=generator())
    with taking(network, made.shape[1:]):
        assert grad_cam(network, made, 1).shape == (4, 16, 16)
    with pytest.raises(UserError, match="8"):
        network(made)


def test_images_of_one_class_make_no_mosaic():
    with pytest.raises(UserError, match="two or more classes"):
        mosaics(images(3), torch.zeros(3, dtype=torch.int64))
