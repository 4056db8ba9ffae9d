import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "benchmarks" / "statistics_coverage.py"
COMMITTED = ROOT / "results" / "statistics"


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> dict:  # type: ignore[type-arg]
    out = tmp_path_factory.mktemp("coverage")
    subprocess.run(
        [sys.executable, str(SCRIPT), "--quick", "--out", str(out)], check=True, capture_output=True
    )
    assert (out / "coverage.md").read_text().startswith("# Statistics by simulation\n")
    return json.loads((out / "coverage.json").read_text())  # type: ignore[no-any-return]


@pytest.mark.slow
def test_vector_form_of_the_rule_is_that_of_the_library(quick: dict) -> None:  # type: ignore[type-arg]
    assert quick["library"]["largest_difference"] < 1e-12
    assert quick["library"]["flags_raised"] == 1


@pytest.mark.slow
def test_quick_run_is_near_every_target(quick: dict) -> None:  # type: ignore[type-arg]
    for row in quick["targets"]:  # 400 repeats: four standard errors at 95 % are 4.4 points
        low, high = row["target"]
        assert low - 0.06 <= row["smallest"]
        assert row["largest"] <= high + 0.06


def test_committed_results_are_of_a_full_run_and_hold_every_target() -> None:
    committed = json.loads((COMMITTED / "coverage.json").read_text())
    assert committed["command"] == "python benchmarks/statistics_coverage.py"
    assert committed["repeats"] >= 10_000
    assert [row["name"] for row in committed["targets"] if not row["holds"]] == []
    for row in committed["targets"]:
        low, high = row["target"]
        assert low <= row["smallest"]
        assert row["largest"] <= high


def test_committed_results_show_what_the_score_bound_mends() -> None:
    committed = json.loads((COMMITTED / "coverage.json").read_text())
    rows = [row for row in committed["false_verdicts"] if row["data"].startswith("seeds agree: ")]
    assert any("against 90%" in row["data"] for row in rows)
    assert max(row["rule"]["always"] for row in rows) <= 0.05 < max(row["normal"]["always"] for row in rows)
    one = next(row for row in committed["exact"] if "360" in row["case"] and row["level"] == 0.995)
    assert one["rule"]["false_verdict"] <= 0.005 < one["normal"]["false_verdict"]


def test_committed_results_show_that_an_auroc_needs_both_axes() -> None:
    rows = json.loads((COMMITTED / "coverage.json").read_text())["auroc"]
    assert min(row["both"] for row in rows) >= 0.93
    assert min(min(row["in_alone"], row["out_alone"]) for row in rows) < 0.85
    assert min(row["seeds_alone"] for row in rows) < 0.6


def test_committed_results_show_what_holds_on_harder_data_and_name_what_does_not() -> None:
    committed = json.loads((COMMITTED / "coverage.json").read_text())
    page = (COMMITTED / "coverage.md").read_text()
    for row in committed["hard"]:
        assert row["holds"] is (row["coverage"] >= 0.93)
        assert row["coverage"] >= row["normal"]  # the score bound only widens
    assert page.count("LIMIT |") == sum(not row["holds"] for row in committed["hard"])
    for row in committed["groups"]:
        assert row["false"] <= row["allowed"]
    (first,) = (row for row in committed["groups"] if "+78" in row["case"])
    assert first["power"] > 0.99
    assert committed["retyped"]["counted"] <= 0.05 < committed["retyped"]["reset"]


def test_committed_page_is_that_of_the_committed_numbers() -> None:
    code = (
        "import json, sys; sys.path.insert(0, 'benchmarks'); from _statistics_tables import markdown; "
        "made = markdown(json.load(open('results/statistics/coverage.json'))); "
        "assert made == open('results/statistics/coverage.md').read()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
