import hashlib
import json
import shutil

import numpy as np
import pytest
import torch
from gradlab.lab.record import Record, write_record
from gradlab.lab.store import SMALL_FILES, changed_facts, damaged_files, open_runs, read_small, write_small
from torch.nn import functional

from gradlab.types import UserError
from tests.lab.outcomes import SPEC, outcome


@pytest.fixture
def records(finished):
    return [Record(folder) for folder in sorted((finished / "records").iterdir())][:4]


@pytest.fixture
def small(records, tmp_path):
    write_small(tmp_path, records)
    return tmp_path


def test_the_small_form_gives_back_what_measures_look_at(records, small):
    runs = read_small(small)
    assert list(runs) == [record.hash for record in records]
    for record in records:
        run = runs[record.hash]
        assert (run.digest, run.facts) == (record.digest, record.facts)
        np.testing.assert_array_equal(run.labels, record.labels)
        np.testing.assert_array_equal(run.predictions, record.predictions)
        for name in ("epochs", "gradients", "errors"):
            mine, theirs = getattr(run, name), getattr(record, name)
            assert list(mine) == list(theirs)
            for column in theirs:
                np.testing.assert_array_equal(mine[column], theirs[column])
    assert changed_facts(runs) == []
    assert changed_facts({record.hash: record for record in records}) == []


def test_predictions_take_one_byte_each(small):
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pq.read_schema(small / "predictions.parquet")
    assert set(schema.types) == {pa.uint8()}
    assert {path.name for path in small.iterdir()} == set(SMALL_FILES) - {"probes.parquet", "losses.parquet"}


def test_a_run_without_rows_in_a_log_has_none_in_the_small_form(finished, tmp_path):
    first, second = [Record(folder) for folder in sorted((finished / "records").iterdir())][:2]
    empty = {name: values[:0] for name, values in first.gradients.items()}
    made = tmp_path / "records" / first.hash
    shutil.copytree(first.folder, made)
    from gradlab.lab.record import write_columns

    write_columns(made / "gradients.parquet", empty)
    (tmp_path / "small").mkdir()
    write_small(tmp_path / "small", [Record(made), second])
    runs = read_small(tmp_path / "small")
    assert len(runs[first.hash].gradients["norm"]) == 0
    assert list(runs[first.hash].gradients) == list(first.gradients)
    assert len(runs[second.hash].gradients["norm"]) == len(second.gradients["norm"])


def test_more_classes_than_a_byte_can_name_are_refused(tmp_path):
    made = outcome()
    names = [str(number) for number in range(257)]
    record = write_record(
        tmp_path, SPEC, type(made)(**(vars(made) | {"facts": made.facts | {"class_names": names}}))
    )
    with pytest.raises(UserError, match="at most 256 classes"):
        write_small(tmp_path / "small", [record])


def test_runs_are_opened_beside_the_report_or_in_its_out_folder(finished, records, small):
    hashes = [record.hash for record in records]
    assert {type(run).__name__ for run in open_runs(small, hashes).values()} == {"SmallRun"}
    found = open_runs(finished / "reports" / "any", hashes)
    assert list(found) == hashes
    assert {type(run).__name__ for run in found.values()} == {"Record"}


def test_a_run_that_is_not_there_is_one_sentence(finished, small):
    with pytest.raises(UserError, match=r"lacks run 0f \(1 in all\)"):
        open_runs(small, ["0f"])
    with pytest.raises(
        UserError, match=r"record 0f of .* is not in .*; run the study again with the same --out"
    ):
        open_runs(finished / "reports" / "any", ["0f"])


def test_damage_is_named_without_decoding(small):
    assert damaged_files(small, {}) == []
    (small / "epochs.parquet").write_bytes(b"")
    (small / "gradients.parquet").unlink()
    assert damaged_files(small, {}) == ["epochs.parquet", "gradients.parquet"]
    (small / "runs.json").write_text("[")
    assert damaged_files(small, {}) == ["runs.json"]


def test_a_spec_that_is_not_what_its_name_says_is_named(records, small):
    listed = json.loads((small / "runs.json").read_text())
    listed["runs"][1]["spec"]["recipe"]["epochs"] = 99
    (small / "runs.json").write_text(json.dumps(listed))
    assert changed_facts(read_small(small)) == [f"spec of run {records[1].hash}"]


def test_test_metrics_that_do_not_follow_from_the_logits_are_named(finished, tmp_path):
    folder = shutil.copytree(next((finished / "records").iterdir()), tmp_path / "records" / "x")
    facts = json.loads((folder / "run.json").read_text())
    facts["test"]["cross_entropy"] += 1e-6
    text = json.dumps(facts, indent=1, sort_keys=True)
    (folder / "run.json").write_text(text)
    files = json.loads((folder / "files.json").read_text()) | {
        "run.json": hashlib.sha256(text.encode()).hexdigest()
    }
    (folder / "files.json").write_text(json.dumps(files, indent=1))
    assert Record(folder).damaged() == []
    assert "test metric cross_entropy of run x" in changed_facts({"x": Record(folder)})


def test_probes_come_back_from_the_small_form_and_a_run_without_any_has_none(finished, tmp_path):
    first, second = [Record(folder) for folder in sorted((finished / "records").iterdir())][:2]
    made = tmp_path / "records" / first.hash
    shutil.copytree(first.folder, made)
    from gradlab.lab.record import write_columns

    from gradlab.training.probe_row import ProbeRow, probe_columns

    rows = [ProbeRow(step, "head", 3, 0.5 + step, None, 1.0, 0.25, None) for step in (0, 10)]
    write_columns(made / "probes.parquet", probe_columns(rows))
    (tmp_path / "small").mkdir()
    write_small(tmp_path / "small", [Record(made), second])
    runs = read_small(tmp_path / "small")
    assert {name: len(column) for name, column in runs[second.hash].probes.items()} == dict.fromkeys(
        probe_columns([]), 0
    )
    assert runs[first.hash].probes["weight_gradient"].tolist() == [0.5, 10.5]
    digests = {name: run.digest for name, run in runs.items()}
    assert damaged_files(tmp_path / "small", digests) == []
    path = tmp_path / "small" / "probes.parquet"
    path.write_bytes(path.read_bytes()[:-1])
    assert damaged_files(tmp_path / "small", digests) == ["probes.parquet"]


def test_losses_are_kept_for_the_runs_that_a_claim_needs(records, tmp_path):
    write_small(tmp_path, records, {records[1].hash})
    runs = read_small(tmp_path)
    logits = torch.tensor(records[1].logits, dtype=torch.float64)
    by_torch = functional.cross_entropy(logits, torch.tensor(records[1].labels), reduction="none")
    np.testing.assert_allclose(records[1].losses, by_torch, rtol=1e-6, atol=1e-12)
    np.testing.assert_array_equal(runs[records[1].hash].losses, records[1].losses)
    assert records[1].losses.mean() == pytest.approx(records[1].facts["test"]["cross_entropy"], rel=1e-5)
    with pytest.raises(UserError, match="does not hold the losses of run"):
        _ = runs[records[0].hash].losses
