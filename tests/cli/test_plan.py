import json

from tests.cli.conftest import OPTIONS


def test_nothing_is_timed_where_all_runs_have_records(ask, out):
    answer = ask("plan", "residual-mlp", *OPTIONS, "--out", out)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines()[0] == "residual-mlp: nothing to train, all runs have records."
    assert "C003-01" in answer.out


def test_json(ask, out):
    plan = json.loads(ask("plan", "residual-mlp", *OPTIONS, "--out", out, "--json").out)
    assert plan["study"] == "residual-mlp"
    assert {(arm["runs"], arm["done"]) for arm in plan["arms"]} == {(2, 2)}
    assert {claim["claim"] for claim in plan["claims"]} == {"C003-01", "C003-02", "C003-03"}


def test_mistakes_are_those_of_run(ask):
    assert ask("plan", "residual-mlp", "--seeds", "0").sentence.startswith("seeds counts repetitions")
    assert ask("plan", "resdual").sentence.startswith("unknown study 'resdual'")
