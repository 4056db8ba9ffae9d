import json

from gradlab.lab.record import Record


def test_every_record_is_listed(ask, out):
    answer = ask("runs", out, "--json")
    rows = json.loads(answer.out)
    records = {folder.name: Record(folder) for folder in (out / "records").iterdir()}
    assert len(rows) == len(records) == 18
    for row in rows:
        record = records[row["record"]]
        assert row["accuracy"] == float((record.predictions == record.labels).mean())
        assert (row["data"], row["seed"], row["status"]) == ("digits", record.spec.seed, "finished")
        assert (row["epochs"], row["best"]) == (1, record.facts["best_epoch"])
    assert {row["model"] for row in rows} == {"plain 2×4", "residual 2×4", "residual by 2 2×4"}


def test_the_table_has_a_line_a_record(ask, out):
    lines = ask("runs", out).out.splitlines()
    assert lines[0].split() == ["record", "data", "model", "seed", "status", "epochs", "best", "accuracy"]
    assert len(lines) == 19


def test_half_written_folders_are_no_records(ask, out):
    (out / "records" / ".0f.tmp").mkdir()
    (out / "records" / "0f").mkdir()
    assert len(json.loads(ask("runs", out, "--json").out)) == 18


def test_an_empty_folder_lists_nothing(ask, tmp_path):
    (tmp_path / "records").mkdir()
    assert json.loads(ask("runs", tmp_path, "--json").out) == []


def test_the_default_folder_is_runs(ask):
    assert ask("runs").sentence == "runs holds no records; give the --out folder of a run."
