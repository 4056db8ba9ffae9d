import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradlab.data import from_tensors, load
from gradlab.types import UserError


def sample(count=40, classes=4, channels=1):
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (count, channels, 3, 5), dtype=torch.uint8, generator=generator)
    return images, torch.arange(count) % classes


def test_tensors_become_a_data_set_with_made_parts():
    images, labels = sample()
    data = from_tensors(images, labels)
    assert {role: len(split) for role, split in data.splits.items()} == {
        "train": 28,
        "validation": 4,
        "test": 8,
    }
    assert data.class_names == ("0", "1", "2", "3")
    assert len(data.notes) == 2
    rows = torch.cat([split.images for split in data.splits.values()]).flatten(1)
    assert sorted(map(bytes, rows.numpy())) == sorted(map(bytes, images.flatten(1).numpy()))


def test_given_parts_are_used_as_they_are():
    images, labels = sample(60)
    parts = [(images[i : i + 20], labels[i : i + 20]) for i in (0, 20, 40)]
    data = from_tensors(*parts[0], validation=parts[1], test=parts[2], class_names=list("abcd"), name="mine")
    for split, (expected, classes) in zip(data.splits.values(), parts, strict=True):
        assert (split.images == expected).all()
        assert (split.labels == classes).all()
    assert (data.name, data.class_names, data.notes) == ("mine", ("a", "b", "c", "d"), ())


@given(st.sampled_from([torch.float32, torch.float64, torch.int64, torch.int16]), st.integers(1, 3))
def test_every_lossless_form_gives_the_same_data_set(dtype, channels):
    if channels == 2:
        channels = 3
    images, labels = sample(channels=channels)
    other = images.to(dtype) / 255 if dtype.is_floating_point else images.to(dtype)
    data, again = from_tensors(images, labels), from_tensors(other, labels.to(torch.int32))
    assert data.checksum == again.checksum
    assert data.notes == again.notes


def test_arrays_are_taken_like_tensors():
    images, labels = sample()
    assert from_tensors(images.numpy(), np.asarray(labels)).checksum == from_tensors(images, labels).checksum


def test_rounding_that_loses_something_is_noted():
    images, labels = sample()
    data = from_tensors(images / 256, labels)
    assert data.notes[0].startswith("The train images were rounded to 256 grey levels (largest change 0.00")
    change = ((images / 256).double() - (images / 256 * 255).round().double() / 255).abs().max()
    assert f"{change:.4f} of 1" in data.notes[0]


def test_the_persons_tensors_are_left_as_they_were():
    images, labels = sample()
    before = images.clone()
    from_tensors(images, labels).train.images.zero_()
    assert (images == before).all()


def test_copies_of_training_images_in_test_are_noted():
    images, labels = sample()
    data = from_tensors(
        images, labels, validation=(255 - images[:8], labels[:8]), test=(images[5:9], labels[5:9])
    )
    assert "4 test images are exact copies of train images (0 = 5, 1 = 6, 2 = 7, 3 = 8)." in data.notes


IMAGES, LABELS = sample()
SMALL = torch.rand(40, 1, 3, 5)


@pytest.mark.parametrize(
    ("images", "labels", "sentence"),
    [
        (torch.randn(40, 1, 3, 5), LABELS, r"floats in \[0, 1\] or uint8.*looks normalised.*gradlab\.models\.wrap\(module"),
        (SMALL * 2.5 - 0.4, LABELS, r"looks normalised; pass them before normalisation"),
        (SMALL * 255, LABELS, r"divide them by 255 or convert them to uint8"),
        (torch.full((40, 1, 3, 5), torch.nan), LABELS, r"got nan to nan; remove the NaN"),
        (IMAGES.long() * 2, LABELS, r"must lie in 0..255, got 0 to 5"),
        (IMAGES > 100, LABELS, r"must be uint8 or floats in \[0, 1\], got torch.bool; convert them"),
        (IMAGES[:, 0], LABELS, r"shape \(N, C, H, W\) with C = 1 or 3, got \(40, 3, 5\); add the channel with images\[:, None"),
        (IMAGES.permute(0, 2, 3, 1), LABELS, None),
        (IMAGES.expand(40, 5, 3, 5), LABELS, r"C = 1 or 3, got \(40, 5, 3, 5\)"),
        (IMAGES[:0], LABELS[:0], r"got \(0, 1, 3, 5\)"),
        (IMAGES, LABELS[:39], r"40 train images need labels of shape \(40,\), got \(39,\)"),
        (IMAGES, LABELS[:, None], r"got \(40, 1\)"),
        (IMAGES, LABELS.float(), r"labels must be class numbers of an integer type, got torch.float32"),
        (IMAGES, LABELS - 1, r"whole numbers from 0 to K - 1, got -1 to 2; renumber"),
        (IMAGES, LABELS + 1, r"class 0 of 0 to 4 has no train image; renumber them or pass class_names"),
        (IMAGES, LABELS * 0, r"of one class only \(0\)"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_in_one_sentence(images, labels, sentence):
    if sentence is None:  # channels last: three channels by chance
        assert from_tensors(images, labels).input_shape == (3, 5, 1)
        return
    with pytest.raises(UserError, match=sentence) as raised:
        from_tensors(images, labels)
    assert "\n" not in str(raised.value)


def test_labels_beyond_the_class_names_are_refused():
    with pytest.raises(UserError, match=r"from 0 to 1, one per class name, got 0 to 3"):
        from_tensors(IMAGES, LABELS, class_names=["a", "b"])


def test_classes_without_a_training_image_are_allowed_when_they_are_named():
    assert from_tensors(IMAGES, LABELS, class_names=list("abcdef")).num_classes == 6


def test_parts_of_different_shapes_are_refused():
    with pytest.raises(UserError, match=r"one shape \(C, H, W\), got train \(1, 3, 5\), test \(1, 5, 3\)"):
        from_tensors(IMAGES, LABELS, test=(IMAGES.transpose(2, 3), LABELS))


def test_test_images_of_another_data_set_are_refused_as_training_images():
    digits = load("digits")
    for part in (digits.test, digits.test[:50]):
        with pytest.raises(UserError, match=r"The test images of 'digits' cannot become train images"):
            from_tensors(part.images, part.labels)
    train = digits.train
    with pytest.raises(UserError, match=r"cannot become validation images"):
        from_tensors(train.images, train.labels, validation=(digits.test.images, digits.test.labels))
    assert (
        len(from_tensors(train.images, train.labels, test=(digits.test.images, digits.test.labels)).test)
        == 360
    )
