import csv
import io
import json

import numpy as np
import pandas as pd
import pytest

from gradlab.report._view import table_view
from gradlab.report.tables import (
    CELLS,
    cell_text,
    display_of,
    latex_number,
    latex_text,
    table_csv,
    table_latex,
    texts,
)
from gradlab.types import UserError
from tests.report.sample import realistic

EXAMPLES = {
    "text": ([True], "yes"),
    "int": ([12345], "12,345"),
    "number": ([0.12345], "0.1235"),
    "percent": ([0.5], "50.0%"),
    "interval": ([0.5, 0.4, 0.6], "0.50 [0.40, 0.60]"),
    "points": ([[1.0, None, 2.5]], "1 – 2.5"),
    "ratio": ([3, 6], "3 of 6"),
}


def test_every_kind_of_cell_is_written_and_there_are_seven():
    assert len(CELLS) == 7
    assert set(EXAMPLES) == set(CELLS)
    for kind, (values, text) in EXAMPLES.items():
        assert cell_text({"kind": kind}, values) == text
        assert len(values) == CELLS[kind][0]


@pytest.mark.parametrize("kind", list(CELLS))
def test_null_is_a_dash_in_every_kind(kind):
    assert cell_text({"kind": kind}, [None] * CELLS[kind][0]) == "–"


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ({"header": "A", "kind": "percant", "columns": ["a"]}, "did you mean 'percent'"),
        ({"header": "A", "kind": "interval", "columns": ["a"]}, "reads 3 column"),
        ({"header": "A", "kind": "int", "columns": ["aa"]}, "did you mean 'a'"),
        ({"header": "A", "kind": "number", "columns": ["a"], "scale": "kilo"}, "no scale is called 'kilo'"),
    ],
)
def test_a_wrong_display_is_answered_with_a_sentence(column, message):
    with pytest.raises(UserError, match=message):
        display_of({"columns": ["a"], "rows": [], "display": [column]})


def test_a_table_without_display_shows_its_columns_as_they_are():
    table = {"columns": ["a", "b", "c"], "rows": [["x", 1.5, [1, 2]], [None, None, None]]}
    assert [c["kind"] for c in display_of(table)] == ["text", "number", "points"]
    assert list(texts(table)) == [["x", "1.5", "1 2"], ["–", "–", "–"]]


@pytest.mark.parametrize(
    ("told", "folded"),
    [
        (["a"], []),
        (["a", "learned"], []),
        (["a", "b", "learned"], ["each seed"]),
        (["a", "parameters", "networks", "learned"], ["networks", "learned"]),
        (["a", "b", "c", "learned"], ["learned", "each seed"]),
    ],
    ids=str,
)
def test_a_wide_table_folds_what_counts_networks_rather_than_all_that_was_measured(told, folded):
    display = [
        {"header": "arm", "kind": "text", "columns": ["arm"]},
        *({"header": name, "kind": "text", "columns": [name]} for name in told),
        {"header": "accuracy", "kind": "interval", "columns": ["mean", "low", "high"]},
        {"header": "each seed", "kind": "points", "columns": ["seeds"]},
    ]
    columns = ["arm", *told, "mean", "low", "high", "seeds"]
    row = ["x", *("y" for _ in told), 0.5, 0.4, 0.6, [0.5]]
    view = table_view({"columns": columns, "rows": [row], "display": display})
    assert view["folded"] == folded
    assert [head["text"] for head in view["heads"] if head.get("folded")] == folded
    assert [bool(cell.get("folded")) for cell in view["rows"][0]] == [
        bool(head.get("folded")) for head in view["heads"]
    ]


def test_csv_round_trips_through_pandas_at_full_precision():
    table = realistic()["tables"]["accuracy"]
    frame = pd.read_csv(io.StringIO(table_csv(table)))
    assert list(frame.columns) == table["columns"]
    for i, name in enumerate(table["columns"]):
        raw = [row[i] for row in table["rows"]]
        read = [json.loads(v) for v in frame[name]] if name == "values" else frame[name].tolist()
        assert read == raw


def test_csv_keeps_commas_quotes_line_breaks_and_nulls():
    table = {"columns": ["a", "b"], "rows": [['x,"y"\nz', None], ["w", 0.1 + 0.2]]}
    rows = list(csv.reader(io.StringIO(table_csv(table))))
    assert rows == [["a", "b"], ['x,"y"\nz', ""], ["w", "0.30000000000000004"]]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
def test_a_text_that_a_spreadsheet_would_run_is_defused_and_a_number_is_not(start):
    formula = f"{start}HYPERLINK(1)"
    table = {"columns": [formula, "n"], "rows": [[formula, -1.5]]}
    head, row = list(csv.reader(io.StringIO(table_csv(table), newline="")))
    assert head == [f"'{formula}", "n"]
    assert row == [f"'{formula}", "-1.5"]


def test_a_lone_carriage_return_breaks_no_row():
    table = {"columns": ["a", "b"], "rows": [["x\ry", 1], ["\r=1", 2]]}
    assert list(csv.reader(io.StringIO(table_csv(table), newline=""))) == [
        ["a", "b"],
        ["x\ny", "1"],
        ["\n=1", "2"],
    ]


def test_a_column_has_one_precision_that_suits_most_of_its_rows():
    columns = [
        {"header": "A", "kind": "interval", "columns": ["a", "l", "h"], "scale": "percent"},
        {"header": "N", "kind": "number", "columns": ["n"]},
    ]
    rows = [[0.5, 0.45, 0.55, 1.5], [0.9, 0.88, 0.92, 12.25], [0.1, 0.1, 0.1001, 0.5]]
    table = {"columns": ["a", "l", "h", "n"], "rows": rows, "display": columns}
    assert [row[0] for row in texts(table)] == [
        "50.0% [45.0, 55.0]",
        "90.0% [88.0, 92.0]",
        "10.0% [10.0, 10.0]",
    ]
    assert [row[1] for row in texts(table)] == ["1.50", "12.25", "0.50"]
    narrow = {
        **table,
        "rows": [[0.9, 0.8995, 0.9005, 1e-5], [0.8, 0.7995, 0.8005, 1.0], [0.5, 0.4, 0.6, 2.0]],
    }
    assert [row[0] for row in texts(narrow)][2] == "50.00% [40.00, 60.00]"
    assert [row[1] for row in texts(narrow)] == ["1e-05", "1", "2"]  # too many decades for one precision


def test_latex_escapes_every_special_character():
    assert latex_text("a&b%c$d#e_f{g}h~i^j\\k") == (
        r"a\&b\%c\$d\#e\_f\{g\}h\textasciitilde{}i\textasciicircum{}j\textbackslash{}k"
    )
    assert latex_number("10^-12.3 [10^-12.9, 10^2]") == "$10^{-12.3}$ [$10^{-12.9}$, $10^{2}$]"
    assert latex_number("-1.2") == "$-$1.2"


def test_latex_has_a_row_per_arm_as_many_cells_as_columns_and_leaves_points_out():
    table = realistic()["tables"]["accuracy"]
    text = table_latex(table, "accuracy")
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert len(rows) == 1 + 12
    assert {row.count(" & ") for row in rows} == {4}
    assert r"\begin{tabular}{lrrrr}" in text
    assert r"\label{tab:accuracy}" in text
    assert "Each seed" not in text
    assert text.count("{") == text.count("}")


def test_numbers_of_the_table_agree_with_a_plain_mean():
    table = realistic()["tables"]["accuracy"]
    for row, shown in zip(table["rows"], texts(table), strict=True):
        assert shown[3].startswith(f"{100 * np.mean(row[-1]):.1f}%")
