"""What every augmentation of the registry keeps, whatever it does."""

from typing import Annotated

import numpy as np
import pytest
import torch
from pydantic import Field, TypeAdapter, ValidationError

from gradlab.augmentation import (
    AUGMENTATION_SETS,
    AUGMENTATIONS,
    Augmentation,
    Blur,
    Crop,
    Erasing,
    Mixing,
    Rotation,
    Scale,
    named,
)
from gradlab.types import UserError
from tests.augmentation.examples import GEOMETRIC, KEEPING, MIXING, generator, images

STILL = {
    "crop": {"padding": 0},
    "flip": {"probability": 0},
    "rotation": {"degrees": 0},
    "shift": {"fraction": 0},
    "scale": {"smallest": 1, "largest": 1},
    "shear": {"degrees": 0},
    "perspective": {"distortion": 0},
    "elastic": {"alpha": 0},
    "blur": {"smallest": 0, "largest": 0},
    "noise": {"strength": 0},
    "erasing": {"smallest": 0, "largest": 0, "probability": 1},
    "mixup": {"alpha": 0},
    "cutmix": {"alpha": 0},
}
"""Fields with which each does nothing."""
SMALL = {"crop": {"padding": 2}}


def make(kind, **fields):
    return AUGMENTATIONS[kind](**SMALL.get(kind, {}) | fields)


def test_thirteen_augmentations_and_two_sets_are_found():
    assert (len(KEEPING), len(MIXING), len(GEOMETRIC)) == (11, 2, 5)
    assert set(STILL) == set(AUGMENTATIONS)
    assert list(AUGMENTATION_SETS) == ["light", "heavy"]
    assert set(GEOMETRIC) == {"rotation", "shift", "scale", "shear", "perspective"}


@pytest.mark.parametrize("kind", AUGMENTATIONS)
def test_the_kind_is_the_name_in_the_registry(kind):
    assert AUGMENTATIONS[kind]().kind == kind


@pytest.mark.parametrize("kind", AUGMENTATIONS)
def test_the_union_reads_each_from_its_fields(kind):
    union = Augmentation if kind in KEEPING else Mixing
    adapter = TypeAdapter(Annotated[union, Field(discriminator="kind")])
    config = make(kind)
    assert adapter.validate_python(adapter.dump_python(config)) == config
    assert adapter.validate_json(adapter.dump_json(config)) == config
    with pytest.raises(ValidationError, match="nonsense"):
        adapter.validate_python({"kind": kind, "nonsense": 1})


@pytest.mark.parametrize("kind", KEEPING)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("size", [(1, 9, 9), (3, 8, 13)])
def test_shape_type_and_range_are_kept_and_something_changes(kind, dtype, size):
    before = images(40, *size).to(dtype)
    after = make(kind)(before, generator=generator())
    assert (after.shape, after.dtype, after.device) == (before.shape, before.dtype, before.device)
    assert after.isfinite().all()
    assert 0 <= float(after.min()) <= float(after.max()) <= 1
    assert not torch.equal(after, before)


@pytest.mark.parametrize("kind", KEEPING)
def test_white_images_stay_in_range(kind):
    """Rounded weights of neighbours may sum to more than 1."""
    after = make(kind)(torch.ones(300, 1, 12, 12), generator=generator())
    assert 0 <= float(after.min()) <= float(after.max()) <= 1


@pytest.mark.parametrize("kind", KEEPING)
def test_the_same_generator_gives_the_same_bits_and_nothing_global_moves(kind):
    before = images()
    kept, state, numpy_state = before.clone(), torch.get_rng_state(), np.random.get_state()[1].copy()
    first, second = (make(kind)(before, generator=generator(3)) for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(before, kept), "the input was written to"
    assert torch.equal(torch.get_rng_state(), state)
    assert (np.random.get_state()[1] == numpy_state).all()


@pytest.mark.parametrize("kind", [kind for kind in KEEPING if kind != "crop"])
def test_another_generator_gives_another_result(kind):
    first, second = (make(kind)(images(20), generator=generator(seed)) for seed in (3, 4))
    assert not torch.equal(first, second)


@pytest.mark.parametrize("kind", KEEPING)
@pytest.mark.parametrize("size", [(1, 9, 9), (3, 8, 13), (1, 28, 28)])
def test_a_row_of_a_batch_is_the_row_alone_bit_for_bit(kind, size):
    config, batch = make(kind), images(33, *size)
    drawn = config.draw(len(batch), size, generator())
    together = config.apply(batch, drawn)
    for row in (0, 1, 17, 32):
        assert torch.equal(together[row], config.apply(batch[row : row + 1], drawn[row : row + 1])[0])


@pytest.mark.parametrize("kind", KEEPING)
def test_draws_are_float_rows_on_the_cpu(kind):
    drawn = make(kind).draw(5, (3, 10, 12), generator())
    assert drawn.shape[0] == 5
    assert drawn.dtype == torch.float32
    assert drawn.device.type == "cpu"


@pytest.mark.parametrize("kind", [kind for kind in KEEPING if kind != "crop"])
def test_probability_zero_is_the_identity_bit_for_bit(kind):
    batch = images()
    assert torch.equal(make(kind, probability=0)(batch, generator=generator()), batch)


@pytest.mark.parametrize("kind", KEEPING)
def test_strength_zero_is_the_identity_bit_for_bit(kind):
    batch = images()
    assert torch.equal(make(kind, **STILL[kind])(batch, generator=generator()), batch)


@pytest.mark.parametrize("kind", [kind for kind in KEEPING if kind != "crop"])
def test_the_probability_is_the_share_that_changes_and_the_others_are_bit_equal(kind):
    batch = images(400, 1, 9, 9)
    after = make(kind, probability=0.3)(batch, generator=generator(1))
    changed = (after != batch).flatten(1).any(1)
    share = float(changed.float().mean())
    assert abs(share - 0.3) < 4 * (0.3 * 0.7 / 400) ** 0.5
    assert torch.equal(after[~changed], batch[~changed])


@pytest.mark.parametrize("kind", KEEPING)
def test_a_batch_of_none_and_images_of_one_pixel_pass(kind):
    config = make(kind, **({"padding": 0} if kind == "crop" else {}))
    assert config(torch.rand(0, 1, 6, 6), generator=generator()).shape == (0, 1, 6, 6)
    assert config(torch.rand(3, 1, 1, 1), generator=generator()).shape == (3, 1, 1, 1)


@pytest.mark.parametrize("kind", KEEPING)
def test_images_that_do_not_lie_together_in_memory_pass(kind):
    batch = images(6, 3, 10, 10)
    config = make(kind)
    drawn = config.draw(6, (3, 10, 10), generator())
    for other in (batch.transpose(2, 3), batch[:1].expand(6, -1, -1, -1), batch.flip(0)[:, :, :, :]):
        assert torch.equal(config.apply(other, drawn), config.apply(other.contiguous(), drawn))


@pytest.mark.parametrize("kind", KEEPING)
@pytest.mark.parametrize(
    ("batch", "sentence"),
    [
        ((torch.rand(2, 1, 8, 8) * 255).to(torch.uint8), "got torch.uint8; turn grey levels .* / 255"),
        (torch.rand(2, 1, 8, 8) * 255, "must lie in .0, 1., got .* divide them by 255"),
        (torch.randn(20, 1, 8, 8), "looks normalised; augment before normalisation"),
        (torch.full((2, 1, 8, 8), torch.nan), "remove the NaN"),
        (torch.rand(1, 8, 8), r"shape \(N, C, H, W\), got \(1, 8, 8\); add the batch"),
        (torch.rand(2, 2, 1, 8, 8), r"shape \(N, C, H, W\)"),
    ],
    ids=["uint8", "grey levels", "normalised", "nan", "one image", "stacked"],
)
def test_bad_images_are_refused_in_a_sentence(kind, batch, sentence):
    with pytest.raises(UserError, match=sentence) as error:
        make(kind)(batch, generator=generator())
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", KEEPING)
def test_draws_of_another_number_of_rows_are_refused(kind):
    config = make(kind)
    drawn = config.draw(3, (1, 8, 8), generator())
    with pytest.raises(UserError, match="4 images need as many rows of draws, got 3; draw with count=4"):
        config.apply(images(4, 1, 8, 8), drawn)


@pytest.mark.parametrize(
    ("make_it", "sentence"),
    [
        (lambda: Rotation(degrees=-5), r"degrees must lie in \[0, 180\] degrees, got -5\."),
        (lambda: Rotation(probability=1.5), r"probability must lie in \[0, 1\], got 1\.5\."),
        (lambda: Rotation(degrees=float("nan")), "degrees must lie in"),
        (lambda: Scale(smallest=1.2, largest=0.9), "must be ordered, got 1.2 above 0.9; swap them"),
        (lambda: Blur(smallest=2, largest=1), "must be ordered"),
        (lambda: Erasing(smallest=0.5, largest=0.1), "must be ordered"),
        (lambda: Crop(padding=-1), "padding must be at least 0 pixels, got -1"),
        (lambda: Rotation(angle=3), "angle"),
    ],
)
def test_bad_settings_are_refused_in_a_sentence(make_it, sentence):
    with pytest.raises(UserError, match=sentence):
        make_it()


def test_a_name_leads_to_a_set_or_to_one_augmentation():
    assert named("light") == AUGMENTATION_SETS["light"]
    assert named("rotation") == (Rotation(),)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("rotaton", "there is no augmentation 'rotaton'; did you mean 'rotation'?"),
        ("haevy", "did you mean 'heavy'?"),
        ("mixup", r"mixup mixes labels as well; call gradlab.augmentation.mix\(images, labels, Mixup\(\)"),
    ],
)
def test_a_wrong_name_is_refused_with_the_right_one(name, sentence):
    with pytest.raises(UserError, match=sentence):
        named(name)
