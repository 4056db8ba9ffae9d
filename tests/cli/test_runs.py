import json
import shutil

import pytest

from gradlab.cli._runs_list import model_name, what
from gradlab.lab.designing.procedure import read_procedure
from gradlab.lab.records.record import Record
from gradlab.procedures import PROCEDURES
from tests.studied import labels, predictions


def test_every_record_is_listed(ask, out):
    answer = ask("runs", out, "--json")
    rows = json.loads(answer.out)
    records = {folder.name: Record(folder) for folder in (out / "records").iterdir()}
    assert len(rows) == len(records) == 18
    for row in rows:
        record = records[row["record"]]
        assert row["value"] == float((predictions(record) == labels(record)).mean())
        assert (row["data"], row["seed"], row["status"]) == ("digits", record.spec["seed"], "finished")
        assert (row["kind"], row["measure"]) == ("train", "test accuracy")
    named = {
        run["record"]: run["arm"]
        for run in json.loads(next(out.glob("reports/*/results.json")).read_text())["runs"]
    }
    assert {row["record"]: row["arm"] for row in rows if row["arm"]} == named
    assert {row["what"] for row in rows} == {"plain 2×4", "residual 2×4", "residual by 2 2×4"}


def test_the_table_has_a_line_a_record(ask, out):
    lines = ask("runs", out).out.splitlines()
    assert lines[0].split() == ["record", "kind", "data", "arm", "what", "seed", "status", "measure", "value"]
    assert len(lines) == 19


def test_nothing_is_cut_on_a_narrow_terminal(ask, out, monkeypatch):
    wide = ask("runs", "list", out).out.split()
    monkeypatch.setenv("COLUMNS", "30")
    assert ask("runs", "list", out).out.split() == wide


def test_filters_choose_among_the_runs(ask, out):
    def listed(*words):
        return {row["record"] for row in json.loads(ask("runs", "list", out, *words, "--json").out)}

    results = json.loads(next(out.glob("reports/*/results.json")).read_text())
    named = {run["record"]: run["arm"] for run in results["runs"]}
    assert listed("--arm", "plain-2") == {name for name, arm in named.items() if arm == "plain-2"}
    assert listed("--study", "residual-mlp") == set(named)
    assert listed("--study", "compare") == listed("--data", "mnist") == listed("--kind", "attack") == set()
    assert len(listed("--kind", "train")) == len(listed("--data", "digits")) == 18


def test_a_long_list_is_cut_with_a_hint(ask, out):
    text = ask("runs", "list", out, "--limit", "3").out
    assert len(text.splitlines()) == 5
    assert text.splitlines()[-1].startswith("… and 15 more; --limit 0 shows all, and --study, --arm, --kind")
    assert len(ask("runs", "list", out, "--limit", "0").out.splitlines()) == 19
    assert len(json.loads(ask("runs", "list", out, "--limit", "3", "--json").out)) == 3
    assert "--limit counts rows" in ask("runs", "list", out, "--limit", "-1").sentence


@pytest.mark.parametrize("name", ["spec.json", "facts.json", "manifest.json", "predictions.parquet"])
@pytest.mark.parametrize("content", ["{", "{}", "[]", "[" * 100_000])
def test_a_damaged_record_is_listed_as_such_and_hides_no_other(ask, out, name, content):
    path = sorted((out / "records").iterdir())[4]
    (path / name).write_text(content)
    rows = {row["record"]: row for row in json.loads(ask("runs", "list", out, "--json").out)}
    assert rows[path.name]["status"] == "damaged"
    assert rows[path.name]["value"] is None
    assert sum(row["status"] == "finished" for row in rows.values()) == 17
    assert ask("runs", "list", out).code == 0


def test_runs_of_other_kinds_have_a_row_of_their_own():
    attack = {
        "kind": "attack",
        "by": {"kind": "pgd", "steps": 10},
        "eps": [0.1, 0.2],
        "data": "digits",
        "whole": True,
    }
    assert what(attack, {"net": "3fa9c17e00"}) == "pgd, eps 0.1 0.2, whole, of 3fa9c17e"
    assert model_name({"kind": "cnn", "widths": [16, 32], "residual": True}) == "residual CNN 16-32"
    assert model_name({"name": "mine", "digest": "0"}) == "mine"
    assert model_name({"widths": [9, 5], "residual": False}) == "plain 9-5"


def test_what_would_move_the_cursor_is_written_out(ask, out):
    path = next(out.glob("reports/*/results.json"))
    results = json.loads(path.read_text())
    for run in results["runs"]:
        run["arm"] = f"\x1b[2J\x07{run['arm']}"
    path.write_text(json.dumps(results))
    text = ask("runs", "list", out).out
    assert "\\x1b[2J\\x07plain-2" in text
    assert not set(text) & {"\x1b", "\x07"}


def test_half_written_folders_are_no_records(ask, out):
    (out / "records" / ".0f.tmp").mkdir()
    (out / "records" / "0f").mkdir()
    assert len(json.loads(ask("runs", out, "--json").out)) == 18


def test_an_empty_folder_lists_nothing(ask, tmp_path):
    (tmp_path / "records").mkdir()
    assert json.loads(ask("runs", tmp_path, "--json").out) == []


def test_the_default_folder_is_runs(ask):
    assert ask("runs").sentence == "runs holds no records; give the --out folder of a run."


@pytest.fixture
def records(out):
    return [Record(folder) for folder in sorted((out / "records").iterdir())]


def test_list_is_what_runs_alone_shows(ask, out):
    assert ask("runs", "list", out).out == ask("runs", out).out
    assert ask("runs", "list", out, "--json").out == ask("runs", out, "--json").out


def test_a_verb_that_is_mistyped_gets_the_nearest(ask):
    text = ask("runs", "shwo").sentence
    assert text == "shwo holds no records; give the --out folder of a run; did you mean 'show'?"


def test_show_tells_spec_result_and_curves(ask, out, records):
    one = records[0]
    answer = ask("runs", "show", one.hash[:7], "--runs", out)
    assert answer.code == 0
    facts, text = one.facts, answer.out
    assert f"record    {one.hash}, seed {one.spec['seed']}, digits, fp32, cpu" in text
    train = read_procedure(one.spec["procedure"], PROCEDURES)
    assert train.model.describe(64, 10) in text
    assert f"{facts['parameters']:,} parameters, {train.model.flop_count(64, 10):,} FLOPs an image" in text
    assert train.recipe.describe() in text
    assert f"test accuracy {(predictions(one) == labels(one)).mean():.4f} [" in text
    lines = [line.split() for line in text.splitlines()]
    assert next(line for line in lines if line[:1] == ["epoch"])[:3] == ["epoch", "train", "loss"]
    assert f"{one.table('epochs')['validation_loss'][0]:.4f}" in next(
        line for line in lines if line[:1] == ["1"]
    )


def test_show_json_is_the_record(ask, records):
    one = records[0]
    found = json.loads(ask("runs", "show", one.folder, "--json").out)
    assert found["record"] == one.hash
    assert found["facts"] == one.facts
    assert found["epochs"]["epoch"] == [1]
    assert found["damaged"] == []


def test_show_says_what_is_damaged(ask, records):
    log = records[0].folder / "errors.parquet"
    log.write_bytes(log.read_bytes() + b"x")
    answer = ask("runs", "show", records[0].folder)
    assert answer.code == 1
    assert answer.out.startswith("DAMAGED: errors.parquet is not what was written")


def test_compare_puts_two_runs_side_by_side(ask, out, records):
    a = records[0]
    b = next(one for one in records if one.spec["procedure"]["model"] != a.spec["procedure"]["model"])
    text = ask("runs", "compare", a.hash[:8], b.hash[:8], "--runs", out).out
    found = json.loads(ask("runs", "compare", a.folder, b.folder, "--json").out)
    assert text.startswith(f"A  {a.hash}\nB  {b.hash}\n")
    only_a = int(((predictions(a) == labels(a)) & (predictions(b) != labels(b))).sum())
    assert found["mcnemar"]["only_a"] == only_a
    assert f"only A right: {only_a}, " in text
    assert f"accuracy, A less B: {found['difference']['estimate']:+.4f} [" in text
    assert "procedure.model.residual" in text or "procedure.model.layers per block" in text
    assert "two single runs" in text


def test_export_writes_a_model(ask, out, records):
    answer = ask("runs", "export", records[0].hash[:8], "--runs", out, "--out", "deep/model")
    assert answer.code == 0
    assert answer.out.startswith("deep/model: logits bit-equal to the network's on 74 random images")
    again = ask("runs", "export", records[0].folder, "--out", "deep/model")
    assert "deep/model already exists" in again.sentence
    made = json.loads(ask("runs", "export", "deep/model", "--to", "torch-export", "--out", "x", "--json").out)
    assert (made["path"], made["difference"]) == ("x.pt2", 0.0)


def test_prune_deletes_only_when_told(ask, out, records):
    dry = ask("runs", "prune", out)
    size = sum(path.stat().st_size for one in records for path in one.folder.iterdir())
    assert dry.code == 0
    lines = [line for line in dry.out.splitlines() if "no report refers to it" in line]
    found = json.loads(ask("runs", "prune", out, "--json").out)
    assert found["bytes"] >= sum(one["bytes"] for one in found["leftovers"])
    assert (len(lines), found["deleted"], found["kept"]) == (0, False, 18)
    shutil.rmtree(out / "reports")
    dry = ask("runs", "prune", out)
    assert dry.out.count("no report refers to it") == 18
    assert f"{size / 2**20:.1f} MB, would be deleted; --yes deletes them" in dry.out or "kB" in dry.out
    assert len(list((out / "records").iterdir())) == 18
    done = ask("runs", "prune", out, "--yes")
    assert "deleted. 0 records of reports and models stay." in done.out
    assert list((out / "records").iterdir()) == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["show", "0000"], "no record in out begins with 0000; gradlab runs list out lists them."),
        (["show", "../etc"], "there is no record ../etc"),
        (["compare", "A", "A"], "both are record"),
        (["export", "A"], "--out needs a value"),
        (["export", "A", "--out", "x", "--to", "onx"], "--to cannot be 'onx'; did you mean 'onnx'?"),
        (["prune", "nowhere"], "nowhere holds no records"),
        (["list", "nowhere"], "nowhere holds no records"),
    ],
)
def test_a_mistake_is_one_sentence(ask, out, records, words, sentence):
    filled = [records[0].hash if word == "A" else word for word in words]
    place = ["--runs", out.name] if words[0] in ("show", "compare", "export") else []
    assert sentence in ask("runs", *filled, *place).sentence


def test_show_raises_the_alarms_of_the_probes(ask, records, monkeypatch):
    import numpy as np

    layers = [f"layer {number}" for number in range(4)]
    probes = {
        "step": np.zeros(4, dtype=int),
        "layer": np.array(layers),
        "index": np.arange(4),
        "weight_gradient": np.array([1e-9, 1e-8, 1e-7, 1.0]),
        "bias_gradient": np.full(4, np.nan),
        "activation_scale": np.ones(4),
        "dead": np.zeros(4),
        "update_ratio": np.full(4, np.nan),
    }
    table = Record.table
    monkeypatch.setattr(Record, "table", lambda self, name: probes if name == "probes" else table(self, name))
    text = ask("runs", "show", records[0].folder).out
    assert "alarm     step 0: vanishes below layer" in text
    found = json.loads(ask("runs", "show", records[0].folder, "--json").out)
    assert found["alarms"][0]["kind"] == "vanishing"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--study", "tour"], "holds no run of study 'tour'; known are residual-mlp."),
        (["--arm", "plain-3"], "holds no run of arm 'plain-3'; did you mean 'plain-2'?"),
        (["--arm", "plain-2", "--kind", "attack"], "holds no run of kind 'attack'; known are train."),
    ],
)
def test_a_list_of_nothing_says_what_there_is(ask, out, options, told):
    answer = ask("runs", "list", out, *options)
    assert (answer.code, answer.out) == (0, f"{out} {told}\n")
