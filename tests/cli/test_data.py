import json

from gradlab.data import DATASETS, info


def test_every_data_set_is_listed_with_its_place(ask):
    answer = ask("data", "list", "--json")
    listed = {row["name"]: row for row in json.loads(answer.out)}
    assert list(listed) == list(DATASETS)
    assert listed["digits"]["classes"] == 10
    lines = ask("data", "list").out.splitlines()
    assert lines[0].split() == ["name", "classes", "image", "where", "what"]
    assert len(lines) == 1 + len(DATASETS)


def test_check_compares_with_what_is_published(ask):
    answer = ask("data", "check", "digits", "--json")
    assert answer.code == 0
    rows = json.loads(answer.out)
    assert all(row["ok"] is not False for row in rows)
    assert info("digits").checksum in answer.out
    assert "ok" in ask("data", "check", "digits").out


def test_a_name_that_cannot_be_fetched_is_one_sentence(ask):
    assert "did you mean 'digits'" in ask("data", "get", "digts").sentence


def test_overlap_counts_what_two_data_sets_share(ask, tmp_path):
    for name, extra in (("one", "a bad film!"), ("two", "rain")):
        rows = [f"good {name} {n},good\n{'plot' if n else extra} {n},bad\n" for n in range(10)]
        folder = tmp_path / name
        folder.mkdir()
        for part in ("train", "validation", "test"):
            (folder / f"{part}.csv").write_text("text,label\n" + "".join(rows))
    places = (str(tmp_path / "one"), str(tmp_path / "two"))
    rows = json.loads(ask("data", "overlap", *places, "--json").out)
    assert [(row["part"], row["texts"], row["normalised"]) for row in rows] == [
        ("validation", 20, 9),
        ("test", 20, 9),
    ]
    assert (
        "9 of the 20 test sentences of 'one' (45 %) stand in the training part of 'two'"
        in ask("data", "overlap", *places).out
    )
    assert "holds images where sentences are needed" in ask("data", "overlap", "digits", "sst2").sentence
