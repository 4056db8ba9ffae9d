import re
from functools import cache

from gradlab.report import render_markdown
from gradlab.report.markdown import escape
from gradlab.report.numbers import in_unit, minus
from gradlab.report.tables import texts
from tests.report.sample import claim, lines, realistic, smallest


@cache
def markdown() -> str:
    return render_markdown(realistic())


def rows_of(text: str) -> list[list[str]]:
    return [re.split(r"(?<!\\)\|", line)[1:-1] for line in text.splitlines() if line.startswith("|")]


def test_the_same_results_give_the_same_text():
    assert render_markdown(realistic()) == markdown()


def test_every_row_of_every_table_has_as_many_cells_as_its_head():
    evil = "a|b\nc"
    table = {"columns": ["a", evil], "rows": [[evil, 1], [None, 2]]}
    text = render_markdown(smallest(tables={"t": table}, claims=[claim(statement=evil)]))
    for block in [*markdown().split("\n\n"), *text.split("\n\n")]:
        rows = rows_of(block)
        assert len({len(row) for row in rows}) <= 1
    assert text.count("a\\|b c") >= 3


def test_numbers_are_those_of_the_page():
    results = realistic()
    for row in texts(results["tables"]["accuracy"]):
        assert "| " + " | ".join(row) + " |" in markdown()
    for item in results["claims"]:
        shown = in_unit(item)
        assert minus(shown.both) in markdown()


def test_markup_is_escaped():
    assert escape("<script> *x* _y_ `z` [a](b) #") == "&lt;script&gt; \\*x\\* \\_y\\_ \\`z\\` \\[a\\](b) \\#"
    text = render_markdown(smallest(question="<script>alert(1)</script>", answer="<img src=x>"))
    assert "<script" not in text
    assert "<img" not in text


def test_a_command_cannot_leave_its_block():
    text = render_markdown(smallest(provenance={"command": "gradlab run ```\n# oops"}))
    assert "\n# oops" not in text
    assert "````sh" in text


def test_a_figure_is_its_caption_and_a_small_table():
    text = render_markdown(smallest(figures=[lines()]))
    assert "Look at it." in text
    assert "| 1 | 10.0% |" in text.replace("|  |", "|")
    assert "| 2 | 90.0% |" in text


def test_a_long_figure_shows_its_last_position_only():
    series = {"name": "a", "x": list(range(21)), "y": [i / 20 for i in range(21)]}
    text = render_markdown(smallest(figures=[lines(panels=[{"title": "depth 2", "series": [series]}])]))
    assert "| depth 2 | 20 | 100.0% |" in text
    assert "45.0%" not in text


def test_matrix_and_gallery_are_told_in_words():
    assert "4 → 9 29×" in markdown()
    assert "- 0 → 3 · 99.9% · seed 0" in markdown()


def test_the_smallest_results_give_a_short_text():
    assert render_markdown(smallest()).startswith("# Does it work?\n")
