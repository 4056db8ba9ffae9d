import getpass
import json
import os
import re
import shutil
import socket
from pathlib import Path

import pytest

from gradlab import reporting
from gradlab.lab.records.wanted import RECORDS
from gradlab.reporting import redraw, write_manifest, write_small_form, write_when_changed
from gradlab.types import UserError
from gradlab.verification import verify
from tests.finished import make_report
from tests.report.sample import realistic


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_report(tmp_path_factory.mktemp("made"))


@pytest.fixture
def report(made, tmp_path):
    shutil.copytree(made.parent.parent, tmp_path / "out")
    return tmp_path / "out" / "reports" / made.name


def results_of(folder: Path):
    return json.loads((folder / "results.json").read_text())


def stamps(folder: Path):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_the_same_result_is_not_written_twice(report):
    before = stamps(report)
    write_when_changed(results_of(report), report)
    assert stamps(report) == before


def test_a_page_that_another_version_drew_is_drawn_again(report):
    page = report / "report.html"
    before = page.read_bytes()
    page.write_bytes(before.replace(b"Claims and verdicts", b"Verdicts"))
    write_manifest(report)  # as that version left it
    redraw(report)
    assert page.read_bytes() == before


@pytest.mark.parametrize("name", ["report.html", "report.md", "tables/accuracy.csv", "manifest.json"])
def test_a_report_of_which_a_part_is_gone_or_changed_is_written_again(report, name):
    before = (report / name).read_bytes()
    (report / name).write_text("changed")
    write_when_changed(results_of(report), report)
    assert (report / name).read_bytes() == before
    (report / name).unlink()
    write_when_changed(results_of(report), report)
    assert (report / name).read_bytes() == before


def test_tables_of_another_setting_do_not_stay(report):
    results = results_of(report)
    results["tables"] = {"other": results["tables"]["accuracy"]}
    write_when_changed(results, report)
    assert sorted(path.name for path in (report / "tables").iterdir()) == ["other.csv", "other.tex"]
    assert "tables/other.csv" in json.loads((report / "manifest.json").read_text())


def test_what_a_person_puts_beside_tables_and_figures_stays_when_another_setting_is_reported(report):
    results = results_of(report)
    own = [
        report / "tables" / "mine.csv",
        report / "figures" / "mine.svg",
        report / "tables" / ".git" / "HEAD",
    ]
    for path in own:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    for tables in ({"other": results["tables"]["accuracy"]}, results["tables"]):
        write_when_changed(results | {"tables": tables}, report)
        assert [path.read_text() for path in own] == ["mine"] * 3
        listed = json.loads((report / "manifest.json").read_text())
        assert "tables/mine.csv" not in listed
    assert not (report / "tables" / "other.csv").exists()


def test_what_gradlab_did_not_write_is_left_alone_and_named(report):
    before = stamps(report)
    (report / "notes.txt").write_text("mine")
    (report / ".report.html.123.tmp").write_text("left by a killed process")
    write_when_changed(results_of(report), report)
    assert stamps(report).items() >= before.items()
    assert verify(report)[0].differences == ("notes.txt is not listed in manifest.json",)
    write_manifest(report)
    assert "notes.txt" not in json.loads((report / "manifest.json").read_text())


def test_redrawing_heals_a_changed_report(report):
    whole = {path: path.read_bytes() for path in report.rglob("*") if path.is_file()}
    results = results_of(report)
    results["claims"][0]["estimate"] = 0.5
    (report / "results.json").write_text(json.dumps(results))
    (report / "report.html").unlink()
    assert redraw(report.parent.parent) == [report]
    assert {path: path.read_bytes() for path in report.rglob("*") if path.is_file()} == whole


def test_redrawing_from_damaged_records_is_refused(report):
    record = next((report.parent.parent / "records").glob("*/predictions.parquet"))
    for run in results_of(report)["runs"]:
        record = report.parent.parent / "records" / run["record"] / "predictions.parquet"
    record.write_bytes(b"nonsense")
    with pytest.raises(UserError, match=r"the records of .* are damaged; see gradlab verify"):
        redraw(report)


def test_the_small_form_holds_what_the_numbers_rest_on_and_nothing_else(report, tmp_path):
    size = write_small_form([report], tmp_path / "results" / "tiny")
    small = tmp_path / "results" / "tiny"
    files = {str(path.relative_to(small)) for path in small.rglob("*") if path.is_file()}
    assert files == {
        "results.json",
        "report.md",
        "report.html",
        "manifest.json",
        "runs.json",
        "columns.parquet",
        "tables/accuracy.csv",
        "tables/accuracy.tex",
        *(f"figures/{name}.svg" for name in ("depths", "curves", "confusion", "errors")),
    }
    assert size == sum((small / name).stat().st_size for name in files) < reporting.SMALL_LIMIT
    assert list(small.parent.iterdir()) == [small]
    assert verify(small)[0].is_sound
    assert verify(tmp_path / "results")[0].folder == small


def test_the_small_form_tells_nothing_about_the_person_or_the_machine(report, tmp_path):
    write_small_form([report], tmp_path / "tiny")
    files = [path for path in (tmp_path / "tiny").rglob("*") if path.is_file()]
    for path in files:
        content = path.read_bytes()
        for secret in (str(Path.home()), str(tmp_path), os.getcwd()):
            assert secret.encode() not in content, (path, secret)
        if path.suffix in (".json", ".md"):  # a short name such as "vm" stands by chance in compressed bytes
            for name in (getpass.getuser(), socket.gethostname()):
                assert not re.search(rf"\b{re.escape(name)}\b", path.read_text()), (path, name)


def test_writing_the_small_form_again_replaces_it(report, tmp_path):
    write_small_form([report], tmp_path / "tiny")
    before = {path.name: path.read_bytes() for path in (tmp_path / "tiny").glob("*.*")}
    (tmp_path / "tiny" / RECORDS).write_text("[]")  # as drawing it again leaves there
    write_small_form([report], tmp_path / "tiny")
    assert {path.name: path.read_bytes() for path in (tmp_path / "tiny").glob("*.*")} == before
    assert list(tmp_path.glob(".*")) == []
    (tmp_path / "tiny" / "tables" / "mine.csv").write_text("mine")
    with pytest.raises(
        UserError, match=r"holds something else \(tables/mine.csv\); give --small a new folder"
    ):
        write_small_form([report], tmp_path / "tiny")
    assert (tmp_path / "tiny" / "tables" / "mine.csv").read_text() == "mine"


def test_the_current_folder_and_those_above_it_are_never_a_target(report, tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    for target in (Path(), Path(".."), tmp_path, Path("/")):
        with pytest.raises(UserError, match="is the current folder, or one above it"):
            write_small_form([report], target)


def test_a_folder_that_holds_something_else_is_not_written_into(report, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    (tmp_path / "file").write_text("")
    for target in (tmp_path / "mine", tmp_path / "file"):
        with pytest.raises(
            UserError,
            match=r"holds something else.*; give --small a new folder|is a file|holds something else",
        ):
            write_small_form([report], target)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


def test_a_small_form_over_two_megabytes_is_refused_and_leaves_nothing(report, tmp_path, monkeypatch):
    assert reporting.SMALL_LIMIT == 4 * 1024 * 1024
    monkeypatch.setattr(reporting, "SMALL_LIMIT", 50_000)
    with pytest.raises(UserError, match=r"the small form would take 0\.\d MB, more than"):
        write_small_form([report], tmp_path / "results" / "tiny")
    assert list((tmp_path / "results").iterdir()) == []


def test_what_cannot_be_made_small_is_refused(report, tmp_path):
    with pytest.raises(UserError, match="--small takes one report, got 2"):
        write_small_form([report, report], tmp_path / "tiny")
    write_small_form([report], tmp_path / "tiny")
    with pytest.raises(UserError, match="is in small form already"):
        write_small_form([tmp_path / "tiny"], tmp_path / "tinier")
    results = results_of(report)
    results["claims"][0]["estimate"] = 0.5
    (report / "results.json").write_text(json.dumps(results))
    with pytest.raises(UserError, match=r"is not sound \(claims\[T-1\]\.estimate is 0\.5, recomputed"):
        write_small_form([report], tmp_path / "other")


def test_a_small_form_is_drawn_again_without_records(report, tmp_path):
    write_small_form([report], tmp_path / "tiny")
    shutil.rmtree(report.parent.parent)
    (tmp_path / "tiny" / "report.html").unlink()
    redraw(tmp_path / "tiny")
    assert verify(tmp_path / "tiny")[0].is_sound


def test_the_manifest_and_what_is_written_again_hold_the_figures(tmp_path):
    results = realistic()
    write_when_changed(results, tmp_path)
    listed = json.loads((tmp_path / "manifest.json").read_text())
    drawn = {f"figures/{figure['name']}.svg" for figure in results["figures"]}
    assert drawn <= set(listed)
    write_when_changed(results | {"figures": results["figures"][:1], "claims": []}, tmp_path)
    assert [path.name for path in (tmp_path / "figures").iterdir()] == ["accuracy-by-depth.svg"]
