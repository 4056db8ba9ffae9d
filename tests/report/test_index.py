import json

from gradlab.report.index import render_index, write_index
from tests.report.sample import realistic


def put(folder, name, **changes):
    (folder / name).mkdir()
    (folder / name / "results.json").write_text(json.dumps(realistic() | changes))


def test_every_report_stands_there_with_question_answer_and_verdicts_the_latest_first(tmp_path):
    put(tmp_path, "older", question="Is it old?", provenance={"date": "2026-01-01"})
    put(tmp_path, "newer", question="Is it <b>new</b>?", answer="It is.", provenance={"date": "2026-02-01"})
    page = write_index(tmp_path).read_text()
    assert "2 reports" in page
    assert page.index("newer/report.html") < page.index("older/report.html")
    assert "Is it &lt;b&gt;new&lt;/b&gt;?" in page
    assert "It is." in page
    assert page.count('class="tally"') == 2


def test_what_cannot_be_read_is_left_out(tmp_path):
    put(tmp_path, "good")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "results.json").write_text("[")
    assert "1 report<" in render_index(tmp_path)


def test_an_empty_folder_says_how_to_make_a_report(tmp_path):
    assert "gradlab run tour" in render_index(tmp_path)


def test_the_list_loads_and_runs_nothing(tmp_path):
    page = render_index(tmp_path)
    assert "default-src 'none'" in page
    assert "<script" not in page
