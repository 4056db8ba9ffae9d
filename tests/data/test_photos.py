import numpy as np
from sklearn.datasets import load_sample_image

from gradlab.data import arrays


def test_patches_tile_scikit_learns_photographs():
    data = arrays("photos")
    assert data.info.class_names == ("china", "flower")
    assert list(data.parts) == ["test"]
    test = data.parts["test"]
    for label, name in enumerate(data.info.class_names):
        photo = load_sample_image(f"{name}.jpg")
        patches = test.images[test.labels == label]
        assert len(patches) == (427 // 32) * (640 // 32)
        for number in (0, 19, 20, 259):
            row, column = 32 * (number // 20), 32 * (number % 20)
            expected = photo[row : row + 32, column : column + 32].transpose(2, 0, 1)
            assert np.array_equal(patches[number], expected)
