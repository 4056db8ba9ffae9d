import hashlib
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradlab._arrow import pq
from gradlab.lab.records.columns import (
    StoredTable,
    column_digest,
    pack,
    read_columns,
    read_together,
    unpack,
    write_table,
)
from gradlab.types import UserError

COLUMNS = [
    np.arange(5, dtype=np.int32),
    np.array([-1, 300], dtype=np.int64),
    np.array([], dtype=np.float32),
    np.array([0.1, np.nan, np.inf, -0.0]),
    np.array([0.1, np.nan], dtype=np.float32),
    np.array([1.5, 2.5], dtype=np.float16),
    np.array([True, False]),
    np.array(["å", "", "b\n"], dtype=str),
    np.array([2**62, -(2**62)], dtype=np.int64),
]


@pytest.mark.parametrize("values", COLUMNS, ids=lambda values: f"{values.dtype} {len(values)}")
def test_a_column_survives_its_bytes_and_its_file(values, tmp_path):
    back = unpack(*pack(values))
    np.testing.assert_array_equal(back, values)
    assert column_digest(back) == column_digest(values)
    if values.dtype.kind == "f":
        assert back.dtype == values.dtype
    write_table(tmp_path / "table.parquet", {"a": values, "b": values})
    read = read_columns(tmp_path / "table.parquet", ["b"])["b"]
    np.testing.assert_array_equal(read, values)
    assert column_digest(read) == column_digest(values)


def test_the_digest_is_the_sha256_of_kind_length_and_bytes():
    text = b"int 3 " + b"".join(int(one).to_bytes(8, "little", signed=True) for one in (1, -2, 3))
    assert column_digest(np.array([1, -2, 3], dtype=np.int16)) == hashlib.sha256(text).hexdigest()[:16]
    single = b"<f4 1 " + np.float32(0.1).tobytes()
    assert column_digest(np.array([0.1], dtype=np.float32)) == hashlib.sha256(single).hexdigest()[:16]


@settings(max_examples=60)
@given(st.lists(st.integers(-(2**40), 2**40), min_size=1, max_size=6), st.data())
def test_another_value_order_or_length_is_another_digest(values, data):
    place = data.draw(st.integers(0, len(values) - 1))
    other = list(values)
    other[place] += 1
    digests = {column_digest(np.array(one, dtype=np.int64)) for one in (values, other, [*values, 0])}
    assert len(digests) == 3


def test_values_of_other_kinds_are_never_alike():
    ones = [np.ones(1, dtype=kind) for kind in (np.int64, np.float16, np.float32, np.float64)] + [
        np.array(["1"])
    ]
    assert len({column_digest(one) for one in ones}) == 5
    assert column_digest(np.ones(1, dtype=np.uint8)) == column_digest(np.ones(1, dtype=np.int64))


def test_whole_numbers_take_the_narrowest_width():
    assert [pack(np.array(values))[0] for values in ([0, 255], [-1, 3], [70_000], [2**40])] == [
        "uint8",
        "int16",
        "int32",
        "int64",
    ]


def test_bytes_that_pack_did_not_make_are_refused():
    for kind, content in (("object", b""), ("float32", b"123"), ("text", b"{")):
        with pytest.raises(ValueError):
            unpack(kind, content)


def test_the_same_values_give_the_same_file_and_other_lengths_are_refused(tmp_path):
    for name in ("a", "b"):
        write_table(tmp_path / name, {"x": np.arange(3.0)})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    with pytest.raises(ValueError, match="columns of c differ in length"):
        write_table(tmp_path / "c", {"x": np.arange(3), "y": np.arange(2)})


def test_a_damaged_or_missing_table_is_one_sentence(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"PAR1 nonsense PAR1")
    with pytest.raises(
        UserError, match=r"t\.parquet is damaged; delete the folder .* and run the study again"
    ):
        read_columns(tmp_path / "t.parquet", ["x"])
    with pytest.raises(UserError, match=r"other\.parquet is missing"):
        read_columns(tmp_path / "other.parquet", ["x"])


@pytest.mark.slow
def test_reading_numbers_does_not_import_pandas(tmp_path):
    """It takes longer than to read a thousand small tables."""
    columns = {"label": np.arange(5, dtype=np.int16), "loss": np.linspace(0, 1, 5, dtype=np.float16)}
    write_table(tmp_path / "a.parquet", columns)
    code = (
        "import sys\nfrom pathlib import Path\nfrom gradlab.lab.records.columns import read_columns\n"
        "print([one.tolist() for one in read_columns(Path(sys.argv[1]), ('label', 'loss')).values()], 'pandas' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "a.parquet"], capture_output=True, text=True
    )
    assert done.stdout == f"{[values.tolist() for values in columns.values()]} False\n"


def test_columns_read_together_are_those_read_alone_from_one_reading_of_the_file(tmp_path, monkeypatch):
    path, columns = tmp_path / "t.parquet", {"a": np.arange(4), "b": np.array(["x", "", "y", "å"])}
    write_table(path, columns)
    digests = {name: column_digest(values) for name, values in columns.items()}
    opened, original = [], pq.ParquetFile
    monkeypatch.setattr(pq, "ParquetFile", lambda place: opened.append(place) or original(place))
    table = StoredTable(path, digests)
    for found in (read_together(table, ["b", "a"]), read_together(columns, ["b", "a"])):
        np.testing.assert_array_equal(found[0], columns["b"])
        np.testing.assert_array_equal(found[1], columns["a"])
    assert table["a"] is table["a"]
    assert opened == [path]


def test_of_columns_read_together_the_one_that_was_changed_is_named_and_none_is_believed(tmp_path):
    path = tmp_path / "t.parquet"
    write_table(path, {"a": np.arange(4), "b": np.arange(4)})
    table = StoredTable(path, {"a": column_digest(np.arange(4)), "b": column_digest(np.arange(5))})
    with pytest.raises(UserError, match=r"column b of .* is not what was written"):
        read_together(table, ["a", "b"])
    with pytest.raises(KeyError, match="c"):
        read_together(table, ["a", "c"])
