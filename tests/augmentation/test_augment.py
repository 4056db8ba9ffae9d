"""Chains: one warp for adjacent geometric steps, and seeds that do not see each other."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from gradlab.augmentation import (
    AUGMENTATION_SETS,
    AUGMENTATIONS,
    Blur,
    Crop,
    CutMix,
    Elastic,
    Flip,
    Mixup,
    Noise,
    Rotation,
    Scale,
    Shear,
    Shift,
    augment,
    mix,
)
from gradlab.augmentation.augment import apply_all, draw_all
from gradlab.types import UserError
from tests.augmentation.examples import KEEPING, MIXING, SETS, by_array, generator, images

SIZE = (3, 10, 12)
LABELS = torch.arange(18).view(3, 6) % 5


def stacked(seeds=3, **fields):
    return torch.stack([images(seed=seed, **fields) for seed in range(seeds)])


def generators(*seeds):
    return [generator(seed) for seed in seeds]


def chain_of(kind):
    return AUGMENTATION_SETS.get(kind) or (AUGMENTATIONS[kind](),)


@pytest.mark.parametrize("kind", [*SETS, *KEEPING])
def test_stacked_seeds_get_what_each_gets_alone_bit_for_bit(kind):
    batch = stacked()
    together = augment(batch, chain_of(kind), generators(7, 8, 9))
    for row in range(3):
        assert torch.equal(together[row], augment(batch[row], chain_of(kind), generator(7 + row)))
    assert not torch.equal(augment(batch[0], chain_of(kind), generator(8)), together[0]) or kind == "crop"


@pytest.mark.parametrize("kind", KEEPING)
def test_a_chain_of_one_is_that_one(kind):
    config = AUGMENTATIONS[kind]()
    assert torch.equal(augment(images(), [config], generator(3)), config(images(), generator=generator(3)))


@settings(max_examples=25)
@given(kind=st.sampled_from(KEEPING), seed=st.integers(0, 2**31 - 1), count=st.integers(1, 4))
def test_one_augmentation_is_a_list_of_one(kind, seed, count):
    config, batch = AUGMENTATIONS[kind](), images(count)
    alone = augment(batch, config, generator(seed))
    assert torch.equal(alone, augment(batch, [config], generator(seed)))
    assert torch.equal(alone, augment(batch, iter((config,)), [generator(seed)]))


@pytest.mark.parametrize("name", SETS)
def test_a_set_keeps_shape_type_and_range_and_can_be_called_by_name(name):
    batch = stacked(channels=1, height=28, width=28)
    after = augment(batch, name, generators(0, 1, 2))
    assert (after.shape, after.dtype) == (batch.shape, batch.dtype)
    assert 0 <= float(after.min()) < float(after.max()) <= 1
    assert torch.equal(after, augment(batch, AUGMENTATION_SETS[name], generators(0, 1, 2)))


def test_adjacent_geometric_steps_and_elastic_interpolate_once_in_their_order():
    batch = images()
    chain = (
        Rotation(degrees=40),
        Shift(fraction=0.2),
        Scale(smallest=0.7, largest=1.4),
        Shear(degrees=20),
        Elastic(),
    )
    angles, shifts, factors, leans, field = drawn = draw_all(chain, 6, SIZE, [generator()])
    rows, columns = (numbers.astype(float) for numbers in np.mgrid[:10, :12])

    def change(plane, i):
        """Follow every pixel back through the steps, from the last to the first."""
        x, y = columns - 5.5 + field[i, 0].numpy(), rows - 4.5 + field[i, 1].numpy()
        x = x + np.tan(np.radians(float(leans[i]))) * y
        x, y = x / float(factors[i]), y / float(factors[i])
        x, y = x - 12 * float(shifts[i, 0]), y - 10 * float(shifts[i, 1])
        turn = np.exp(1j * np.radians(float(angles[i])))
        place = (x + 1j * y) * turn
        return ndimage.map_coordinates(
            plane, [place.imag + 4.5, place.real + 5.5], order=1, mode="grid-constant"
        )

    torch.testing.assert_close(apply_all(batch, chain, drawn), by_array(batch, change), atol=3e-5, rtol=0)


def test_what_one_step_moves_out_the_next_brings_back():
    batch = images()
    there_and_back = (Shift(fraction=1), Shift(fraction=1))
    moves = torch.tensor([[0.5, 0.25]]).expand(6, 2)
    torch.testing.assert_close(apply_all(batch, there_and_back, [moves, -moves]), batch, atol=1e-5, rtol=0)
    between = apply_all(
        batch, (there_and_back[0], Flip(), there_and_back[1]), [moves, torch.zeros(6, 2), -moves]
    )
    assert float(between[..., 6:].sum()) == 0  # a step in between ends the warp


@pytest.mark.parametrize(
    "chain",
    [
        (Flip(), Rotation(), Blur(), Shift(), Scale()),
        (Elastic(), Rotation(), Elastic()),
        (Crop(), Noise(), Elastic()),
        (Rotation(), Shift(), Flip()),
    ],
)
def test_a_chain_is_its_warps_and_other_steps_one_after_the_other(chain):
    batch = images()
    drawn = draw_all(chain, 6, SIZE, [generator()])
    whole = apply_all(batch, chain, drawn)
    cut = next(k for k in range(1, len(chain)) if (not hasattr(chain[k], "matrix") and chain[k].kind != "elastic")
               or chain[k - 1].kind == "elastic" or not hasattr(chain[k - 1], "matrix"))  # fmt: skip
    parts = apply_all(apply_all(batch, chain[:cut], drawn[:cut]), chain[cut:], drawn[cut:])
    assert torch.equal(whole, parts)


def test_rows_do_not_depend_on_how_many_are_computed_at_once(monkeypatch):
    batch = stacked(channels=1, height=28, width=28)
    whole = [augment(batch, name, generators(0, 1, 2)) for name in SETS]
    monkeypatch.setattr("gradlab.augmentation._rows.NUMBERS_AT_ONCE", 5 * 28 * 28)
    for name, expected in zip(SETS, whole, strict=True):
        assert torch.equal(augment(batch, name, generators(0, 1, 2)), expected)


def test_nothing_to_do_is_the_batch_itself():
    assert torch.equal(augment(stacked(), (), generators(0, 1, 2)), stacked())


def test_the_global_random_state_is_untouched():
    state = torch.get_rng_state()
    augment(images(), "heavy", generator())
    mix(images(), LABELS[0], CutMix(), generator())
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("kind", MIXING)
def test_mixing_stacked_seeds_is_mixing_each_alone(kind):
    batch, mixing = stacked(), AUGMENTATIONS[kind](alpha=1)
    images_together, others, weights = mix(batch, LABELS, mixing, generators(4, 5, 6))
    assert (others.shape, others.dtype, weights.shape) == (LABELS.shape, torch.int64, LABELS.shape)
    for row in range(3):
        alone = mixing(batch[row], LABELS[row], generator=generator(4 + row))
        assert torch.equal(images_together[row], alone[0])
        assert torch.equal(others[row], alone[1])
        assert torch.equal(weights[row], alone[2])
        assert torch.equal(alone[0], mix(batch[row], LABELS[row], mixing, generator(4 + row))[0])
    assert sorted(others[0].tolist()) == sorted(LABELS[0].tolist())  # class balance is kept


@pytest.mark.parametrize("kind", MIXING)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_mixing_keeps_type_and_range(kind, dtype):
    batch = images().to(dtype)
    mixed, _, weights = AUGMENTATIONS[kind](alpha=1)(batch, LABELS[0], generator=generator())
    assert mixed.dtype == weights.dtype == dtype
    assert 0 <= float(mixed.min()) <= float(mixed.max()) <= 1
    assert 0 <= float(weights.min()) <= float(weights.max()) <= 1
    assert not torch.equal(mixed, batch)


@pytest.mark.parametrize(
    ("chain", "sentence"),
    [
        ("lihgt", "there is no augmentation 'lihgt'; did you mean 'light'?"),
        ([Mixup()], "mixup mixes labels as well; call gradlab.augmentation.mix"),
        ([Rotation], "augmentations must be such as Rotation"),
        (["flip"], "augmentations must be such as Rotation.*, got 'flip'"),
        (Mixup(), "mixup mixes labels as well; call gradlab.augmentation.mix"),
        (Rotation, "augmentations must be such as Rotation"),
        (None, "augmentations must be such as Rotation.*, got None"),
    ],
)
def test_what_is_no_augmentation_is_refused(chain, sentence):
    with pytest.raises(UserError, match=sentence):
        augment(images(), chain, generator())


@pytest.mark.parametrize("wrong", [0, None, [0], "0", True])
def test_a_generator_is_no_seed(wrong):
    with pytest.raises(
        UserError, match=r"one torch.Generator, .* write torch.Generator\(\).manual_seed\([01]\)"
    ):
        augment(images(), "light", wrong)
    with pytest.raises(UserError, match=r"one torch.Generator, or one for each seed, got"):
        mix(images(), LABELS[0], Mixup(), wrong)
    with pytest.raises(UserError, match=r"one torch.Generator, or one for each seed, got"):
        Rotation()(images(), generator=wrong)


def test_generators_must_be_one_a_seed():
    with pytest.raises(UserError, match="images of 3 seeds need one generator each, got 2"):
        augment(stacked(), "light", generators(0, 1))
    with pytest.raises(UserError, match="images of 3 seeds need one generator each, got 1"):
        mix(stacked(), LABELS, Mixup(), generator())
    with pytest.raises(UserError, match=r"\(N, C, H, W\) or \(S, B, C, H, W\), got \(10, 12\)"):
        augment(images()[0, 0], "light", generator())
