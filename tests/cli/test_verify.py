import json

from gradlab.reporting import write_manifest
from tests.cli.conftest import NAME


def test_a_sound_report_is_told_with_what_was_recomputed(ask, out):
    folder = out / "reports" / NAME
    answer = ask("verify", out)
    assert answer.code == 0
    assert answer.out.startswith(f"{folder}: sound, ")
    assert answer.out.strip().endswith("values recomputed from 6 runs")
    assert ask("verify", folder / "report.html").out == ask("verify", folder).out == answer.out


def test_a_changed_digit_is_named_and_the_exit_code_says_so(ask, out):
    path = out / "reports" / NAME / "results.json"
    results = json.loads(path.read_text())
    results["claims"][0]["estimate"] += 0.001
    path.write_text(json.dumps(results))
    answer = ask("verify", out)
    assert answer.code == 1
    assert "1 difference, " in answer.out.splitlines()[0] or "differences, " in answer.out.splitlines()[0]
    assert any(line.startswith("  claims[C003-01].estimate is ") for line in answer.out.splitlines())
    assert "  results.json is not what was written" in answer.out.splitlines()


def test_json(ask, out):
    (found,) = json.loads(ask("verify", out, "--json").out)
    assert found["differences"] == []
    assert found["runs"] == 6
    (out / "reports" / NAME / "report.md").unlink()
    answer = ask("verify", out, "--json")
    assert answer.code == 1
    assert json.loads(answer.out)[0]["differences"] == ["report.md is missing"]


def test_a_deleted_record_is_named(ask, out):
    import shutil

    record = json.loads((out / "reports" / NAME / "results.json").read_text())["runs"][0]["record"]
    shutil.rmtree(out / "records" / record)
    answer = ask("verify", out)
    assert answer.code == 1
    assert f"record {record}" in answer.out


def test_a_report_of_another_version_that_cannot_be_read_is_no_traceback(ask, out):
    path = out / "reports" / NAME / "results.json"
    results = json.loads(path.read_text())
    results["design"]["arms"][0]["colour"] = "red"
    path.write_text(json.dumps(results))
    write_manifest(path.parent)
    answer = ask("verify", out)
    assert answer.code == 1
    assert "the results cannot be recomputed" in answer.out
    assert answer.err == ""
