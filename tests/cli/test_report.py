import json
import os
import subprocess
import sys

import pytest

from tests.cli.conftest import NAME


def test_reports_are_drawn_again_from_their_records(ask, out):
    folder = out / "reports" / NAME
    page = (folder / "report.html").read_bytes()
    (folder / "report.html").unlink()
    answer = ask("report", out)
    assert (answer.code, answer.out, answer.err) == (0, f"Report: {folder}/report.html\n", "")
    assert (folder / "report.html").read_bytes() == page


def test_the_small_form_is_written_and_verified(ask, out, tmp_path):
    answer = ask("report", out, "--small", tmp_path / "results" / "tiny")
    assert answer.code == 0
    last = answer.out.splitlines()[-1]
    assert last.startswith(f"Small form: {tmp_path}/results/tiny (0.")
    assert last.endswith(" MB)")
    assert ask("verify", tmp_path / "results" / "tiny").code == 0
    assert (
        "is in small form already"
        in ask("report", tmp_path / "results" / "tiny", "--small", tmp_path / "x").err
    )


def test_json_prints_the_results_alone(ask, out):
    answer = ask("report", out, "--json")
    assert json.loads(answer.out)["study"] == "residual-mlp"
    assert answer.err == ""


@pytest.mark.slow
def test_what_is_printed_is_utf8_whatever_the_locale_says(out):
    command = [sys.executable, "-m", "gradlab.cli", "report", str(out), "--json"]
    environment = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(command, capture_output=True, env=environment)
    assert done.stderr == b""
    assert done.stdout == (out / "reports" / NAME / "results.json").read_bytes()
    assert not done.stdout.isascii()


def test_a_small_form_into_a_folder_of_ones_own_is_refused(ask, out, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    answer = ask("report", out, "--small", tmp_path / "mine")
    assert answer.code == 1
    assert answer.err.count("\n") == 1
    assert "holds something else" in answer.err


@pytest.mark.parametrize("target", [".", "..", "../..", "/", "inner/..", "link"])
def test_the_current_folder_and_those_above_it_are_never_replaced(ask, out, tmp_path, monkeypatch, target):
    here = tmp_path / "a" / "b"
    here.mkdir(parents=True)
    (here / "inner").mkdir()
    (here / "link").symlink_to(here)
    (here / "mine.txt").write_text("mine")
    monkeypatch.chdir(here)
    before = sorted(tmp_path.rglob("*"))
    assert "is the current folder, or one above it" in ask("report", out, "--small", target).err
    assert sorted(tmp_path.rglob("*")) == before


def test_what_a_person_put_into_a_small_form_is_kept(ask, out, tmp_path):
    place = tmp_path / "small"
    assert ask("report", out, "--small", place).code == 0
    assert ask("report", out, "--small", place).code == 0  # its own files are replaced
    (place / ".git").mkdir()
    (place / ".git" / "HEAD").write_text("mine")
    answer = ask("report", out, "--small", place)
    assert f"{place} holds something else (.git/HEAD)" in answer.err
    assert (place / ".git" / "HEAD").read_text() == "mine"
