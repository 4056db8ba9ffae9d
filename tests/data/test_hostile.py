"""Hostile inputs to data sets: each ends in one sentence, quickly, whatever it tries."""

import io
import json
import os
import socket
import struct
import subprocess
import sys
import time
import zlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from gradlab.data import arrays, info, load
from gradlab.data._limits import FORMATS, PIXEL_LIMIT
from gradlab.data.pictures import read_picture
from gradlab.types import UserError
from tests.data import make

POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 6 6\n%%EndComments\nshowpage\n%%EOF\n"


def png_header(width, height):
    """A PNG that says it is huge and holds one row of nothing."""

    def chunk(kind, content):
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )


def flat_png(side):
    """A valid picture of side × side black pixels in a few kilobytes."""
    stream = io.BytesIO()
    Image.new("1", (side, side)).save(stream, "PNG")
    return stream.getvalue()


def written(content):
    return lambda path: path.write_bytes(content)


def linked(target):
    return lambda path: path.symlink_to(target)


def listening(path):
    """A socket at a path; the system allows short ones only."""
    here = os.getcwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    finally:
        os.chdir(here)


PICTURES = {
    "postscript": (written(POSTSCRIPT), "not an image"),
    "postscript with a binary header": (written(b"\xc5\xd0\xd3\xc6" + bytes(28) + POSTSCRIPT), "not an image"),
    "pdf": (written(b"%PDF-1.4\n%%EOF\n"), "not an image"),
    "svg": (written(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "not an image"),
    "pcx": (written(make.encode(np.zeros((6, 6, 3), np.uint8), "PCX")), "not an image"),
    "icon": (written(make.encode(np.zeros((16, 16, 3), np.uint8), "ICO")), "not an image"),
    "wmf": (written(b"\xd7\xcd\xc6\x9a" + bytes(40)), "not an image"),
    "empty": (written(b""), "not an image"),
    "text": (written(b"hello"), "not an image"),
    "10^10 pixels": (written(png_header(100_000, 100_000)), "pixels"),
    "2^62 pixels": (written(png_header(2**31 - 1, 2**31 - 1)), "pixels|not an image|cannot be read"),
    "177 megapixels": (written(flat_png(13_300)), "13300×13300 pixels, and at most 67 megapixels are read"),
    "just too large": (written(png_header(PIXEL_LIMIT // 4096, 4097)), "16384×4097 pixels, and at most 67"),
    "cut off": (written(make.encode(np.zeros((6, 6, 3), np.uint8))[:40]), "cannot be read"),
    "pipe": (os.mkfifo, "no regular file"),
    "socket": (listening, "no regular file"),
    "endless device": (linked("/dev/zero"), "no regular file"),
    "folder": (lambda path: path.mkdir(), "no regular file"),
    "link to itself": (lambda path: path.symlink_to(path), "a link that leads nowhere"),
    "link to nowhere": (linked("/nowhere/at/all"), "a link that leads nowhere"),
}  # fmt: skip


@pytest.mark.parametrize("kind", PICTURES)
def test_a_picture_that_is_none_is_named_in_one_sentence(tmp_path, rng, kind):
    make_it, sentence = PICTURES[kind]
    root = make.class_folders(tmp_path / "pets", rng, {"a": 5, "b": 5})
    make_it(root / "b" / "x.png")
    started = time.monotonic()
    with pytest.raises(UserError, match=sentence) as raised:
        arrays(root)
    assert time.monotonic() - started < 5
    assert "x.png" in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("kind", PICTURES)
def test_a_single_picture_that_is_none_is_named(tmp_path, kind):
    make_it, _ = PICTURES[kind]
    make_it(tmp_path / "x.png")
    with pytest.raises(UserError, match=r"x\.png cannot be read"):
        read_picture(tmp_path / "x.png", (3, 8, 8))


@pytest.mark.parametrize(
    "kind", [kind for kind, (how, _) in PICTURES.items() if how.__qualname__.startswith("written")]
)
def test_encoded_bytes_in_a_table_are_opened_as_carefully_as_files(tmp_path, kind):
    (tmp_path / "x").mkdir()
    PICTURES[kind][0](tmp_path / "x" / "one")
    content = (tmp_path / "x" / "one").read_bytes()
    file = make.parquet(tmp_path / "a.parquet", [content] * 8, [0, 1] * 4)
    with pytest.raises(UserError, match=r"The image in row 0 of .*a\.parquet cannot be read"):
        arrays(file)


def test_postscript_starts_no_program_whatever_it_is_called(tmp_path, rng, monkeypatch):
    def refuse(*arguments, **_):
        raise AssertionError(f"started {arguments}")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr(subprocess, "check_call", refuse)
    monkeypatch.setattr(os, "system", refuse)
    for suffix in ("png", "jpg", "gif", "tif", "ppm", "webp", "bmp"):
        root = make.class_folders(tmp_path / suffix, rng, {"a": 3, "b": 3})
        (root / "a" / f"x.{suffix}").write_bytes(POSTSCRIPT)
        with pytest.raises(UserError, match="not an image"):
            arrays(root)


def test_the_list_of_formats_is_short_and_fixed():
    assert FORMATS == ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_of_the_list_is_read(tmp_path, rng, form):
    root = make.class_folders(tmp_path / "pets", rng, {"a": 3, "b": 3})
    (root / "a" / "x.png").write_bytes(make.encode(make.images(rng, 1, 6, 6, 3)[0], form))
    assert sum(info(root).counts.values()) == 7


NAMES = {
    "no UTF-8": (b"caf\xe9", r"The class 'caf\\\\udce9' of .* is not UTF-8; rename it"),
    "escape": (b"\x1b[31mred", r"The class '\\x1b\[31mred' of .* has control characters; rename it"),
    "bell": (b"ding\x07", r"has control characters"),
    "new line": (b"one\ntwo", r"has control characters"),
    "delete": (b"a\x7f", r"has control characters"),
    "C1 control": ("a\x9bm".encode(), r"has control characters"),
    "blank": (b"   ", r"has a class without a name"),
}


@pytest.mark.parametrize("kind", NAMES)
def test_a_class_folder_whose_name_cannot_be_shown_is_refused(tmp_path, rng, kind):
    name, sentence = NAMES[kind]
    root = make.class_folders(tmp_path / "pets", rng, {"a": 5, "b": 5})
    os.rename(root / "b", os.path.join(os.fsencode(root), name))
    with pytest.raises(UserError, match=sentence) as raised:
        arrays(root)
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    "name", ["<script>alert(1)<", "=1+1", "a,b", "Ünïcödé 猫", "'; drop", "-rf", "NaN", "x" * 200]
)
def test_a_strange_name_that_can_be_shown_is_a_name(tmp_path, rng, name):
    root = make.class_folders(tmp_path / "pets", rng, {"a": 5, name: 5})
    assert name in info(root).class_names
    assert info(root).class_names == info(root).class_names


def test_a_file_or_folder_whose_name_is_no_utf8_can_be_read_or_is_named(tmp_path, rng):
    root = make.class_folders(tmp_path / "pets", rng, {"a": 5, "b": 5})
    strange = os.path.join(os.fsencode(root / "a"), b"caf\xe9.png")
    os.rename(root / "a" / "000.png", strange)
    assert sum(info(root).counts.values()) == 10
    with open(strange, "wb") as stream:
        stream.write(b"junk")
    with pytest.raises(UserError, match=r"caf\\udce9\.png cannot be read"):
        info(root)
    os.rename(root, os.path.join(os.fsencode(tmp_path), b"caf\xe9"))
    with pytest.raises(UserError, match=r"caf\\.*udce9.* cannot be shown; rename it"):
        info(os.fsdecode(os.path.join(os.fsencode(tmp_path), b"caf\xe9")))


def test_loops_of_folders_end(tmp_path, rng):
    root = make.class_folders(tmp_path / "pets", rng, {"a": 5, "b": 5})
    (root / "again").symlink_to(root)
    (root / "a" / "up").symlink_to(root)
    (root / "itself").symlink_to(root / "itself")
    assert info(root).class_names == ("a", "b")
    (tmp_path / "one").symlink_to(tmp_path / "two")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    with pytest.raises(UserError, match="There is no folder or Parquet file"):
        info(tmp_path / "one")


@pytest.mark.parametrize(
    "kind", ["pipe", "socket", "endless device", "folder", "link to itself", "link to nowhere"]
)
@pytest.mark.parametrize("suffix", ["parquet", "csv"])
@pytest.mark.parametrize("named", [True, False])
def test_a_table_that_is_no_file_does_not_hang(tmp_path, kind, suffix, named):
    (tmp_path / "mine").mkdir()
    file = tmp_path / "mine" / f"train.{suffix}"
    PICTURES[kind][0](file)
    with pytest.raises(UserError) as raised:
        info(file if named else tmp_path / "mine")
    assert "\n" not in str(raised.value)


def table(path, columns, metadata=None):
    one = pa.table(columns)
    pq.write_table(one.replace_schema_metadata(metadata) if metadata else one, path, compression="zstd")
    return path


IMAGE = make.encode(np.zeros((4, 4, 3), np.uint8))
LABELS = {
    "floats": (pa.array([0.0, 1.0] * 4), "must hold whole numbers or texts, not double"),
    "half floats": (pa.array(np.array([0, 1] * 4, np.float16)), "not halffloat"),
    "bools": (pa.array([True, False] * 4), "not bool"),
    "lists": (pa.array([[0], [1]] * 4), "not list"),
    "structs": (pa.array([{"a": 0}, {"a": 1}] * 4), "not struct"),
    "maps": (pa.array([[("a", 1)]] * 8, pa.map_(pa.string(), pa.int64())), "not map"),
    "bytes": (pa.array([b"a", b"b"] * 4), "not binary"),
    "dates": (pa.array([0, 1] * 4, pa.date32()), "not date32"),
    "times": (pa.array([0, 1] * 4, pa.timestamp("ns")), "not timestamp"),
    "decimals": (pa.array([10**70, 1] * 4, pa.decimal256(76)), "not decimal256"),
    "categories of floats": (pa.array([0.5, 1.5] * 4).dictionary_encode(), "not double"),
    "nothing": (pa.nulls(8), "8 rows without a 'label'"),
    "some missing": (pa.array([0, None] * 4), "4 rows without a 'label'"),
    "beyond 64 bits": (pa.array([0, 2**64 - 1] * 4, pa.uint64()), "renumber"),
    "negative": (pa.array([-1, 0] * 4), "from -1 to 0; renumber"),
    "gaps": (pa.array([0, 10**12] * 4), "renumber"),
    "control characters": (pa.array(["a\x1b[2J", "b"] * 4), "has control characters"),
    "empty texts": (pa.array(["", "b"] * 4), "a class without a name"),
    "long texts": (pa.array(["9" * 5000, "b"] * 4), "a class name of 5,000 characters"),
    "one class": (pa.array([0] * 8), "one class only"),
    "no UTF-8": (
        pa.StringArray.from_buffers(2, pa.py_buffer(np.array([0, 1, 2], np.int32)), pa.py_buffer(b"a\xff")),
        "texts that are no UTF-8",
    ),
}  # fmt: skip


@pytest.mark.parametrize("content", ["image", "text"])
@pytest.mark.parametrize("kind", LABELS)
def test_labels_of_every_type_end_in_one_sentence(tmp_path, kind, content):
    labels, sentence = LABELS[kind]
    values = pa.array([IMAGE if content == "image" else "a sentence"] * len(labels))
    with pytest.raises(UserError, match=sentence) as raised:
        arrays(table(tmp_path / "a.parquet", {content: values, "label": labels}))
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    "labels",
    [
        pa.array(["cat", "dog"] * 10).dictionary_encode(),
        pa.array([0, 1] * 10).dictionary_encode(),
        pa.array([0, 1] * 10, pa.int8()),
        pa.array([0, 1] * 10, pa.uint64()),
        pa.array(["cat", "dog"] * 10, pa.large_string()),
    ],
)
def test_categories_and_every_kind_of_whole_number_are_labels(tmp_path, labels):
    images = [make.encode(np.full((4, 4, 3), i, np.uint8)) for i in range(20)]
    data = arrays(table(tmp_path / "a.parquet", {"image": pa.array(images), "label": labels}))
    assert sum(np.bincount(part.labels) for part in data.parts.values()).tolist() == [10, 10]


@pytest.mark.slow
@pytest.mark.parametrize("unpacked", ["image", "text", "label", "other"])
def test_a_small_file_that_unpacks_to_gigabytes_is_refused_before_it_does(tmp_path, unpacked):
    rows = 2000
    huge = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array(["x" * 2_500_000]))
    small = pa.array(np.arange(rows) % 2)
    columns = {"label": huge if unpacked == "label" else small}
    columns["text"] = huge if unpacked == "text" else pa.array([f"sentence {i}" for i in range(rows)])
    if unpacked == "image":
        columns["image"] = huge.cast(pa.dictionary(pa.int32(), pa.binary()))
    if unpacked == "other":
        columns["other"] = huge
    file = tmp_path / "a.parquet"
    keeps_categories = unpacked == "label"  # otherwise they are read as the texts that they stand for
    pq.write_table(pa.table(columns), file, compression="zstd", store_schema=keeps_categories)
    assert file.stat().st_size < 2**20
    code = (
        "import resource, sys\nfrom gradlab.data import info\nfrom gradlab.types import UserError\n"
        "try:\n    print(info(sys.argv[1]).counts)\nexcept UserError as error:\n    print(error)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    out = subprocess.run(
        [sys.executable, "-c", code, file], capture_output=True, text=True, check=True
    ).stdout
    if unpacked == "other":
        assert "'train': 1440" in out  # what is not needed is not read
    else:
        assert "unpacks to more than 2" in out
        assert "make it smaller or divide it" in out
    assert int(out.splitlines()[-1]) < 1_500_000  # kB


DEEP = "[" * 100_000 + "]" * 100_000
METADATA = {
    "nested deep": (DEEP, "nested too deep"),
    "no JSON": ("{", None),
    "a list": ("[]", None),
    "no UTF-8": (b"\xff\xfe", None),
    "a number of 5,000 digits": ('{"info": {"features": ' + "9" * 5000 + "}}", None),
    "features that are text": ('{"info": {"features": "x"}}', None),
    "a feature that is a list": ('{"info": {"features": {"label": [1]}}}', None),
    "names that are text": ('{"info": {"features": {"label": {"names": "ab"}}}}', None),
    "too few names": (json.dumps({"info": {"features": {"label": {"names": ["a"]}}}}), "whole numbers from 0 to 0"),
    "names of every type": (json.dumps({"info": {"features": {"label": {"names": [None, {"a": [1]}]}}}}), None),
    "names with escapes": (json.dumps({"info": {"features": {"label": {"names": ["\x1b[2J", "b"]}}}}), "control"),
    "names with half a character": ('{"info": {"features": {"label": {"names": ["\\ud800", "b"]}}}}', "not UTF-8"),
}  # fmt: skip


@pytest.mark.parametrize("kind", METADATA)
def test_metadata_of_every_kind_end_in_one_sentence_or_are_passed_over(tmp_path, kind):
    text, sentence = METADATA[kind]
    images = pa.array([make.encode(np.full((4, 4, 3), i, np.uint8)) for i in range(20)])
    columns = {"image": images, "label": pa.array([0, 1] * 10)}
    file = table(tmp_path / "a.parquet", columns, {"huggingface": text})
    if sentence is None:
        assert info(file).num_classes == 2
    else:
        with pytest.raises(UserError, match=sentence):
            info(file)


def test_two_columns_of_one_name_and_parts_of_two_types_are_refused(tmp_path):
    twice = pa.Table.from_arrays(
        [pa.array(["a", "b"] * 4), pa.array([0, 1] * 4), pa.array([1, 0] * 4)], ["text", "label", "label"]
    )
    pq.write_table(twice, tmp_path / "twice.parquet")
    with pytest.raises(UserError, match=r"has several columns 'label'; rename all but one"):
        info(tmp_path / "twice.parquet")
    for number, labels in enumerate(([0, 1] * 4, ["a", "b"] * 4)):
        folder = tmp_path / "shards"
        folder.mkdir(exist_ok=True)
        table(folder / f"train-0000{number}-of-00002.parquet", {"text": ["a", "b"] * 4, "label": labels})
    with pytest.raises(UserError, match=r"columns of different types; write them alike"):
        info(tmp_path / "shards")
    for part, labels in (("train", [0, 1] * 4), ("test", ["a", "b"] * 4)):
        folder = tmp_path / "parts"
        folder.mkdir(exist_ok=True)
        table(folder / f"{part}.parquet", {"text": ["a", "b"] * 4, "label": labels})
    with pytest.raises(UserError, match=r"has the label 'a', which is none of the classes 0, 1"):
        info(tmp_path / "parts")


TABLES = {
    "no UTF-8": (b"text,label\ncaf\xe9,0\nb,1\n", r"is not UTF-8 text; save it as UTF-8"),
    "UTF-16": ("text,label\na,0\n".encode("utf-16"), r"is not UTF-8 text"),
    "NUL": (b"text,label\na\0b,0\nb,1\n", r"The text in row 0 of .* has a NUL character"),
    "no header": (b"a,0\nb,1\n", r"has no column 'text' in its first line, only a, 0"),
    "empty": (b"", r"is empty; its first line names the columns, such as text,label"),
    "tabs": (b"text\tlabel\na\t0\n", r"a single column 'text.tlabel' in its first line; separate columns by commas"),
    "header only": (b"text,label\n", r"holds no sentence with a label"),
    "too many fields": (b"text,label\na,b,0\n", r"Line 2 of .* has 3 fields, expected 2; put texts with commas"),
    "no label": (b"text,label\na,\nb,1\n", r"Line 2 of .* has no label"),
    "an open quote": (b'text,label\n"a,0\nb,1\n', r"is no readable CSV file"),
    "a field of a megabyte": (b"text,label\n" + b"x" * 2**20 + b",0\nb,1\n", r"is no readable CSV file \(field larger"),
    "5,000 digits": (b"text,label\na," + b"9" * 5000 + b"\nb,1\n", r"a class name of 5,000 characters"),
    "labels with gaps": (b"text,label\na,3\nb,7\n", r"2 different ones from 3 to 7; renumber"),
    "one class": (b"text,label\na,0\nb,0\n", r"one class only"),
    "escape": (b"text,label\na,\x1b[31m\nb,x\n", r"has control characters"),
    "two text columns": (b"text,text,label\na,b,0\n", r"has no column 'text'"),
}  # fmt: skip


@pytest.mark.parametrize("kind", TABLES)
def test_a_csv_file_that_cannot_be_read_is_named(tmp_path, kind):
    content, sentence = TABLES[kind]
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(UserError, match=sentence) as raised:
        info(tmp_path / "a.csv")
    assert str(raised.value).isprintable()


def test_text_is_utf8_whatever_the_locale_says(tmp_path):
    rows = "".join(f'"café {i} 猫",{"ü" if i % 2 else "ö"}\n' for i in range(20))
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbf" + f"text,label\n{rows}".encode())
    code = "import sys; from gradlab.data import info; sys.stdout.buffer.write(ascii(info(sys.argv[1]).class_names).encode())"
    environment = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    out = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "a.csv"], capture_output=True, check=True, env=environment
    )
    assert out.stdout == ascii(("ö", "ü")).encode()


def test_damaged_tables_end_in_one_sentence(tmp_path):
    """A table damaged at 150 places is refused, or read as what it still says; nothing else happens."""
    images = [make.encode(np.full((4, 4, 3), i, np.uint8)) for i in range(20)]
    file = table(tmp_path / "a.parquet", {"image": pa.array(images), "label": pa.array(["a", "b"] * 10)})
    whole = file.read_bytes()
    places = np.random.default_rng(0).integers(0, len(whole), 150)
    sentences = []
    for place in places:
        content = bytearray(whole)
        content[place] ^= 0xFF
        file.write_bytes(content)
        try:
            arrays(file)
        except UserError as error:
            sentences.append(str(error))
    assert len(sentences) > 50
    assert not any("\n" in sentence for sentence in sentences)


def test_names_that_are_no_names_are_refused(tmp_path):
    for name in ("", "  ", "a\0b", "x" * 5000, "\x1b[31m", "caf\udce9", "[", "@8", "#1", ":grey"):
        with pytest.raises(UserError) as raised:
            load(name, tmp_path)
        assert "\n" not in str(raised.value)
