import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image

from gradlab.data import from_tensors
from gradlab.procedures._gallery import WORST, before_and_after, most_confident_errors, png_base64


@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_survives_its_png(channels):
    image = torch.randint(
        0, 256, (channels, 5, 7), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(png_base64(image)))))
    expected = image[0] if channels == 1 else image.permute(1, 2, 0)
    np.testing.assert_array_equal(pixels, expected.numpy())


@pytest.fixture
def part():
    images = torch.arange(40, dtype=torch.uint8).view(40, 1, 1, 1).expand(40, 1, 2, 2).contiguous()
    labels = torch.arange(40) % 2
    return from_tensors(images, labels, test=(images, labels)).test


def test_the_most_confident_errors_come_first(part):
    logits = np.zeros((40, 2), dtype=np.float32)
    logits[np.arange(40), 1 - np.arange(40) % 2] = np.arange(40) / 10  # all wrong, the later the surer
    found = most_confident_errors(logits, part)
    assert found["index"].tolist() == list(range(39, 39 - WORST, -1))
    assert found["label"].tolist() == [index % 2 for index in found["index"]]
    assert found["prediction"].tolist() == [1 - index % 2 for index in found["index"]]
    for index, png in zip(found["index"], found["png"], strict=True):
        assert np.asarray(Image.open(io.BytesIO(base64.b64decode(png))))[0, 0] == index


def test_a_net_without_errors_has_an_empty_gallery(part):
    logits = np.eye(2, dtype=np.float32)[np.arange(40) % 2]
    assert {name: len(values) for name, values in most_confident_errors(logits, part).items()} == {
        "index": 0,
        "label": 0,
        "prediction": 0,
        "confidence": 0,
        "png": 0,
    }


def test_before_and_after_stand_beside_their_difference():
    images = torch.full((2, 1, 3, 4), 0.4)
    attacked = images.clone()
    attacked[0, 0, 1, 2] += 0.1
    attacked[0, 0, 0, 0] -= 0.05
    found = before_and_after(images, attacked)
    assert found.shape == (2, 1, 3, 4 + 1 + 4 + 1 + 4)
    assert (found[:, :, :, :4] == 102).all()  # 0.4 of 255
    assert (found[:, :, :, [4, 9]] == 255).all()
    assert found[0, 0, 1, 5 + 2] == 128  # 0.5 of 255, rounded to even
    difference = found[0, 0, :, 10:].tolist()
    assert (difference[1][2], difference[0][0], difference[2][3]) == (255, 64, 128)
    assert (found[1, 0, :, 10:] == 128).all()
    assert before_and_after(images[:0], attacked[:0]).shape == (0, 1, 3, 14)
