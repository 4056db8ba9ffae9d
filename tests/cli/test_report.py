import json


def test_reports_are_drawn_again_from_their_records(ask, out):
    folder = out / "reports" / "residual-mlp-digits-quick"
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


def test_a_small_form_into_a_folder_of_ones_own_is_refused(ask, out, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    answer = ask("report", out, "--small", tmp_path / "mine")
    assert answer.code == 1
    assert answer.err.count("\n") == 1
    assert "holds something else" in answer.err
