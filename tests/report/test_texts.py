"""Texts in reports: every character drawn, boxes behind the words that they belong to, and told in words."""

import json
import re
from xml.etree import ElementTree

import pytest

from gradlab.report import draw, render_html, render_markdown
from gradlab.report._texts import ACROSS, HIGH, MOST, WIDE
from gradlab.types import UserError
from tests.report.browser import CHROMIUM, Browser
from tests.report.sample import smallest
from tests.report.sample_figures import texts

SVG = "{http://www.w3.org/2000/svg}"


def drawn(item):
    root = ElementTree.fromstring(draw(texts(item)))
    return ["".join(one.itertext()) for one in root.iter(f"{SVG}text")], list(root.iter(f"{SVG}rect"))


def spans(text, values):
    return [
        [one.start(), one.end(), value] for one, value in zip(re.finditer(r"\S+", text), values, strict=True)
    ]


def test_all_that_is_written_is_drawn_in_lines_that_fit():
    text = " ".join(["a splendid & <rare> film"] * 12) + " " + "x" * (ACROSS + 5)
    lines, _ = drawn({"text": text, "label": "bad", "prediction": "good", "words": []})
    assert lines[0] == "bad → good"
    assert "".join(lines[1:]).replace(" ", "") == text.replace(" ", "")
    assert max(map(len, lines)) <= ACROSS
    assert "x" * ACROSS in lines
    assert len("".join(drawn({"text": "y " * MOST, "words": []})[0][1:])) <= MOST


def test_a_box_lies_behind_its_word_and_is_as_dark_as_the_word_counts():
    text = "dull but " + "very " * 20 + "short"
    values = [-0.5, 0.0, *[0.25] * 20, 1.0]
    lines, boxes = drawn({"text": text, "label": "a", "words": spans(text, values)})
    assert len(boxes) == len(values)
    for box, (start, end, value) in zip(boxes, spans(text, values), strict=True):
        line, column = (int(box.get("y")) - 1) // HIGH, (int(box.get("x")) - 4) // WIDE
        assert lines[line][column:].startswith(text[start:end])
        assert int(box.get("width")) == WIDE * (end - start)
        assert float(box.get("fill-opacity")) == pytest.approx(0.6 * abs(value), abs=0.01)
        assert box[0].text == f"{value:+.3f}"
    assert boxes[0].get("fill") != boxes[-1].get("fill") == boxes[5].get("fill")


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here")
def test_in_a_page_every_box_covers_its_word_whatever_the_font(tmp_path):
    """The page has a font of its own for drawings, whose letters differ in width."""
    text = "iiiiii illicit WWWWWW will , mmmm 你好 naïve 👩 fill . MMMM"
    item = {"text": text, "label": "a", "words": spans(text, [0.5] * len(text.split()))}
    page = tmp_path / "page.html"
    page.write_text(render_html(smallest(figures=[texts(item)])), encoding="utf-8")
    with Browser() as browser:
        browser.open(page)
        found = browser.do(
            "JSON.stringify([...document.querySelectorAll('.drawn.texts svg')].map(svg => ["
            "[...svg.querySelectorAll('rect')].map(one => [one.x.baseVal.value, one.width.baseVal.value]),"
            "[...svg.querySelectorAll('tspan')].filter(one => one.textContent.trim()).map(one => ["
            "one.textContent, one.getStartPositionOfChar(0).x, one.getComputedTextLength()])]))"
        )
    ((boxes, words),) = json.loads(found)
    assert [word for word, _, _ in words] == text.split()
    for (left, width), (word, start, long) in zip(boxes, words, strict=True):
        assert start == pytest.approx(left, abs=0.5), word
        assert long == pytest.approx(width, abs=1.0), word


def test_a_page_draws_them_and_markdown_names_the_words_that_add_most():
    text = "a <b>splendid</b> film"
    item = {
        "text": text,
        "label": "good",
        "prediction": "bad",
        "note": "seed 0",
        "words": spans(text, [0.1, -2.0, 0.3]),
    }
    page = render_html(smallest(figures=[texts(item)]))
    assert ">&lt;b&gt;splendid&lt;/b&gt;</tspan>" in page
    assert "<b>splendid" not in page
    told = render_markdown(smallest(figures=[texts(item)]))
    assert "good → bad · seed 0" in told
    assert told.index("−2.00") < told.index("+0.30") < told.index("+0.10")


def test_no_texts_are_an_empty_drawing_and_a_kind_nearby_is_suggested():
    assert ElementTree.fromstring(draw({"name": "t", "kind": "texts", "items": []})).tag == f"{SVG}svg"
    with pytest.raises(UserError, match="did you mean 'texts'"):
        draw({"kind": "text"})
