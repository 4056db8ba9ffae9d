"""Pruning deletes what nothing needs, and nothing else."""

import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gradlab.lab import find_record
from gradlab.lab.records.prune import find_leftovers, prune
from gradlab.lab.records.wanted import RECORDS
from gradlab.lab.running.locks import STUDY, shared, try_lock
from gradlab.types import UserError
from tests.studied import RUNS, WANTED, study

REPORT = "residual-mlp-digits-quick-depths-2-width-4-epochs-1-seeds-2"


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A study of two seeds, whose records are blocks of six, with its report; read only."""
    out = tmp_path_factory.mktemp("prune") / "runs"
    study(out)
    return out


@pytest.fixture
def reported(finished, tmp_path):
    """A copy that a test may spoil."""
    return Path(shutil.copytree(finished, tmp_path / "runs"))


def tree(folder):
    return {str(path.relative_to(folder)): path.lstat().st_size for path in folder.rglob("*")}


def lone(out):
    """A record that no report needs: one of the others under another name."""
    path = sorted((out / "records").glob("*/manifest.json"))[0].parent
    return shutil.copytree(path, path.with_name("0123456789abcdef0123"))


@pytest.mark.slow
def test_records_of_a_report_and_their_block_mates_stay(reported):
    names = {
        run["record"]
        for run in json.loads(next((reported / "reports").rglob("results.json")).read_text())["runs"]
    }
    records = {path.name for path in (reported / "records").iterdir()}
    assert len(names) == WANTED
    assert len(records) == RUNS
    found = find_leftovers(reported)
    assert found.leftovers == ()
    assert found.kept == RUNS


def test_a_dry_run_deletes_nothing_and_says_what_it_would_free(reported):
    path = lone(reported)
    before = tree(reported)
    found = find_leftovers(reported)
    assert [(one.path, one.why) for one in found.leftovers] == [(path, "no report refers to it")]
    assert found.size == sum(file.stat().st_size for file in path.iterdir())
    assert tree(reported) == before


def test_pruning_deletes_the_rest_and_asking_again_trains_nothing(reported, monkeypatch):
    path = lone(reported)
    before = tree(reported)
    prune(reported)
    gone = {name for name in before if name not in tree(reported)}
    assert {name.split("/")[1] for name in gone} == {path.name}
    monkeypatch.setattr("gradlab.lab.running.here.perform", lambda *_: pytest.fail("trained again"))
    study(reported)


def test_without_any_report_every_record_can_go(reported):
    shutil.rmtree(reported / "reports" / REPORT)
    assert len(find_leftovers(reported).leftovers) == RUNS
    assert prune(reported).kept == 0
    assert list((reported / "records").iterdir()) == []


@pytest.mark.slow
def test_records_of_a_report_that_was_replaced_stay(reported):
    """Another depth, other epochs and fewer seeds write their reports into the same folder."""
    study(reported, depths=(4,), seeds=1)
    study(reported, epochs=2, seeds=1)
    assert find_leftovers(reported).leftovers == ()
    assert find_leftovers(reported).kept == len(list((reported / "records").iterdir())) == 3 * RUNS
    study(reported)
    assert prune(reported).leftovers == ()


@pytest.mark.slow
def test_a_report_without_a_note_is_remembered_when_it_is_replaced(reported):
    (reported / "reports" / REPORT / RECORDS).unlink()
    study(reported, epochs=2, seeds=1)
    assert find_leftovers(reported).leftovers == ()


def test_a_report_that_is_deleted_takes_its_note_with_it(reported):
    study(reported, epochs=2, seeds=1)
    shutil.rmtree(reported / "reports" / REPORT)
    assert len(find_leftovers(reported).leftovers) == RUNS


def test_records_that_wanted_ones_rest_on_stay(reported):
    """A record that no report names, but that is an input of one that is named."""
    below = lone(reported)
    name = json.loads((reported / "reports" / REPORT / "results.json").read_text())["runs"][0]["record"]
    path = reported / "records" / name / "spec.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"inputs": {"net": below.name}}))
    assert below not in [one.path for one in find_leftovers(reported).leftovers]


def test_a_damaged_note_stops_everything(reported):
    lone(reported)
    (reported / "reports" / REPORT / RECORDS).write_text("{")
    with pytest.raises(UserError, match="is damaged, so nobody knows which records are needed; nothing was"):
        prune(reported)


def test_a_note_alone_is_a_report_that_was_about_to_be_written(reported):
    path = lone(reported)
    (reported / "reports" / "other").mkdir()
    (reported / "reports" / "other" / RECORDS).write_text(json.dumps([path.name]))
    assert find_leftovers(reported).leftovers == ()


def test_a_thousand_locks_take_no_thousand_file_descriptors(reported):
    for number in range(400):
        (reported / "work" / f"{number:020d}.lock").touch()
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (300, before[1]))
    try:
        assert prune(reported).kept == RUNS
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_leftovers_of_killed_processes_go_and_checkpoints_to_go_on_from_stay(reported):
    done = sorted(path.name for path in (reported / "records").iterdir())[0]
    half = reported / "records" / f".{done}.{'a' * 32}.tmp"
    half.mkdir()
    (half / "spec.json").write_text("{")
    work = reported / "work"
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for name in (
        f"{done}.safetensors",
        f"{'b' * 20}.safetensors",
        f"{'b' * 20}.safetensors.12.tmp",
        f".{'b' * 20}.safetensors.abc_1234.part",
        f"worker-{ended.pid}-0.log",
        f"{done}.log",
        f"{'b' * 20}.log",
        f"worker-{os.getpid()}-0a1b2c3d-0.log",
        "notes.txt",
        ".mine.part",
    ):
        (work / name).write_text("x")
    for name in (f"{done}.parts", f"{'b' * 20}.parts", "other.parts"):
        (work / name).mkdir()
        (work / name / "0.safetensors").write_text("x")
    (work / f"{'b' * 20}.parts" / ".1.safetensors.abc_1234.part").write_text("x")
    (reported / "reports" / REPORT / ".report.html.abc_1234.part").write_text("x")
    (reported / "looks" / ".0.json.abc_1234.part").write_text("x")
    found = prune(reported)
    assert {one.path.name for one in found.leftovers} == {
        half.name,
        f"{done}.safetensors",
        f"{'b' * 20}.safetensors.12.tmp",
        f".{'b' * 20}.safetensors.abc_1234.part",
        f"worker-{ended.pid}-0.log",
        f"{done}.log",
        f"{done}.parts",
        ".1.safetensors.abc_1234.part",
        ".report.html.abc_1234.part",
        ".0.json.abc_1234.part",
    }
    assert [path.name for path in found.unfinished] == [
        f"{'b' * 20}.{one}" for one in ("log", "parts", "safetensors")
    ]
    for name in (
        f"{'b' * 20}.safetensors",
        f"worker-{os.getpid()}-0a1b2c3d-0.log",
        "notes.txt",
        ".mine.part",
        "other.parts",
    ):
        assert (work / name).exists()
    assert not any(one.path.exists() for one in found.leftovers)


def test_what_is_no_record_is_never_touched(reported, tmp_path):
    records = reported / "records"
    elsewhere = tmp_path / "precious"
    elsewhere.mkdir()
    (elsewhere / "thesis.tex").write_text("years of work")
    (records / "aaaaaaaaaaaaaaaaaaaa").symlink_to(elsewhere)
    (records / "notes").mkdir()
    (records / "todo.txt").write_text("mine")
    (records / "bbbbbbbbbbbbbbbbbbbb").mkdir()  # a name alone makes no record
    extended = lone(reported)
    (extended / "my-analysis.py").write_text("mine")
    linked = shutil.copytree(extended, extended.with_name("c" * 20))
    (linked / "my-analysis.py").unlink()
    (linked / "made.json").unlink()
    (linked / "made.json").symlink_to(elsewhere / "thesis.tex")
    unreadable = shutil.copytree(linked, linked.with_name("d" * 20), symlinks=True)
    (unreadable / "manifest.json").write_text("{")
    before = tree(tmp_path)
    found = prune(reported)
    assert found.leftovers == ()
    assert {path.name for path in found.foreign} == {
        "a" * 20, "b" * 20, "c" * 20, "d" * 20, "notes", "todo.txt", extended.name,
    }  # fmt: skip
    assert tree(tmp_path) == before


@pytest.mark.parametrize("content", ["{", "{}", '{"runs": [{"arm": "a"}]}', "[]", "[" * 100_000])
def test_a_report_that_cannot_be_read_stops_everything(reported, content):
    lone(reported)
    next((reported / "reports").rglob("results.json")).write_text(content)
    before = tree(reported)
    with pytest.raises(
        UserError, match="cannot be read, so nobody knows which records it needs; nothing was deleted"
    ):
        prune(reported)
    assert tree(reported) == before


def test_a_study_that_runs_now_stops_everything(reported):
    lone(reported)
    with try_lock(reported / "work" / "x.lock"), pytest.raises(UserError, match="a study is running in"):
        prune(reported)
    assert len(list((reported / "records").iterdir())) == RUNS + 1


def test_a_study_of_finished_runs_that_writes_its_report_stops_everything(reported):
    path = lone(reported)
    with shared(reported / "work" / STUDY), shared(reported / "work" / STUDY):
        for look in (find_leftovers, prune):
            with pytest.raises(UserError, match="a study is running in"):
                look(reported)
    assert prune(reported).leftovers[0].path == path


def test_a_study_waits_until_pruning_is_done(reported, monkeypatch):
    lone(reported)
    remove = shutil.rmtree

    def look(path, **more):
        assert try_lock(reported / "work" / STUDY) is None
        remove(path, **more)

    monkeypatch.setattr(shutil, "rmtree", look)
    assert len(prune(reported).leftovers) == 1


@pytest.mark.parametrize("name", ["records", "work"])
def test_records_that_another_folder_holds_stay(reported, tmp_path, name):
    lone(reported)
    other = tmp_path / "other"
    shutil.copytree(reported, other, ignore=shutil.ignore_patterns(name))
    (other / name).symlink_to(reported / name)
    before = tree(tmp_path)
    with pytest.raises(UserError, match=f"other/{name} is a link to .*; nothing was deleted"):
        prune(other)
    assert tree(tmp_path) == before


def test_a_report_behind_a_link_is_a_report(reported, tmp_path):
    report = reported / "reports" / REPORT
    shutil.move(report, tmp_path / "moved")
    report.symlink_to(tmp_path / "moved")
    (tmp_path / "moved" / "back").symlink_to(reported / "reports")
    assert find_leftovers(reported).kept == RUNS
    (tmp_path / "moved").rename(tmp_path / "away")
    with pytest.raises(UserError, match=f"{REPORT} leads nowhere, and may be a report; nothing was deleted"):
        prune(reported)


def test_a_report_without_its_results_stops_everything(reported):
    next((reported / "reports").rglob("results.json")).unlink()
    with pytest.raises(UserError, match=r"holds a report without its results\.json"):
        prune(reported)
    assert len(list((reported / "records").iterdir())) == RUNS


def test_a_folder_without_records_is_refused(tmp_path):
    with pytest.raises(UserError, match="holds no records; give the --out folder"):
        find_leftovers(tmp_path)


def test_a_damaged_record_of_a_report_stays(reported):
    name = json.loads(next((reported / "reports").rglob("results.json")).read_text())["runs"][0]["record"]
    (find_record(name, reported).folder / "spec.json").write_text('{"data": 3}')
    assert (reported / "records" / name) not in [one.path for one in find_leftovers(reported).leftovers]
