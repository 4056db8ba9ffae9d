import numpy as np
import pytest

from gradlab.data import DATASETS, check, info, list_datasets
from gradlab.types import UserError
from tests.data import make


def test_the_list_has_every_data_set_and_says_where_it_is(mnist_like):
    rows = {row.name: row for row in list_datasets(mnist_like)}
    assert list(rows) == list(DATASETS)
    assert (rows["digits"].where, rows["noise"].where) == ("embedded", "generated")
    assert rows["mnist"].where == str(mnist_like / "mnist")
    assert rows["cifar10"].where == "gradlab data get cifar10"
    assert [row.name for row in rows.values() if row.here] == [
        "digits", "mnist", "photos", "planted", "coloured-digits", "noise", "gaussian-noise",
    ]  # fmt: skip
    assert (rows["cifar100"].classes, rows["cifar100"].shape) == (100, (3, 32, 32))


def test_embedded_data_are_whole():
    rows = {row.what: row for row in check("digits")}
    assert all(row.ok is not False for row in rows.values())
    assert (rows["train images"].expected, rows["train images"].found) == ("1,437", "1,437")
    assert rows["classes in test"].found.startswith("10 (")


def test_a_data_set_with_missing_images_is_not_whole(mnist_like):
    rows = {row.what: row for row in check("mnist", mnist_like)}
    assert rows["train images"].ok is False
    assert (rows["train images"].expected, rows["train images"].found) == ("60,000", "60")
    assert rows["checksum of the cached arrays"].ok is True


def test_a_part_that_is_not_here_is_worth_knowing_but_no_fault(tmp_path, rng):
    make.parquet(tmp_path / "mnist" / "test.parquet", make.images(rng, 20, 28, 28), np.arange(20) % 10)
    rows = {row.what: row for row in check("mnist", tmp_path)}
    assert (rows["train images"].found, rows["train images"].ok) == ("not here", None)


def test_ones_own_folder_is_checked_too(tmp_path, rng):
    root = make.class_folders(tmp_path / "pets", rng, {"a": 10, "b": 10})
    rows = check(root)
    assert all(row.ok is not False for row in rows)
    assert [row.found for row in rows if row.what == "note"] == list(info(root).notes)
    with pytest.raises(UserError, match="There is no folder"):
        check(tmp_path / "nowhere")
