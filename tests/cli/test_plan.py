import json

from tests.cli.conftest import OPTIONS


def test_nothing_is_timed_where_all_runs_have_records(ask, out):
    answer = ask("plan", "residual-mlp", *OPTIONS, "--out", out)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines()[0] == "residual-mlp: nothing to run, all runs have records."
    assert "C003-01" in answer.out


def test_json(ask, out):
    plan = json.loads(ask("plan", "residual-mlp", *OPTIONS, "--out", out, "--json").out)
    assert plan["study"] == "residual-mlp"
    assert {(arm["runs"], arm["done"]) for arm in plan["arms"]} == {(2, 2)}
    assert {claim["claim"] for claim in plan["claims"]} == {"C003-01", "C003-02", "C003-03"}


def test_mistakes_are_those_of_run(ask):
    assert ask("plan", "residual-mlp", "--seeds", "0").sentence.startswith("seeds counts repetitions")
    assert ask("plan", "resdual").sentence.startswith("unknown study 'resdual'")


def test_records_of_another_folder_count(ask, out, tmp_path):
    text = ask("plan", "residual-mlp", *OPTIONS, "--out", tmp_path / "new", "--records", out).out
    assert text.startswith("residual-mlp: nothing to run")
    assert not (tmp_path / "new").exists()


def test_times_below_ten_seconds_are_told_to_a_tenth():
    from gradlab.cli._text import duration

    assert [duration(one) for one in (0, 0.01, 0.4, 9.4, 45, 700)] == [
        "0 s",
        "0.1 s",
        "0.4 s",
        "9.4 s",
        "45 s",
        "12 min",
    ]


def test_a_plan_without_a_study_lists_them(ask):
    answer = ask("plan")
    assert answer.code == 2
    assert "gradlab plan tour" in answer.out
