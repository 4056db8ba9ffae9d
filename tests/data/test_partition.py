import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradlab.data._partition import stratified, test_size, validation_size


@pytest.mark.parametrize(
    ("count", "size"), [(60_000, 5000), (50_000, 5000), (1437, 144), (100, 10), (49_000, 4900), (1, 1)]
)
def test_validation_takes_a_tenth_and_at_most_5000(count, size):
    assert validation_size(count) == size


def test_a_made_test_part_takes_a_fifth():
    assert [test_size(n) for n in (1797, 10, 11)] == [360, 2, 3]


@given(st.lists(st.integers(0, 5), min_size=2, max_size=200), st.floats(0.05, 0.5))
def test_every_class_keeps_its_share_and_is_on_both_sides_where_it_can_be(values, share):
    labels = np.array(values)
    size = int(len(labels) * share)
    chosen = stratified(labels, size)
    for label, count in zip(*np.unique(labels, return_counts=True), strict=True):
        taken = int(chosen[labels == label].sum())
        if count == 1:
            assert taken == 0
        else:
            assert 1 <= taken <= count - 1
            assert taken == 1 or abs(taken - size * count / len(labels)) <= 1


def test_a_balanced_set_gives_exactly_the_size_asked_for(rng):
    labels = rng.permutation(np.arange(1000) % 10)
    chosen = stratified(labels, 100)
    assert np.bincount(labels[chosen]).tolist() == [10] * 10


def test_shares_are_rounded_by_the_largest_remainder_and_ties_go_to_the_lower_class():
    labels = np.repeat([0, 1, 2], [10, 10, 80])
    for size, quotas in (
        (14, [2, 1, 11]),
        (15, [2, 1, 12]),
        (17, [2, 2, 13]),
    ):  # of 1.4 1.4 11.2, 1.5 1.5 12, ...
        assert np.bincount(labels[stratified(labels, size)]).tolist() == quotas


def test_the_choice_is_the_same_every_time_and_another_with_another_seed():
    labels = np.arange(500) % 5
    assert (stratified(labels, 50) == stratified(labels, 50)).all()
    assert (stratified(labels, 50) != stratified(labels, 50, seed=1)).any()


def test_the_choice_is_no_block_of_neighbouring_rows():
    rows = np.flatnonzero(stratified(np.zeros(1000, dtype=np.int64), 100))
    assert abs(rows.mean() - 500) < 4 * 1000 / np.sqrt(12 * 100)  # four standard errors of a uniform mean


def test_the_ranking_is_the_documented_one():
    """Independent form: per class, the rows with the smallest words of PCG64's raw stream."""
    labels = np.arange(40) % 4
    words = [int(np.random.PCG64(5).random_raw(40)[i]) for i in range(40)]
    expected = {i for k in range(4) for i in sorted(range(k, 40, 4), key=words.__getitem__)[:2]}
    assert set(np.flatnonzero(stratified(labels, 8, seed=5)).tolist()) == expected
