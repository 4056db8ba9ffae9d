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
