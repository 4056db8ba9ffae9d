"""Galleries of wide images: several side by side in one."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from gradlab.report import render_html
from gradlab.report._pictures import breadth, gallery


def item(width, height):
    stream = io.BytesIO()
    Image.fromarray(np.zeros((height, width), dtype=np.uint8)).save(stream, "PNG")
    return {"png": base64.b64encode(stream.getvalue()).decode(), "label": "a", "prediction": "b"}


@pytest.mark.parametrize(
    ("width", "height", "times"), [(8, 8, 1), (26, 8, 3), (100, 32, 3), (8, 30, 1), (99, 1, 5)]
)
def test_the_breadth_is_that_of_the_first_image(width, height, times):
    assert breadth([item(width, height), item(8, 8)]) == times
    assert breadth([]) == 1


def test_many_images_stand_five_in_a_row_on_the_page_as_well():
    """So that one row is one method, or one attack."""
    few, many = (
        render_html({"figures": [{"kind": "gallery", "name": "shown", "items": [item(8, 8)] * count}]})
        for count in (10, 15)
    )
    assert 'class="gallery five"' in many
    assert 'class="gallery"' in few


def test_wide_images_keep_their_shape_and_stand_fewer_in_a_row():
    plain, wide = (gallery({"items": [item(width, 8)] * 7}) for width in (8, 26))
    assert plain.count('width="96" height="96"') == 7
    assert wide.count('width="288" height="96"') == 7
    assert 'viewBox="0 0 568 280"' in plain
    assert 'viewBox="0 0 312 980"' in wide
