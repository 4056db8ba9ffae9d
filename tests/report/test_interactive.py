"""The page in a headless Chromium: values on hover, an arm lit, tables sorted and filtered, texts copied, nothing asked for."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gradlab.report import write_report
from tests.report.browser import CHROMIUM, Browser
from tests.report.sample import realistic
from tests.report.sample_figures import every_kind

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium on the PATH; install Debian's package chromium"
)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    results = realistic()
    results["figures"] += every_kind()
    return write_report(results, tmp_path_factory.mktemp("report"))


@pytest.fixture
def browser(page: Path) -> Iterator[Browser]:
    with Browser() as opened:
        opened.open(page)
        yield opened
        assert opened.logs == []  # neither an error nor a refusal of the policy
        asked = [address for address in opened.requests if not address.startswith("data:")]
        assert {address.split("#")[0] for address in asked} == {page.resolve().as_uri()}


def test_the_first_screen_holds_question_answer_counts_and_the_whole_key_figure(browser: Browser) -> None:
    bottom = "Math.round(document.querySelector('{}').getBoundingClientRect().bottom)"
    for selector in ("h1", ".answer", ".tally", "figure.first .plot"):
        assert 0 < browser.do(bottom.format(selector)) <= 800, selector


def test_the_first_printed_page_holds_question_answer_counts_and_the_whole_key_figure(
    browser: Browser,
) -> None:
    millimetre = 96 / 25.4
    browser.ask("Emulation.setEmulatedMedia", media="print")
    browser.ask(
        "Emulation.setDeviceMetricsOverride",
        width=round(180 * millimetre),
        height=1000,
        deviceScaleFactor=1,
        mobile=False,
    )  # A4 without its margins
    bottom = browser.do("document.querySelector('figure.first .plot').getBoundingClientRect().bottom")
    assert bottom <= 265 * millimetre
    heights = browser.do("[...document.querySelectorAll('details.claim > summary')].map(s => s.offsetHeight)")
    assert len(heights) == 6
    assert min(heights) > 20  # every claim is a line on paper as well
    assert browser.do("document.querySelector('button.copy').offsetHeight") == 0


def test_the_page_is_short_with_claims_folded_on_screen_and_paper(browser: Browser) -> None:
    browser.do(
        "document.querySelectorAll('.figures figure').forEach((f, i) => i > 4 && f.remove())"
    )  # as in the study
    assert browser.do("document.documentElement.scrollHeight") <= 6 * 800
    printed = base64.b64decode(browser.ask("Page.printToPDF", preferCSSPageSize=True)["data"])
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 6


def test_nothing_is_wider_than_the_window_or_a_phone(browser: Browser) -> None:
    for width in (1100, 390):
        browser.ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False
        )
        assert browser.do("document.documentElement.scrollWidth") <= width


def test_a_value_shows_where_the_pointer_rests_and_goes_with_it(browser: Browser) -> None:
    browser.point("figure.first .hot circle:nth-child(3)")
    browser.until("!document.getElementById('tip').hidden")
    told = browser.do("document.getElementById('tip').textContent")
    assert re.fullmatch(r"plain, depth \(linear layers\) 32: 1\d\.\d% \[\d+\.\d%, \d+\.\d%\]", told)
    browser.point("figure.first .hot circle")  # here three lines meet
    browser.until("document.getElementById('tip').textContent.includes('linear layers) 2: ')")
    lines = browser.do("document.getElementById('tip').textContent").split("\n")
    assert sorted(line.rpartition(", depth")[0] for line in lines) == [
        "plain",
        "residual, one layer",
        "residual, two layers",
    ]
    browser.point("h1")
    browser.until("document.getElementById('tip').hidden")


def test_a_cell_of_a_heat_map_tells_its_value(browser: Browser) -> None:
    browser.point(".heat g[data-tip]")
    browser.until("!document.getElementById('tip').hidden")
    assert browser.do("document.getElementById('tip').textContent").startswith(
        "maximum softmax, near: 8 and 9: 78.1%"
    )


def test_an_arm_is_lit_in_all_figures_and_stays_lit_after_a_click(browser: Browser) -> None:
    dim = """(() => {
        const of = (n) => [...document.querySelectorAll(`.drawn g[data-s="${n}"]`)].map(e => getComputedStyle(e).opacity);
        return [Math.min(...of(1)), Math.max(...of(0))]; })()"""
    figures = "new Set([...document.querySelectorAll('.drawn g[data-s=\"1\"].on')].map(e => e.closest('figure').id)).size"
    browser.do("document.querySelectorAll('[data-s]').forEach(e => { e.style.transition = 'none'; })")
    assert browser.do(dim) == [1, 1]
    browser.point('.legend [data-s="1"]')
    browser.until("document.querySelector('main').classList.contains('lit')")
    lit, other = browser.do(dim)
    assert lit == 1
    assert other < 0.5
    assert browser.do(figures) == 3  # accuracy by depth, learning curves, gradient norms
    browser.point("h1")
    browser.until("!document.querySelector('main').classList.contains('lit')")
    browser.point('.legend [data-s="1"]', "click")
    browser.point("h1")
    assert browser.do("document.querySelector('main').classList.contains('lit')")
    assert (
        browser.do("document.querySelector('.legend [data-s=\"1\"]').getAttribute('aria-pressed')") == "true"
    )
    browser.point('.legend [data-s="1"]', "click")
    browser.point("h1")
    browser.until("!document.querySelector('main').classList.contains('lit')")


def test_a_legend_is_worked_with_the_keyboard(browser: Browser) -> None:
    browser.do("document.querySelector('.legend [data-s=\"2\"]').focus()")
    browser.ask(
        "Input.dispatchKeyEvent",
        type="keyDown",
        key="Enter",
        code="Enter",
        windowsVirtualKeyCode=13,
        text="\r",
    )
    browser.until("document.querySelector('main').classList.contains('lit')")
    assert browser.do("document.querySelector('.drawn g[data-s=\"2\"]').classList.contains('on')")


COLUMN = (
    "[...document.querySelectorAll('#tables ~ .scroll tbody tr')].map(r => r.cells[{}].textContent.trim())"
)


def test_a_table_is_sorted_by_number_up_and_down(browser: Browser) -> None:
    heads = browser.do(
        "[...document.querySelectorAll('#tables ~ .scroll thead th .head')].map(h => h.textContent)"
    )
    depth, accuracy = heads.index("Depth"), heads.index("Test accuracy")
    head = "#tables ~ .scroll thead th:nth-child({}) button"
    browser.point(head.format(depth + 1), "click")
    assert browser.do(COLUMN.format(depth)) == ["2"] * 3 + ["8"] * 3 + ["32"] * 3 + ["64"] * 3
    browser.point(head.format(accuracy + 1), "click")
    rising = [float(text.split("%")[0]) for text in browser.do(COLUMN.format(accuracy))]
    assert rising == sorted(rising)
    browser.point(head.format(accuracy + 1), "click")
    assert [float(text.split("%")[0]) for text in browser.do(COLUMN.format(accuracy))] == rising[::-1]
    assert browser.do("document.querySelectorAll('th[aria-sort]').length") == 1
    browser.point(head.format(1), "click")
    names = browser.do(COLUMN.format(0))
    assert names == sorted(names)


def test_a_long_table_is_filtered(browser: Browser) -> None:
    browser.do("document.getElementById('runs').open = true")
    count = "[...document.querySelectorAll('#runs table.sortable tbody tr')].filter(r => !r.hidden).length"
    assert browser.do(count) == 72
    browser.do("document.querySelector('#runs input.filter').focus()")
    browser.ask("Input.insertText", text="plain 64")
    assert browser.do(count) < 72
    shown = browser.do(
        "[...document.querySelectorAll('#runs table.sortable tbody tr')].filter(r => !r.hidden).map(r => r.textContent)"
    )
    assert shown
    assert all("plain" in text and "64" in text for text in shown)


def test_commands_and_the_citation_are_copied(browser: Browser, page: Path) -> None:
    results = json.loads((page.parent / "results.json").read_text(encoding="utf-8"))
    browser.do(
        "navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); }"
    )
    browser.do("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    for where, wanted in (
        ("#setting ~ details", results["provenance"]["command"]),
        ("#citation", "@misc{gradlab-residual-mlp-mnist,"),
    ):
        browser.point(f"{where} button.copy", "click")
        browser.until(f"document.querySelector('{where} button.copy').textContent === 'Copied'")
        assert browser.do("window.copied").startswith(wanted)
    browser.do("navigator.clipboard.writeText = () => Promise.reject(new Error('not allowed'))")
    browser.do("document.execCommand = (what) => { window.way = what + getSelection().toString(); }")
    browser.until("document.querySelector('#evidence ~ .copied button').textContent === 'Copy'")
    browser.point("#evidence ~ .copied button", "click")
    browser.until("document.querySelector('#evidence ~ .copied button').textContent === 'Copied'")
    assert browser.do("window.way") == "copygradlab verify ."


@pytest.mark.slow
def test_claims_open_one_by_one_all_at_once_and_by_their_address(browser: Browser) -> None:
    opened = "document.querySelectorAll('details.claim[open]').length"
    assert browser.do(opened) == 0
    browser.point("details.claim summary .statement", "click")
    assert browser.do(opened) == 1
    browser.point("button.all", "click")
    assert browser.do(opened) == 6
    browser.point("button.all", "click")
    assert browser.do(opened) == 0
    browser.do("location.hash = 'claim-3-c003-02'")
    browser.until(f"{opened} === 1")
    assert browser.do("document.getElementById('claim-3-c003-02').open")


def test_a_claim_leads_to_its_figure(browser: Browser) -> None:
    links = browser.do(
        "[...document.querySelectorAll('details.claim a[href^=\"#figure\"]')].map(a => a.getAttribute('href'))"
    )
    assert links == ["#figure-1-accuracy-by-depth", "#figure-2-learning-curves"]


def test_further_columns_unfold(browser: Browser) -> None:
    width = "document.querySelector('#tables ~ .scroll th:nth-child(6)').offsetWidth"
    assert browser.do(width) == 0
    browser.point("details.more summary", "click")
    assert browser.do(width) > 0


def test_without_script_everything_is_there_and_values_are_titles(page: Path) -> None:
    with Browser() as bare:
        bare.ask("Emulation.setScriptExecutionDisabled", value=True)
        bare.open(page)
        tree = bare.ask("DOM.getDocument", depth=-1)
        html = bare.ask("DOM.getOuterHTML", nodeId=tree["root"]["nodeId"])["outerHTML"]
    assert "<title>plain, depth (linear layers) 2: 9" in html
    assert "<button" not in html.split("<script>")[0]
    assert 'id="tip"' not in html


def test_the_policy_refuses_any_other_script(page: Path, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8").replace("</main>", "<script>window.foreign = 1</script></main>")
    (tmp_path / "changed.html").write_text(text, encoding="utf-8")
    with Browser() as other:
        other.open(tmp_path / "changed.html")
        assert other.do("window.foreign") is None
        assert any("Content Security Policy" in line for line in other.logs)
