import contextlib
import json
import re
import types

import pytest

from gradlab.cli.plan import _asked, _found, _level, _unit, print_plan
from gradlab.lab.planning import ClaimPlan, StudyPlan
from gradlab.preparing import prepare
from gradlab.statistics import Contrast, against, difference
from gradlab.studies import STUDIES
from tests.cli.conftest import OPTIONS


def test_nothing_is_timed_where_all_runs_have_records(ask, out):
    answer = ask("plan", "residual-mlp", *OPTIONS, "--out", out)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines()[0] == "residual-mlp: nothing to run, all runs have records."
    assert "C003-01" in answer.out


@pytest.mark.slow
def test_every_claim_fits_eighty_columns_and_says_what_it_asks_for(ask, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(
        "gradlab.lab.planning.seconds_of", lambda units, _: {unit.name: 1.0 for unit in units}
    )
    for study in STUDIES:
        if study in ("text-layers", "text-features", "text-finetuning", "text-ood"):  # they need texts
            continue
        answer = ask("plan", study, "--out", tmp_path)
        table, rest = answer.out.split("A claim is supported with a power of 80 %")[1].split("\n\n", 1)
        lines = [line.rstrip() for line in table.splitlines()[1:]]
        assert max(map(len, lines)) <= 80, study
        design = prepare(study, **ASKED)[0]
        for claim in design.claims:
            assert re.search(rf"^{re.escape(claim.id)} ", table, re.MULTILINE), (
                claim.id
            )  # whole, however long
            told = f"{claim.id} (" in rest or f"{claim.id}," in rest
            assert told or not claim.reach, claim.id
            assert not told or claim.reach or "even no difference at all could not be told" in rest, claim.id


def test_a_plan_for_a_cluster_asks_it_how_many_units_it_takes_and_sums_up_the_cost(
    ask, tmp_path, monkeypatch
):
    asked = []

    def cluster(address, needs):
        asked.append((address, needs.cpus, needs.gpus))
        return contextlib.nullcontext(types.SimpleNamespace(slots=3))

    monkeypatch.setattr("gradlab.preparing.check_ray", lambda: None)
    monkeypatch.setattr("gradlab.lab.planning.ray_cluster", cluster)
    monkeypatch.setattr(
        "gradlab.lab.planning.seconds_of", lambda units, _: {unit.name: 60.0 for unit in units}
    )
    words = ["plan", "tour", "--out", tmp_path, "--executor", "ray", "--address", "10.0.0.1:6379"]
    said = " ".join(ask(*words).out.split())
    assert asked == [("10.0.0.1:6379", 1, 0)]
    assert "on 3 processes of the Ray cluster at 10.0.0.1:6379, 24 min of one core in all" in said  # 24 units


ASKED = {
    "preset": "quick", "data": "digits", "data_dir": None, "seeds": 6, "first_seed": 0, "device": "cpu",
    "precision": "fp32", "out": "nowhere", "parameters": {}, "command": None,
}  # fmt: skip


def test_what_an_arm_shares_with_another_costs_nothing_more(ask, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "gradlab.lab.planning.seconds_of", lambda units, _: {unit.name: 1.0 for unit in units}
    )
    lines = [line.split() for line in ask("plan", "tour", "--out", tmp_path).out.splitlines()]
    assert ["fgsm-0", "6", "0", "6.0", "s"] in lines
    assert ["fgsm-4", "6", "0", "with", "fgsm-0"] in lines
    assert not any(line[-2:] == ["0", "s"] for line in lines)


def test_a_plan_in_bf16_says_what_it_costs_here(ask, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "gradlab.lab.planning.seconds_of", lambda units, _: dict.fromkeys([u.name for u in units], 1.0)
    )
    monkeypatch.setattr("gradlab.training.number_format._measured", lambda: 0.25)
    monkeypatch.setattr("gradlab.training.number_format.bf16_units", lambda: "AMX")
    for form, said in (("bf16", True), ("fp32", False)):
        words = ("plan", "tour", "--out", tmp_path, "--device", "cpu", "--precision", form)
        assert ("bf16 takes 0.25 × the time of fp32 (AMX units)" in ask(*words).out) is said


@pytest.mark.parametrize(
    ("kind", "detectable", "asks", "told"),
    [
        ("more", (0.041, 0.11), "> 2 points", "≥ 4.1 to 11.0"),
        ("same", (0.012, 0.004), "±2 points", "≤ 0.4 to 1.2"),
        ("same", (0.012, None), "±2 points", "none or ≤ 1.2"),
        ("same", (None, None), "±2 points", "none"),
        ("not less", (-0.012, 0.03), "> −2 points", "≥ −1.2 to 3.0"),
    ],
)
def test_the_true_difference_is_told_by_what_the_claim_asks_for(kind, detectable, asks, told):
    claim = ClaimPlan("c", "a - b", "test accuracy", kind, 0.02, (0.01, 0.02), None, "assumed", detectable)
    assert (_asked(claim, _unit(claim)), _found(claim, 100)) == (asks, told)


@pytest.mark.parametrize(
    ("contrast", "row"),
    [
        (against("plain", 0.73), ("test accuracy of plain", "above 75 %", "≥ 77.0 % to 84.0 %")),
        (Contrast({"plain": -1.0}, constant=0.35), ("test accuracy of plain", "below 33 %", "≤ 31.0 % to 24.0 %")),
        (difference("plain", "other"), None),
    ],
)  # fmt: skip
def test_a_claim_about_one_arm_is_told_by_its_measure(contrast, row, capsys):
    claim = ClaimPlan(
        "c", "AUROC - 73 %", "test accuracy", "more", 0.02, (0.01, 0.02), None, "assumed", (0.04, 0.11), contrast
    )  # fmt: skip
    assert _level(claim) == row
    print_plan(StudyPlan("s", 1.0, 1, (), (claim,), is_upper_bound=False))
    shown = capsys.readouterr().out
    assert ("true value" in shown) == (row is not None)
    assert all(cell in shown for cell in row or ("> 2 points",))


def test_one_seed_is_said_to_decide_nothing(ask, out):
    text = ask("plan", "residual-mlp", *OPTIONS[:-1], "1", "--out", out).out
    assert text.endswith("One seed shows no spread, so no claim can be decided; take at least two.\n")


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
