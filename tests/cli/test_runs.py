import json
import shutil

import pytest
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
    named = {
        run["record"]: run["arm"]
        for run in json.loads(next(out.glob("reports/*/results.json")).read_text())["runs"]
    }
    assert {row["record"]: row["arm"] for row in rows if row["arm"]} == named
    assert {row["model"] for row in rows} == {"plain 2×4", "residual 2×4", "residual by 2 2×4"}


def test_the_table_has_a_line_a_record(ask, out):
    lines = ask("runs", out).out.splitlines()
    assert lines[0].split() == [
        "record",
        "data",
        "arm",
        "model",
        "seed",
        "status",
        "epochs",
        "best",
        "accuracy",
    ]
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
    assert f"record    {one.hash}, seed {one.spec.seed}, digits, fp32, cpu" in text
    assert one.spec.model.describe(64, 10) in text
    assert f"{facts['parameters']:,} parameters, {one.spec.model.flop_count(64, 10):,} FLOPs an image" in text
    assert one.spec.recipe.describe() in text
    assert f"test accuracy {(one.predictions == one.labels).mean():.4f} [" in text
    lines = [line.split() for line in text.splitlines()]
    assert next(line for line in lines if line[:1] == ["epoch"])[:3] == ["epoch", "train", "loss"]
    assert f"{one.epochs['validation_loss'][0]:.4f}" in next(line for line in lines if line[:1] == ["1"])


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
    b = next(one for one in records if one.spec.model != a.spec.model)
    text = ask("runs", "compare", a.hash[:8], b.hash[:8], "--runs", out).out
    found = json.loads(ask("runs", "compare", a.folder, b.folder, "--json").out)
    assert text.startswith(f"A  {a.hash}\nB  {b.hash}\n")
    only_a = int(((a.predictions == a.labels) & (b.predictions != b.labels)).sum())
    assert found["mcnemar"]["only_a"] == only_a
    assert f"only A right: {only_a}, " in text
    assert f"accuracy, A less B: {found['difference']['estimate']:+.4f} [" in text
    assert "model.residual" in text or "model.layers per block" in text
    assert "two single runs" in text


def test_export_writes_a_model(ask, out, records):
    answer = ask("runs", "export", records[0].hash[:8], "--runs", out, "--out", "deep/model")
    assert answer.code == 0
    assert answer.out.startswith("deep/model: logits bit-equal to the network's on 74 random images")
    again = ask("runs", "export", records[0].folder, "--out", "deep/model")
    assert "deep/model is there already" in again.sentence
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
    assert "deleted. 0 record(s) of reports stay." in done.out
    assert list((out / "records").iterdir()) == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["show", "0000"], "no record in out begins with 0000; gradlab runs out lists them."),
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
    monkeypatch.setattr(Record, "probes", probes)
    text = ask("runs", "show", records[0].folder).out
    assert "alarm     step 0: vanishes below layer" in text
    found = json.loads(ask("runs", "show", records[0].folder, "--json").out)
    assert found["alarms"][0]["kind"] == "vanishing"
