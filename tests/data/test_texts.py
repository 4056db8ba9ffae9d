import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from torch.utils.data import TensorDataset

from gradlab.data import TextSplit, arrays, check, from_texts, info, load, refuse_test
from gradlab.types import UserError
from tests.data import make

SENTENCES = [f"sentence number {i} is {'bad' if i % 2 else 'good'}" for i in range(50)]
LABELS = ["neg" if i % 2 else "pos" for i in range(50)]


def table(path, texts, labels, *, text="text", label="label", **extra):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({text: texts, label: labels, **extra}), path)
    return path


def csv_file(path, texts, labels):
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [f'"{text}",{label}' for text, label in zip(texts, labels, strict=True)]
    path.write_text("\n".join(["text,label", *rows, ""]), encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", ["parquet", "csv", "lists"])
def test_sentences_become_train_validation_and_test(tmp_path, kind):
    if kind == "lists":
        data = from_texts(SENTENCES, LABELS)
    else:
        write = table if kind == "parquet" else csv_file
        data = load(write(tmp_path / f"mine.{kind}", SENTENCES, LABELS))
    assert {role: len(split) for role, split in data.splits.items()} == {
        "train": 36,
        "validation": 4,
        "test": 10,
    }
    assert data.class_names == ("neg", "pos")
    pairs = {(text, data.class_names[int(label)]) for s in data.splits.values() for text, label in
             zip(s.texts, s.labels, strict=True)}  # fmt: skip
    assert pairs == set(zip(SENTENCES, LABELS, strict=True))
    assert data.train.labels.dtype == torch.int64
    assert data.notes[0].startswith("The source has no test part: 10 of 50 training sentences, stratified")
    assert all(
        torch.bincount(split.labels).tolist() == [len(split) // 2] * 2 for split in data.splits.values()
    )


def test_all_three_ways_give_the_same_data(tmp_path):
    sums = {
        load(table(tmp_path / "mine.parquet", SENTENCES, LABELS)).checksum,
        load(csv_file(tmp_path / "mine.csv", SENTENCES, LABELS)).checksum,
        from_texts(SENTENCES, LABELS).checksum,
        from_texts(SENTENCES, [int(label == "pos") for label in LABELS], class_names=["neg", "pos"]).checksum,
        info(tmp_path / "mine.parquet").checksum,
    }
    assert len(sums) == 1


def test_the_checksum_sees_texts_their_borders_labels_and_order():
    datasets = [
        from_texts(SENTENCES, LABELS),
        from_texts([*SENTENCES[:-1], "x"], LABELS),
        from_texts(SENTENCES, LABELS[1:] + LABELS[:1]),
        from_texts(SENTENCES[::-1], LABELS[::-1]),
        from_texts([SENTENCES[0] + SENTENCES[1][:1], SENTENCES[1][1:], *SENTENCES[2:]], LABELS),
    ]
    assert len({data.checksum for data in datasets}) == len(datasets)


def test_parts_of_a_folder_and_a_column_called_sentence(tmp_path):
    for part in ("train", "validation", "test"):
        table(
            tmp_path / "d" / "sst2" / f"{part}.parquet",
            SENTENCES,
            [0, 1] * 25,
            text="sentence",
            idx=list(range(50)),
        )
    data = load("sst2", tmp_path / "d")
    assert data.class_names == ("negative", "positive")
    assert data.train.texts == data.test.texts == tuple(SENTENCES)
    assert data.notes[0].startswith(
        "50 validation sentences are exact copies of train sentences (0 = 0, 1 = 1"
    )
    assert data.trainable() == (data.train, data.validation)


def test_registered_sentences_without_labels_are_left_out(tmp_path):
    for part in ("train", "test"):
        labels = [-1] * 50 if part == "test" else [0, 1] * 25
        table(tmp_path / "d" / "sst2" / f"{part}.parquet", SENTENCES, labels, text="sentence")
    data = load("sst2", tmp_path / "d")
    assert {role: len(split) for role, split in data.splits.items()} == {"train": 45, "validation": 5}
    assert data.notes == ("The test part of the source has no labels (all are −1) and was left out.",)


def test_classes_and_numbers_per_class_are_derived_and_pixels_refused(tmp_path):
    csv_file(tmp_path / "d" / "mine" / "train.csv", SENTENCES, LABELS)
    few = load("mine#3", tmp_path / "d")
    assert [len(split) for split in few.splits.values()] == [6, 4, 6]
    assert set(few.train.texts) <= set(SENTENCES)
    assert load("mine[pos]", tmp_path / "d").class_names == ("pos",)
    for name in ("mine@8", "mine:grey", "mine[pos]@8"):
        with pytest.raises(UserError, match=r"'mine' holds sentences, which have no size"):
            load(name, tmp_path / "d")


def test_images_and_sentences_do_not_stand_in_for_each_other(tmp_path):
    file = csv_file(tmp_path / "mine.csv", SENTENCES, LABELS)
    with pytest.raises(
        UserError, match=r"'mine' holds sentences where images are needed; name a data set of images"
    ):
        arrays(file)
    with pytest.raises(UserError, match=r"'mine' holds sentences where images are needed"):
        load(file, holds="images")
    with pytest.raises(UserError, match=r"'digits' holds images where sentences are needed"):
        load("digits", holds="text")
    assert info(file).holds == "text"
    assert info("digits").holds == "images"


def test_a_csv_file_beside_class_folders_does_not_make_them_text(tmp_path, rng):
    root = make.class_folders(tmp_path / "pets", rng, {"a": 10, "b": 10})
    csv_file(root / "labels.csv", SENTENCES, LABELS)
    assert info(root).holds == "images"


def test_subsets_keep_their_role_and_test_stays_test():
    data = from_texts(SENTENCES, LABELS, name="mine")
    assert data.test[0] == (data.test.texts[0], int(data.test.labels[0]))
    assert data.train[[2, 0]].texts == (data.train.texts[2], data.train.texts[0])
    positive = data.train[data.train.labels == 1]
    assert all("good" in text for text in positive.texts)
    assert len(data.train[:5]) == 5
    for disguise in (data.test, data.test[:3], [data.test], TensorDataset(torch.zeros(10), data.test.labels)):
        with pytest.raises(
            UserError,
            match=r"fit trains and selects on train and validation only, got the test split of 'mine'",
        ):
            refuse_test(disguise, "fit")
    refuse_test(data.train, "fit")
    with pytest.raises(UserError, match=r"The test sentences of 'mine' cannot become a train split"):
        TextSplit(data.test.texts, data.test.labels, "train")
    with pytest.raises(UserError, match=r"test sentences of 'mine' cannot become train sentences"):
        from_texts(data.test.texts, data.test.labels)


@pytest.mark.parametrize(
    ("texts", "labels", "sentence"),
    [
        (["a\0b", "c"], [0, 1], r"The text in row 0 of the train part has a NUL character; remove it"),
        (["a", "b\ud800"], [0, 1], r"The text in row 1 of the train part is not UTF-8; write it again"),
        (["a", None], [0, 1], r"Row 1 of the train part has no text; remove"),
        (["a", 3], [0, 1], r"Row 1 of the train part has a int instead of a text"),
        (["a", "b"], [0], r"2 train sentences need as many labels, got 1"),
        (["a", "b"], [0, "x"], r"must be all texts or all whole numbers, got int and str"),
        (["a", "b"], [True, False], r"got bool; convert"),
        (["a", "b"], [0.0, 1.0], r"got float; convert"),
        (["a", "b"], [0, 2], r"whole numbers from 0 to K - 1"),
        (["a", "b"], [0, 10**5000], r"numbers beyond 64 bits; renumber them"),
        (["a", "b"], ["x", "x"], r"one class only"),
        (["a", "b"], ["x", "\x1b[31m"], r"has control characters; rename"),
        ("ab", [0, 1], r"must be lists, one entry each; got a single text"),
        ([], [], r"one class only"),
    ],
)  # fmt: skip
def test_what_is_no_sentence_or_label_is_named(texts, labels, sentence):
    with pytest.raises(UserError, match=sentence):
        from_texts(texts, labels)


PUBLISHED = {
    "rotten_tomatoes": (8530, 1066, 1066), "sst2": (6920, 872, 1821), "trec": (4906, 546, 500),
    "subj": (7200, 800, 2000),
}  # fmt: skip


@pytest.mark.skipif("GRADLAB_DATA" not in os.environ, reason="needs the text data sets: set GRADLAB_DATA")
@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_data_sets_are_whole(name, monkeypatch, real_data):
    monkeypatch.setenv("GRADLAB_DATA", real_data)
    data = load(name)
    assert tuple(len(split) for split in data.splits.values()) == PUBLISHED[name]
    assert all(row.ok is not False for row in check(name))
    if name in ("rotten_tomatoes", "sst2"):
        return  # their validation part is published
    shares = [torch.bincount(split.labels) / len(split) for split in (data.train, data.validation)]
    assert float((shares[0] - shares[1]).abs().max()) < 0.01


def test_a_missing_label_among_numbers_is_no_class_and_among_words_may_be_one(tmp_path):
    file = tmp_path / "gaps.csv"
    rows = [f"text {n},{n % 2}.0" for n in range(20)]
    file.write_text("\n".join(["text,label", *rows]))
    assert load(file).class_names == ("0", "1")
    file.write_text("\n".join(["text,label", *rows, "text 20,NaN"]))
    with pytest.raises(UserError, match=r"Row 20 of .*gaps\.csv has the label 'NaN', which is a missing one"):
        load(file)
    file.write_text("\n".join(["text,label", *(f"text {n},{('nan', 'eng')[n % 2]}" for n in range(20))]))
    assert load(file).class_names == ("eng", "nan")


def test_empty_sentences_of_lists_are_counted_and_what_is_no_list_is_refused():
    texts = [" " if n < 3 else f"text {n}" for n in range(40)]
    assert "3 train sentences are empty." in from_texts(texts, [n % 2 for n in range(40)]).notes
    with pytest.raises(UserError, match=r"must be lists, one entry each; write list\(...\)"):
        from_texts((text for text in texts), [n % 2 for n in range(40)])
