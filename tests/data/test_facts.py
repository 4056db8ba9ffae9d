import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradlab.data._facts import channel_statistics, checksum, copies, digest


@given(st.integers(1, 6), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_channel_statistics_are_those_of_numpy(count, channels, seed):
    images = np.random.default_rng(seed).integers(0, 256, (count, channels, 4, 3), dtype=np.uint8)
    mean, std = channel_statistics(images)
    assert mean == pytest.approx((images / 255).mean(axis=(0, 2, 3)), rel=1e-12)
    assert std == pytest.approx((images / 255).std(axis=(0, 2, 3)), rel=1e-12)


def test_channel_statistics_do_not_depend_on_the_blocks_they_are_counted_in(rng):
    images = rng.integers(0, 256, (5000, 1, 40, 40), dtype=np.uint8)  # 8 million pixels: several blocks
    mean, std = channel_statistics(images)
    assert mean[0] == pytest.approx(images.mean() / 255, rel=1e-12)
    assert std[0] == pytest.approx(images.std() / 255, rel=1e-9)


def test_a_constant_channel_has_deviation_1():
    mean, std = channel_statistics(np.full((4, 1, 2, 2), 51, dtype=np.uint8))
    assert (mean, std) == ((0.2,), (1.0,))


def test_the_checksum_sees_pixels_labels_order_parts_and_class_names(rng):
    images, labels = rng.integers(0, 256, (4, 1, 2, 2), dtype=np.uint8), np.array([0, 1, 0, 1])
    changed = images.copy()
    changed[0, 0, 0, 0] ^= 1
    digests = [
        digest(images, labels),
        digest(changed, labels),
        digest(images, 1 - labels),
        digest(images[::-1], labels),
        digest(images.reshape(4, 1, 1, 4), labels),
    ]
    assert len(set(digests)) == 5
    sums = {
        checksum({"train": digests[0]}, ("a", "b")),
        checksum({"test": digests[0]}, ("a", "b")),
        checksum({"train": digests[0]}, ("b", "a")),
    }
    assert len(sums) == 3
    assert all(len(one) == len("sha256:") + 64 for one in sums)


def test_the_digest_does_not_depend_on_the_memory_layout(rng):
    images = rng.integers(0, 256, (4, 3, 5, 5), dtype=np.uint8)
    labels = np.arange(4)
    other = np.asfortranarray(images)
    assert digest(images, labels) == digest(other, labels.astype(np.int32))


def test_copies_are_counted_and_named(rng):
    images = rng.integers(0, 256, (10, 1, 4, 4), dtype=np.uint8)
    parts = {"train": images[:6], "validation": images[6:8], "test": images[[2, 9, 7]]}
    assert copies(parts) == [
        "1 test images are exact copies of train images (0 = 2).",
        "1 test images are exact copies of validation images (2 = 1).",
    ]
    names = {"train": list("abcdef"), "validation": ["v0", "v1"], "test": ["x", "y", "z"]}
    assert "(x = c)" in copies(parts, names)[0]


def test_many_copies_are_abridged(rng):
    images = rng.integers(0, 256, (8, 1, 4, 4), dtype=np.uint8)
    (note,) = copies({"train": images, "test": images})
    assert note.startswith("8 test images are exact copies of train images (0 = 0, ")
    assert note.endswith("and 3 more).")
