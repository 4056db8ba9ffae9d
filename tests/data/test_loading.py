"""The real data sets against facts that were published about them."""

import hashlib

import numpy as np
import pytest

from gradlab.data import info, load


@pytest.fixture(scope="session")
def real_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("real-cache")


@pytest.fixture(scope="session")
def mnist(data_dir, real_cache):
    return load("mnist", data_dir, cache_dir=real_cache)


@pytest.mark.slow
def test_mnist_test_images_and_labels_are_the_official_bytes(mnist):
    """SHA-256 of the official t10k-images and t10k-labels idx files, rebuilt from our tensors."""
    images, labels = mnist.test.images.numpy(), mnist.test.labels.numpy()
    idx3 = np.array([0x803, 10_000, 28, 28], dtype=">i4").tobytes() + images.tobytes()
    idx1 = np.array([0x801, 10_000], dtype=">i4").tobytes() + labels.astype(np.uint8).tobytes()
    expected = "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
    assert hashlib.sha256(idx3).hexdigest() == expected
    expected = "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
    assert hashlib.sha256(idx1).hexdigest() == expected


@pytest.mark.slow
def test_mnist_train_and_validation_together_are_the_published_60000(mnist):
    counts = sum(np.bincount(split.labels.numpy()) for split in mnist.trainable())
    assert counts.tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert (len(mnist.validation), mnist.notes) == (5000, ())
    mean, std = np.array(mnist.mean), np.array(mnist.std)
    assert (np.abs(mean - 0.1307) < 5e-4).all()  # published for all 60,000; ours is of 55,000 of them
    assert (np.abs(std - 0.3081) < 5e-4).all()


@pytest.mark.slow
def test_the_second_load_is_the_same_data(mnist, data_dir, real_cache):
    again = load("mnist", data_dir, cache_dir=real_cache)
    assert again.checksum == mnist.checksum == info("mnist", data_dir, cache_dir=real_cache).checksum


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "folder", "shape", "per_class"),
    [
        ("fashion-mnist", "fashion_mnist", (1, 28, 28), 1000),
        ("cifar10", "cifar10", (3, 32, 32), 1000),
        ("cifar100", "cifar100", (3, 32, 32), 100),
        ("cifar100-coarse", "cifar100", (3, 32, 32), 500),
    ],
)
def test_the_test_part_of_each_set_has_the_published_counts(
    data_dir, tmp_path, name, folder, shape, per_class
):
    (tmp_path / "d" / folder).mkdir(parents=True)
    (tmp_path / "d" / folder / "test.parquet").symlink_to(data_dir / folder / "test.parquet")
    data = load(name, tmp_path / "d")
    assert data.train is None
    assert data.input_shape == shape
    assert np.bincount(data.test.labels.numpy()).tolist() == [per_class] * data.num_classes


@pytest.mark.slow
def test_a_registered_data_set_by_its_path_is_ones_own_data(data_dir, real_cache):
    data = load(data_dir / "imagenette", size=(32, 32), cache_dir=real_cache)
    assert (len(data.validation), data.input_shape, data.class_names[0]) == (550, (3, 32, 32), "tench")
    assert len(data.train) + len(data.test) == 1100
    assert any("no test part: 220 of 1,100" in note for note in data.notes)
