import json
import math
import os
import re
from xml.etree import ElementTree

import pytest

from gradlab.report import render_html, render_markdown, table_csv, write_report
from gradlab.types import UserError
from tests.report.sample import lines, realistic, smallest


def test_a_report_is_a_folder_of_the_page_and_all_it_was_made_from(tmp_path):
    results = realistic()
    path = write_report(results, tmp_path / "new" / "folder")
    files = sorted(str(p.relative_to(path.parent)) for p in path.parent.rglob("*") if p.is_file())
    drawn = [f"figures/{figure['name']}.svg" for figure in results["figures"]]
    assert files == sorted(
        ["report.html", "report.md", "results.json", "tables/accuracy.csv", "tables/accuracy.tex", *drawn]
    )
    assert path.read_text(encoding="utf-8") == render_html(results)
    assert (path.parent / "report.md").read_text(encoding="utf-8") == render_markdown(results)
    assert json.loads((path.parent / "results.json").read_text(encoding="utf-8")) == results
    assert (path.parent / "tables/accuracy.csv").read_text() == table_csv(results["tables"]["accuracy"])


def test_writing_again_gives_the_same_bytes_and_leaves_nothing_beside(tmp_path):
    write_report(realistic(), tmp_path)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    write_report(realistic(), tmp_path)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_a_table_name_cannot_leave_the_folder(tmp_path):
    table = {"columns": ["a"], "rows": [[1]]}
    write_report(smallest(tables={"../../up": table, "///": table}), tmp_path / "in")
    names = sorted(p.name for p in (tmp_path / "in" / "tables").iterdir())
    assert names == ["table.csv", "table.tex", "up.csv", "up.tex"]
    assert [p.name for p in tmp_path.iterdir()] == ["in"]


def test_every_figure_lies_beside_the_text_that_shows_it(tmp_path):
    page = write_report(realistic(), tmp_path)
    shown = re.findall(r"\]\((figures/[^)]+)\)", (tmp_path / "report.md").read_text(encoding="utf-8"))
    assert shown[0] == "figures/accuracy-by-depth.svg"  # the key figure, at the top
    assert sorted(set(shown)) == sorted(str(p.relative_to(page.parent)) for p in tmp_path.glob("figures/*"))
    for path in tmp_path.glob("figures/*"):
        root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
        assert root[0].get("fill") == "#ffffff"
        assert "var(--" not in path.read_text(encoding="utf-8")


@pytest.mark.slow
def test_two_figures_of_one_name_and_names_that_leave_the_folder_are_files_of_their_own(tmp_path):
    figures = [lines(), lines(), lines(name="../../up"), lines(name="///")]
    write_report(smallest(figures=figures), tmp_path / "in")
    names = sorted(p.name for p in (tmp_path / "in" / "figures").iterdir())
    assert names == ["curve-1.svg", "curve-2.svg", "figure.svg", "up.svg"]


def test_what_cannot_be_shown_leaves_the_old_report_as_it_was(tmp_path):
    path = write_report(smallest(), tmp_path)
    before = path.read_bytes()
    with pytest.raises(UserError, match="kind of figure"):
        write_report(smallest(figures=[{"kind": "pie"}], question="New?"), tmp_path)
    assert path.read_bytes() == before


def test_nan_is_refused_with_what_to_write_instead(tmp_path):
    with pytest.raises(UserError, match="write null"):
        write_report(smallest(level=math.nan), tmp_path)


def test_a_folder_that_is_a_file_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match=r"could not be written .* --out"):
        write_report(smallest(), tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_failed_write_keeps_the_old_file_and_no_rest(tmp_path, monkeypatch):
    path = write_report(smallest(), tmp_path)
    before = path.read_bytes()

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="No space left"):
        write_report(smallest(question="New?"), tmp_path)
    assert path.read_bytes() == before
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]
