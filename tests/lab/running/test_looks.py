from multiprocessing.pool import ThreadPool
from pathlib import Path

import pytest

from gradlab.lab.running import looks
from gradlab.types import UserError


def look_at(folder, claim, these, software="", *, among=1, delta=0.01):
    return looks.look_at(folder, claim, these, software, among=among, delta=delta).number


def seeds(first: int, count: int) -> range:
    return range(first, first + count)


def test_the_same_seeds_again_are_the_same_look(tmp_path):
    assert [look_at(tmp_path, "d", seeds(0, 6)) for _ in range(3)] == [1, 1, 1]


def test_every_new_set_of_seeds_on_seen_ones_is_one_look_more(tmp_path):
    numbers = [look_at(tmp_path, "d", seeds(0, count)) for count in (3, 6, 12, 6, 4)]
    assert numbers == [1, 2, 3, 2, 4]


def test_fresh_seeds_are_a_study_of_their_own_at_full_level(tmp_path):
    assert look_at(tmp_path, "d", seeds(0, 6)) == 1
    assert look_at(tmp_path, "d", seeds(6, 6)) == 1
    assert look_at(tmp_path, "d", seeds(12, 3)) == 1


def test_seeds_that_overlap_with_seen_ones_are_no_fresh_seeds(tmp_path):
    look_at(tmp_path, "d", seeds(0, 6))
    assert look_at(tmp_path, "d", seeds(5, 6)) == 2
    assert look_at(tmp_path, "d", seeds(3, 4)) == 3
    assert look_at(tmp_path, "d", seeds(0, 20)) == 4


def test_another_design_has_looks_of_its_own(tmp_path):
    look_at(tmp_path, "one", seeds(0, 3))
    assert look_at(tmp_path, "other", seeds(0, 6)) == 1


def look(folder: Path, count: int) -> int:
    return look_at(folder, "d", seeds(0, count))


def test_those_who_look_at_once_get_different_looks(tmp_path):
    with ThreadPool(4) as pool:
        numbers = pool.starmap(look, [(tmp_path, count) for count in range(1, 9)])
    assert sorted(numbers) == list(range(1, 9))


def test_a_damaged_count_is_one_sentence(tmp_path):
    look_at(tmp_path, "d", seeds(0, 3))
    (tmp_path / "d.json").write_text("[{")
    with pytest.raises(UserError, match=r"d\.json, which counts the looks at this study, is damaged"):
        look_at(tmp_path, "d", seeds(0, 3))


def test_what_was_named_before_is_told_and_other_seeds_are_repeats(tmp_path):
    def seen(first, *, among=1, delta=0.01):
        return looks.look_at(tmp_path, "d", seeds(first, 3), "", among=among, delta=delta)

    assert (seen(0, among=4).among, seen(0).among) == (4, 4)
    changed = seen(0, delta=0.5)
    assert (changed.number, changed.deltas, changed.repeats) == (1, (0.01,), ())
    (flag,) = changed.flags(0.5)
    assert "an earlier look named 0.01" in flag
    fresh = seen(10)
    assert (fresh.number, fresh.deltas, fresh.repeats) == (1, (), ((0, 2),))
    assert "judged before on other seeds: 0 to 2" in fresh.flags(0.01)[0]
