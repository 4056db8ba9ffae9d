import json

import pytest

from tests.cli.conftest import NAME


@pytest.mark.slow
def test_two_reports_are_set_side_by_side(ask, out, tmp_path):
    folder = out / "reports" / NAME
    other = tmp_path / "other"
    other.mkdir()
    results = json.loads((folder / "results.json").read_text())
    first = results["claims"][0]
    first |= {"verdict": "supported", "interval": [0.1, 0.2]}
    (folder / "results.json").write_text(json.dumps(results))
    first |= {"verdict": "refuted", "interval": [-0.9, -0.8]}
    results["parameters"]["epochs"] = 7
    results["runs"] = results["runs"][1:]
    (other / "results.json").write_text(json.dumps(results))
    answer = ask("diff", folder, other)
    assert answer.code == 0
    assert "epochs  1  7" in answer.out
    assert "another verdict, the intervals do not overlap" in answer.out
    assert answer.out.count("another verdict") == 1
    assert f"{len({run['record'] for run in results['runs']})} runs are the same records." in answer.out
    found = json.loads(ask("diff", folder, other, "--json").out)
    assert found["asked"] == {"epochs": [1, 7]}
    assert [claim["moved"] for claim in found["claims"]].count(True) == 1


def test_a_report_and_itself_differ_in_nothing(ask, out):
    folder = out / "reports" / NAME
    assert "Both were asked the same." in ask("diff", folder, folder).out


def test_a_claim_that_only_one_makes_is_told(ask, out, tmp_path):
    folder = out / "reports" / NAME
    results = json.loads((folder / "results.json").read_text())
    results["claims"] = results["claims"][1:]
    (tmp_path / "results.json").write_text(json.dumps(results))
    assert "not asked" in ask("diff", folder, tmp_path / "results.json").out


def test_a_folder_of_several_reports_is_one_sentence(ask, tmp_path):
    for name in ("a", "b"):
        (tmp_path / "reports" / name).mkdir(parents=True)
        (tmp_path / "reports" / name / "results.json").write_text("{}")
    assert "holds 2 reports; name one of them" in ask("diff", tmp_path, tmp_path).sentence
