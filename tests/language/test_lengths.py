"""Orders and batches by length: everything once, like beside like, a function of seed and epoch."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradlab.language import padding_share
from gradlab.language.lengths import EVALUATION_TOKENS, POOL, evaluation_batches, training_order

LENGTHS = torch.randint(3, 60, (1234,), generator=torch.Generator().manual_seed(0))


def lengths_of(count, seed):
    return torch.randint(2, 71, (count,), generator=torch.Generator().manual_seed(seed))


some_lengths = st.builds(lengths_of, st.integers(1, 90), st.integers(0, 99))


@given(some_lengths, st.integers(1, 40), st.integers(0, 9), st.integers(1, 9))
def test_an_epoch_visits_every_text_once(lengths, batch_size, seed, epoch):
    visits = training_order(lengths, batch_size, seed=seed, epoch=epoch)
    assert sorted(visits.tolist()) == list(range(len(lengths)))
    assert torch.equal(visits, training_order(lengths, batch_size, seed=seed, epoch=epoch))


def test_batches_are_runs_of_the_texts_sorted_by_length():
    """All 1,234 texts lie in one pool of 50 batches of 32: the batches, by length, must not overlap."""
    visits = training_order(LENGTHS, 32, seed=0, epoch=1)
    batches = [sorted(LENGTHS[batch].tolist()) for batch in visits.split(32)]
    assert [len(batch) for batch in batches] == [32] * 38 + [18]  # the smaller batch is the last
    assert batches != sorted(batches)
    flat = [length for batch in sorted(batches) for length in batch]
    assert flat == sorted(flat)


def test_texts_are_sorted_within_pools_alone():
    lengths = torch.randint(3, 60, (POOL * 4 * 2,), generator=torch.Generator().manual_seed(1))
    visits = training_order(lengths, 4, seed=0, epoch=1)
    batches = sorted(tuple(sorted(lengths[batch].tolist())) for batch in visits.split(4))
    flat = [length for batch in batches for length in batch]
    assert flat != sorted(flat)
    assert padding_share(lengths, visits.split(4)) < 0.06


def test_seed_and_epoch_change_the_batches_and_their_order():
    orders = [training_order(LENGTHS, 32, seed=seed, epoch=epoch) for seed, epoch in ((0, 1), (0, 2), (1, 1))]
    batches = [{frozenset(batch.tolist()) for batch in order.split(32)} for order in orders]
    for one in range(3):
        for other in range(one):
            assert not torch.equal(orders[one], orders[other])
            assert len(batches[one] & batches[other]) < 3  # who meets whom is chance within a length


def test_short_and_long_batches_come_in_another_order_in_every_epoch():
    ranks = []
    for seed, epoch in ((0, 1), (0, 2), (1, 1)):
        full = training_order(LENGTHS, 32, seed=seed, epoch=epoch)[: 38 * 32].view(38, 32)
        ranks.append(LENGTHS[full].double().mean(1).argsort().tolist())
    assert ranks[0] != ranks[1] != ranks[2] != ranks[0]


def test_the_global_random_state_is_left_alone():
    before = torch.random.get_rng_state()
    training_order(LENGTHS, 32, seed=0, epoch=1)
    assert torch.equal(before, torch.random.get_rng_state())


@given(some_lengths)
def test_evaluation_sees_every_text_once(lengths):
    batches = list(evaluation_batches(lengths))
    assert sorted(torch.cat(batches).tolist()) == list(range(len(lengths)))


def test_evaluation_batches_are_sorted_and_bounded():
    lengths = torch.cat([LENGTHS, torch.tensor([EVALUATION_TOKENS + 5])])
    batches = list(evaluation_batches(lengths))
    assert torch.equal(lengths[torch.cat(batches)], lengths.sort().values)
    sizes = [len(batch) * int(lengths[batch].max()) for batch in batches]
    assert all(size <= EVALUATION_TOKENS for size in sizes[:-1])
    assert batches[-1].tolist() == [len(LENGTHS)]  # too long for any batch: alone
    for batch, following in itertools.pairwise(batches):  # no smaller than they must be
        assert (len(batch) + 1) * int(lengths[following].min()) > EVALUATION_TOKENS


@pytest.mark.parametrize("batches", [[[0, 1], [2]], [[2, 0], [1]], [[0, 1, 2]]])
def test_the_share_of_padding_is_counted(batches):
    lengths = torch.tensor([3, 2, 7])
    padded = sum(
        max(int(lengths[i]) for i in batch) - int(lengths[one]) for batch in batches for one in batch
    )
    share = padding_share(lengths, [torch.tensor(batch) for batch in batches])
    assert share == pytest.approx(padded / (padded + 12), abs=1e-12)  # 12 tokens


def test_sorting_leaves_little_padding():
    shuffled = torch.randperm(len(LENGTHS), generator=torch.Generator().manual_seed(2))
    sorted_share = padding_share(LENGTHS, training_order(LENGTHS, 32, seed=0, epoch=1).split(32))
    assert sorted_share < 0.05 < 0.3 < padding_share(LENGTHS, shuffled.split(32))
