import pytest

from gradlab.report import claims_html, table_html
from gradlab.types import UserError
from tests.report.reading import Page
from tests.report.sample import claim, realistic, smallest


def test_claims_and_tables_are_fragments_with_their_style_and_no_ids():
    results = realistic()
    for html in (claims_html(results), table_html(results["tables"]["accuracy"])):
        page = Page(html)
        assert page.problems == []
        assert page.ids == []  # several cells of a notebook share one page
        assert "html" not in page.tags
        assert page.tags.count("style") == 1
        assert all(load.startswith("#") for load in page.loads)


def test_every_rule_of_the_style_is_kept_inside_the_fragment():
    style = claims_html(smallest()).split("<style>")[1].split("</style>")[0]
    heads = [line.split("{")[0] for line in style.splitlines() if "{" in line]
    assert heads
    assert all(h.strip().startswith((".gradlab", "@media")) for h in heads)


def test_texts_are_escaped_and_a_wrong_verdict_is_named():
    assert "<script>" not in claims_html({"claims": [claim(statement="<script>")]})
    with pytest.raises(UserError, match="no verdict"):
        claims_html({"claims": [claim(verdict="so-so")]})


def test_a_table_without_caption_or_display():
    page = Page(table_html({"columns": ["a"], "rows": [["<b>"], [None]]}))
    assert page.problems == []
    assert "<b>" in page.text
    assert "–" in page.text
