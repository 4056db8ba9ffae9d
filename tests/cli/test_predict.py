import csv
import json
from pathlib import Path

import pytest
from PIL import Image

from gradlab.data import load
from gradlab.lab import find_record
from tests.studied import predictions


@pytest.fixture
def record(out):
    return find_record(sorted((out / "records").iterdir())[0])


@pytest.fixture
def pictures(tmp_path):
    """Three test images as files, and one that is no picture."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(3):
        Image.fromarray(load("digits").test.images[number, 0].numpy()).save(folder / f"{number}.png")
    return folder


@pytest.mark.usefixtures("pictures")
def test_every_picture_gets_its_class(ask, record):
    answer = ask("predict", record.folder, "pictures")
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert lines[0].split() == ["picture", "class", "probability"]
    for number, line in enumerate(lines[1:]):
        path, name, probability = line.split()
        assert path == f"pictures/{number}.png"
        assert name == record.facts["class_names"][predictions(record)[number]]
        assert 0.1 <= float(probability) <= 1


def test_json_and_csv_agree(ask, record, pictures):
    answer = ask("predict", record.folder, pictures, "--top", 3, "--json", "--csv", "deep/table.csv")
    found = json.loads(answer.out)
    assert [len(one["classes"]) for one in found] == [3, 3, 3]
    with Path("deep/table.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 9
    flat = [(one["path"], pair["class"], pair["probability"]) for one in found for pair in one["classes"]]
    assert [(row["path"], row["class"], float(row["probability"])) for row in rows] == flat
    assert [row["rank"] for row in rows[:4]] == ["1", "2", "3", "1"]


@pytest.mark.usefixtures("pictures")
def test_a_name_that_a_spreadsheet_would_run_is_defused_in_the_table(ask, record):
    Path("pictures/0.png").rename("=1+1.png")
    assert ask("predict", record.folder, "=1+1.png", "--csv", "table.csv").code == 0
    assert Path("table.csv").read_text().splitlines()[1].startswith("'=1+1.png,1,")


def test_a_table_that_cannot_be_finished_leaves_nothing(ask, record, pictures, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert "the disk is full" in ask("predict", record.folder, pictures, "--csv", "table.csv").err
    assert not list(Path().glob("*table.csv*"))


def test_a_table_that_exists_is_not_overwritten(ask, record, pictures):
    Path("mine.csv").write_text("mine")
    assert "mine.csv already exists" in ask("predict", record.folder, pictures, "--csv", "mine.csv").sentence
    assert Path("mine.csv").read_text() == "mine"


def test_what_was_made_to_fit_is_said(ask, record, pictures):
    Image.new("RGB", (16, 12)).save(pictures / "large.png")
    lines = ask("predict", record.folder, pictures).out.splitlines()
    assert lines[0].rstrip().endswith("made to fit")
    assert lines[-1].rstrip().endswith("RGB to grey, resized from 12×16 to 8×8")


def test_broken_pictures_are_named_and_the_others_are_predicted(ask, record, pictures):
    (pictures / "1b.png").write_text("no picture")
    (pictures / "1c.png").symlink_to("nowhere")
    answer = ask("predict", record.folder, pictures, "--csv", "table.csv")
    assert answer.code == 1
    assert len(answer.out.splitlines()) == 4
    errors = answer.err.splitlines()
    assert errors[0].startswith(f"skipped: {pictures}/1b.png cannot be read (not an image)")
    assert errors[1].startswith(f"skipped: {pictures}/1c.png cannot be read (No such file or directory)")
    assert errors[2] == "gradlab: 2 of 5 pictures could not be read; replace or remove them."
    assert Path("table.csv").read_text().count("cannot be read") == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "nothing to predict; name at least one picture"),
        (["nowhere.png"], "there is no file or folder nowhere.png; check the path."),
        (["empty"], "empty holds no pictures"),
        (["pictures", "--top", "0"], "top is how many classes to name and must be at least 1"),
        (["pictures", "--top", "1.5"], "--top cannot be '1.5'; expected a whole number."),
    ],
)
@pytest.mark.usefixtures("pictures")
def test_a_mistake_is_one_sentence(ask, record, words, sentence):
    Path("empty").mkdir()
    assert sentence in ask("predict", record.folder, *words).sentence


def test_a_name_with_brackets_is_no_markup(ask, record, pictures):
    (pictures / "0.png").rename(pictures / "[bold]x.png")
    assert "[bold]x.png" in ask("predict", record.folder, pictures).out


def test_a_table_below_a_file_is_refused_before_anything_is_read(ask, record, pictures):
    Path("mine.png").write_text("mine")
    answer = ask("predict", record.folder, pictures, "--csv", "mine.png/x.csv")
    assert answer.sentence == "mine.png is a file; give a path in a folder."
