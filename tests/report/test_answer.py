"""What the page says first: key figure, claims as lines, what a verdict means, terms, citation, policy."""

import base64
import hashlib
import re

import pytest

from gradlab.report import draw, render_html, render_markdown
from gradlab.report._citation import citation
from gradlab.report._terms import TERMS
from gradlab.report.claims import facts, meaning, sentence
from gradlab.report.page import key_figure
from gradlab.statistics import judge, sign_flip
from gradlab.statistics.sign_flip import smallest_p
from gradlab.types import UserError
from tests.report.reading import Page
from tests.report.sample import claim, lines, realistic, smallest


def test_the_key_figure_stands_before_the_claims_and_only_there():
    html = render_html(realistic())
    assert (
        html.index('id="figure-1-accuracy-by-depth"')
        < html.index('id="claims"')
        < html.index('id="figure-2-')
    )
    assert html.count('id="figure-1-accuracy-by-depth"') == 1
    named = render_html(realistic() | {"key_figure": "learning-curves"})
    assert (
        named.index('id="figure-2-learning-curves"')
        < named.index('id="claims"')
        < named.index('id="figure-1-')
    )


def test_a_key_figure_or_a_claims_figure_that_is_not_there_is_one_sentence():
    with pytest.raises(UserError, match="did you mean 'curve'"):
        render_html(smallest(figures=[lines()], key_figure="curv"))
    with pytest.raises(UserError, match="did you mean 'curve'"):
        render_html(smallest(figures=[lines()], claims=[claim(figure="curv")]))
    assert key_figure(smallest()) is None


def test_a_claim_is_a_line_with_verdict_statement_interval_and_estimate_that_unfolds():
    html = render_html(smallest(claims=[claim()]))
    line = re.search(r"<details class=\"claim supported\".*?<summary>(.*?)</summary>", html, re.DOTALL)
    assert line
    shown = Page(f"<p>{line[1]}</p>").text
    assert shown.startswith("Supported Plain nets fail with depth.")
    assert "+40.0 points [+38.0, +42.0]" in shown
    assert '<svg class="interval supported"' in line[1]
    assert "<details open" not in html


def test_a_claim_leads_to_its_figure_and_says_its_reading():
    page = render_html(smallest(figures=[lines()], claims=[claim(figure="curve", reading="worse")]))
    assert '<a href="#figure-1-curve">See the figure: Curve</a>' in page
    assert '<p class="reading">Worse.</p>' in page
    assert "**Worse.**" in render_markdown(smallest(claims=[claim(reading="worse")]))


@pytest.mark.parametrize(
    ("kind", "verdict", "words"),
    [
        ("more", "supported", ["above +1 point", "+40.0 points", "All of it lies where the claim holds: the claim is supported"]),
        ("same", "refuted", ["between −1 point and +1 point", "where the claim does not hold: the claim is refuted"]),
        ("not less", "open", ["above −1 point", "these data cannot decide, and the claim stays open"]),
    ],
)  # fmt: skip
def test_what_a_verdict_means_is_said_for_each_kind_of_claim(kind, verdict, words):
    told = " ".join(meaning(claim(kind=kind, verdict=verdict)))
    assert all(text in told for text in words), told
    assert "The mean over 6 seeds is" in told
    page = Page(render_html(smallest(claims=[claim(kind=kind, verdict=verdict)])))
    assert "What does this mean?The claim asks for" in page.text
    assert f"- What this means: {told.split('[')[0][:40]}" in render_markdown(
        smallest(claims=[claim(kind=kind, verdict=verdict)])
    )


def test_a_claim_of_one_seed_without_interval_is_explained_too():
    told = meaning(claim(n=1, interval=None, verdict="open"))
    assert told[1] == "One seed gave +40.0 points."
    assert told[-1] == "No interval can be given, so the claim stays open."
    assert meaning(claim(estimate=None, interval=None, delta=None)) == [
        "No interval can be given, so the claim stays open."
    ]


def test_every_fact_of_a_claim_explains_itself():
    item = claim(sign_flip=0.03, seed_share=0.5, degrees_of_freedom=5)
    html = render_html(smallest(claims=[item]))
    names = [name for name, _ in facts(item)]
    assert len(names) == 8
    for name in names:
        assert f'<abbr title="{TERMS[name][0].replace("’", "’")}">{name}</abbr>' in html.replace(
            "&#39;", "'"
        ), name


def test_the_sign_flip_test_is_explained_as_it_is_computed():
    short, long = TERMS["sign-flip p"]
    for words in (short, long):
        assert "two-sided" in words
        assert "2^(1-n)" in words
        assert "one-sided" not in words
    assert "the nearer one is tested" in long
    assert f"{smallest_p(6):.3f} with six seeds" in long
    assert smallest_p(5) > 0.05 > smallest_p(6)  # fewer than six never get below it
    values = [0.011, 0.012, 0.013, 0.02, 0.021, 0.022]
    judged = judge(values, delta=0.01, kind="same")
    assert judged.sign_flip_boundary == 0.01  # the nearer of the two
    assert judged.sign_flip == sign_flip(values, 0.01) == smallest_p(6)


def test_sentences_begin_with_a_capital_and_end_with_a_stop():
    assert [sentence(text) for text in ("a b", "A!", " c. ")] == ["A b.", "A!", "C."]


def test_a_report_is_cited_by_what_it_holds_and_special_characters_are_escaped():
    entry = citation(realistic())
    assert entry.startswith(
        "@misc{gradlab-residual-mlp-mnist,\n  title = {Residual connections in deep MLPs: Do residual"
    )
    assert "gradlab 0.1.0, commit 4f2c1d9, study residual-mlp on mnist, preset standard, 6 seeds" in entry
    assert "howpublished = {gradlab run residual-mlp --data mnist --preset standard}," in entry
    assert r"50\% \& more" in citation(smallest(question="50% & more"))
    assert "howpublished" not in citation(smallest())


def test_the_policy_names_the_one_script_and_allows_nothing_to_be_loaded():
    html = render_html(realistic())
    script = re.search(r"<script>(.*?)</script>", html, re.DOTALL)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', html)
    assert script
    assert policy
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    rules = policy[1].replace("&#39;", "'").split("; ")
    assert rules == [
        "default-src 'none'", f"script-src 'sha256-{digest}'", "style-src 'unsafe-inline'", "img-src data:",
        "base-uri 'none'", "form-action 'none'",
    ]  # fmt: skip
    assert html.index("Content-Security-Policy") < html.index("<style>")
    assert not re.search(r"\son\w+=", re.sub(r"<script>.*?</script>", "", html, flags=re.DOTALL))
    assert not re.search(r"https?:|fetch|XMLHttp|import\(", script[1])


def test_the_forest_shades_each_row_where_its_claim_holds():
    figure = {"name": "f", "kind": "forest", "title": "F"}
    made = [
        claim(id=kind, kind=kind, estimate=0.0, interval=[-0.005, 0.005])
        for kind in ("more", "same", "not less")
    ]
    svg = draw(figure, made)
    spans = []
    for path in re.findall(r'<path d="([^"]+)"[^>]*style="fill:#e4e9f0', svg):
        xs = [float(x) for x in re.findall(r"[ML] ?(-?[\d.]+) ", path)]
        spans.append((min(xs), max(xs)))
    ticks = {
        text: float(x)
        for x, text in re.findall(r'<text[^>]*?(?: x="|translate\()([\d.]+)[^>]*>([−+]1δ|0)</text>', svg)
    }
    right = max(high for _, high in spans)
    middle = ticks["0"]
    unit = ticks["+1δ"] - middle
    wanted = [(middle + unit, right), (middle - unit, middle + unit), (middle - unit, right)]
    assert spans == [(pytest.approx(low, abs=0.5), pytest.approx(high, abs=0.5)) for low, high in wanted]
    with pytest.raises(UserError, match="no kind of claim"):
        draw(figure, [claim(kind="less")])
