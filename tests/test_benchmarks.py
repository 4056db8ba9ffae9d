"""The table of benchmarks: ratios by hand, what became slower, what is said where a peer is missing."""

import json
import re
import subprocess
import sys

import pytest

from tests.pages import ROOT

FOLDER = ROOT / "benchmarks"


@pytest.fixture(scope="module")
def scripts():
    """The modules `_rows` and `table`, as the scripts import them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        import _rows
        import table

        yield _rows, table
    for name in ("_rows", "table"):
        del sys.modules[name]


def found(scripts, **ratios):
    """As bench.json would be, with one row for each name; gradlab takes 2 ms."""
    rows, _ = scripts
    made = [
        rows.row(what, {"gradlab": [2.0], "peer": [2.0 * ratio]}, "peer") for what, ratio in ratios.items()
    ]
    about = rows.machine()
    bench = {
        "settings": "",
        "date": "2026-01-01",
        "machine": about,
        "rows": [one.as_record() for one in made],
    }
    return {"benches": {"text": bench}}


def test_a_row_has_medians_of_the_times_and_of_the_ratios_of_the_rounds(scripts):
    rows, _ = scripts
    times = {"gradlab": [1.0, 2.0, 4.0], "peer": [3.0, 4.0, 20.0], "least": [0.5, 1.0, 1.0]}
    one = rows.row("task", times, "peer", floor="least", at_least=3, floors=1.9)
    assert (one.gradlab, one.others, one.ratio, one.low, one.high) == (2.0, 4.0, 3.0, 2.0, 5.0)
    assert one.over_floor == 2.0
    assert one.aim == "at least 3 times, at most 1.9 floors"
    assert one.is_met is False  # the ratio is reached, the floor is not


@pytest.mark.parametrize(
    ("aims", "met"),
    [({}, None), ({"at_least": 2}, True), ({"at_least": 2.1}, False), ({"at_most": 1.5}, True),
     ({"at_most": 0.9}, False), ({"at_least": 2, "at_most": 0.9}, False)],
)  # fmt: skip
def test_an_aim_is_for_the_ratio_or_for_gradlabs_own_amount(scripts, aims, met):
    rows, _ = scripts
    assert rows.row("task", {"gradlab": [1.0], "peer": [2.0]}, "peer", **aims).is_met is met


def test_sides_take_turns_and_warm_rounds_do_not_count(scripts):
    rows, _ = scripts
    order = []

    def side(name):
        return lambda: order.append(name) or float(len(order))

    times = rows.in_turns({"a": side("a"), "b": side("b")}, 2)
    assert order == ["a", "b"] * 3
    assert times == {"a": [3.0, 5.0], "b": [4.0, 6.0]}


def test_what_became_slower_is_named_and_ends_with_one(scripts, tmp_path, capsys):
    _, table = scripts
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(json.dumps(found(scripts, step=3.0, features=2.0, gone=1.0)))
    new.write_text(json.dumps(found(scripts, step=2.5, features=1.9)))
    assert table.main(["--read", str(new), "--compare", str(old)]) == 1
    told = capsys.readouterr().out
    assert "slower: text, step: 3.00 times as fast as peer before, 2.50 now" in told
    assert "features" not in told
    assert "text, gone, beside peer: not measured now" in told
    assert table.main(["--read", str(new), "--compare", str(old), "--tolerance", "1.25"]) == 0
    assert "No line became slower by a factor of 1.25." in capsys.readouterr().out


def test_a_missing_peer_is_said_and_other_lines_are_kept(scripts, tmp_path, capsys):
    _, table = scripts
    (tmp_path / "bench.json").write_text(json.dumps(found(scripts, step=3.0)))
    assert table.main(["--only", "attacks", "--peers", str(tmp_path / "none"), "--out", str(tmp_path)]) == 0
    assert "peer not here" in capsys.readouterr().out
    page = (tmp_path / "bench.md").read_text()
    assert "| text | step | 2 ms | peer: 6 ms | 3.00 (3.00 to 3.00) |" in page
    assert re.search(r"^- attacks: peer not here: no environment .*none/attacks$", page, re.MULTILINE)
    assert "Measured 2026-01-01: " in page


def test_every_script_that_tells_rows_is_a_line_of_the_table(scripts):
    _, table = scripts
    telling = {
        path.name for path in FOLDER.glob("[a-z]*.py") if re.search(r"^    +tell\(", path.read_text(), re.M)
    }
    assert {bench.script for bench in table.BENCHES.values()} == telling
    assert len(telling) == 15


def test_a_script_writes_rows_that_the_table_takes(scripts, tmp_path):
    _, table = scripts
    out = tmp_path / "rows.json"
    command = [sys.executable, str(FOLDER / "stacked_seeds.py"), "--rounds", "1", "--steps", "1"]
    subprocess.run([*command, "--out", str(out)], check=True, capture_output=True)
    bench = json.loads(out.read_text())
    assert len(bench["rows"]) == 4
    assert bench["machine"]["torch"]
    page = table.markdown({"benches": {"stacked seeds": bench | {"date": "2026-01-01"}}})
    assert page.count("| stacked seeds | a step of 6 stacked seeds") == 4
    for one in bench["rows"]:
        assert one["ratio"] == pytest.approx(one["others"] / one["gradlab"])
        assert one["over_floor"] == pytest.approx(6 / one["ratio"])
