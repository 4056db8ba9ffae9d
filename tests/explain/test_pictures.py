import io

import numpy as np
import pytest
import torch
from matplotlib import colormaps
from PIL import Image

from gradlab.explain import colour, difference, grid, methods_grid, overlay, png
from gradlab.types import UserError
from tests.explain.examples import images


def test_viridis_is_that_of_matplotlib_at_all_its_colours():
    values = torch.linspace(0, 1, 256, dtype=torch.float64)[None, None]
    found = colour(values)[0, :, 0].T.numpy()
    assert np.abs(found - colormaps["viridis"](values[0, 0].numpy())[:, :3]).max() < 1e-9


def test_viridis_grows_lighter_all_the_way_so_that_it_is_read_without_colours():
    red, green, blue = colour(torch.linspace(0, 1, 101)[None, None])[0, :, 0]
    luminance = 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2
    assert (luminance.diff() > 0).all()


def test_a_difference_is_blue_where_the_map_lost_and_orange_where_it_gained():
    before, after = torch.tensor([[[1.0, 0.0, 0.5]]]), torch.tensor([[[0.0, 1.0, 0.5]]])
    lost, gained, same = difference(before, after)[0, :, 0].T
    assert lost[2] > lost[0]
    assert gained[0] > gained[2]
    assert float(same.max() - same.min()) < 0.01


def test_an_overlay_is_grey_image_and_coloured_map():
    batch, maps = images(2), images(2, (1, 12, 10), seed=1)[:, 0]
    found = overlay(batch, maps, alpha=0.25)
    torch.testing.assert_close(found, 0.75 * batch.mean(1, keepdim=True) + 0.25 * colour(maps))
    torch.testing.assert_close(
        overlay(batch, maps, alpha=0), batch.mean(1, keepdim=True).expand(-1, 3, -1, -1)
    )


def test_a_grid_has_a_row_for_each_image_and_a_column_for_each_method():
    batch, maps = images(2), {name: images(2, (1, 12, 10), seed=seed)[:, 0] for seed, name in enumerate("ab")}
    found = methods_grid(batch, maps, scale=2)
    assert found.shape == (3, 2 * 24 + 2, 3 * 20 + 2 * 2)
    torch.testing.assert_close(found[:, :24:2, :20:2], batch[0])
    torch.testing.assert_close(found[:, 26::2, 44::2], overlay(batch, maps["b"])[1])
    assert (found[:, 24:26] == 1).all()
    with pytest.raises(UserError, match="columns of one size"):
        grid([batch, batch[:, :, :5]])


def test_a_png_reads_back():
    picture = images(1)[0]
    pixels = np.asarray(Image.open(io.BytesIO(png(picture)))) / 255
    assert np.abs(pixels.transpose(2, 0, 1) - picture.numpy()).max() <= 0.5 / 255 + 1e-9
    assert Image.open(io.BytesIO(png(picture[:1]))).size == (10, 12)


def test_colours_that_are_not_there_are_refused():
    with pytest.raises(UserError, match="colours are viridis or blue-orange, got 'jet'"):
        colour(torch.zeros(1, 2, 2), "jet")
