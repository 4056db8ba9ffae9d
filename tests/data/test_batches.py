import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradlab.data import Split, draw, gather, load, order
from gradlab.types import derive_seed


@given(st.integers(0, 300), st.integers(0, 2**40), st.integers(0, 1000))
def test_an_order_is_a_permutation(n, seed, epoch):
    found = order(n, seed=seed, epoch=epoch)
    assert found.dtype == torch.int64
    assert sorted(found.tolist()) == list(range(n))


def test_an_order_depends_on_seed_and_epoch_alone_and_leaves_the_global_stream():
    state = torch.random.get_rng_state()
    first = order(100, seed=3, epoch=1)
    torch.random.manual_seed(5)
    assert (order(100, seed=3, epoch=1) == first).all()
    assert (order(100, seed=3, epoch=2) != first).any()
    assert (order(100, seed=4, epoch=1) != first).any()
    torch.random.set_rng_state(state)
    before = torch.random.get_rng_state()
    order(100, seed=3, epoch=1)
    assert (torch.random.get_rng_state() == before).all()


def test_an_order_is_drawn_from_the_named_stream():
    generator = torch.Generator().manual_seed(derive_seed(7, "order", 2))
    assert (order(50, seed=7, epoch=2) == torch.randperm(50, generator=generator)).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("shape", [(5,), (2, 3), (2, 3, 1), (0,)])
def test_gathered_images_are_those_at_the_indices_divided_by_255(dtype, shape):
    data = load("digits").train
    indices = torch.randint(0, len(data), shape, generator=torch.Generator().manual_seed(1))
    found = gather(data, indices, dtype)
    assert found.shape == (*shape, 1, 8, 8)
    assert found.dtype == dtype
    assert torch.equal(found, (data.images[indices].to(torch.float64) / 255).to(dtype))


def test_all_grey_levels_lie_in_0_to_1_and_come_back():
    levels = torch.arange(256, dtype=torch.uint8).reshape(256, 1, 1, 1)
    split = Split(levels, torch.zeros(256, dtype=torch.int64), "train")
    found = gather(split, torch.arange(256))
    assert (found.min(), found.max()) == (0, 1)
    assert torch.equal((found * 255).round().to(torch.uint8), levels)


def test_gathering_leaves_the_split_as_it_was():
    data = load("digits").train
    before = data.images.clone()
    gather(data, torch.arange(10)).zero_()
    assert torch.equal(data.images, before)


def test_drawn_images_keep_the_class_shares_and_differ_between_seeds():
    labels = torch.tensor([0] * 600 + [1] * 300 + [2] * 100)[torch.randperm(1000)]
    first, second = (draw(labels, 100, seed=seed) for seed in (0, 1))
    assert torch.bincount(labels[first]).tolist() == torch.bincount(labels[second]).tolist() == [60, 30, 10]
    assert len(set(first.tolist())) == 100
    assert not torch.equal(first, second)
    assert torch.equal(first, draw(labels, 100, seed=0))
