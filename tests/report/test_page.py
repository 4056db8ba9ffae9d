import copy
import json
import re
from functools import cache

import pytest

from gradlab.report import render_html, render_markdown
from gradlab.report.claims import agreement, facts, tally, whole
from gradlab.report.figures import _drawn
from gradlab.report.numbers import in_unit
from gradlab.report.tables import texts
from gradlab.types import UserError
from tests.report.reading import Page
from tests.report.sample import claim, lines, realistic, smallest

EVIL = "\"><script>alert(1)</script><img src=x onerror=y> & 'q' {{ 7 * 7 }} ]]>"


@cache
def html() -> str:
    return render_html(realistic())


def evil(value):
    """Put markup into every text of the results except those with a fixed set of words."""
    fixed = {"kind", "scale", "verdict", "unit", "status", "png", "columns", "predicts"}
    if isinstance(value, dict):
        return {k: v if k in fixed else evil(v) for k, v in value.items()}
    if isinstance(value, list):
        return [evil(v) for v in value]
    return value + EVIL if isinstance(value, str) else value


def nulled(value):
    """Set every number to null where null can stand."""
    if isinstance(value, dict):
        return {k: v if k in {"counts", "seeds", "seed", "png"} else nulled(v) for k, v in value.items()}
    if isinstance(value, list):
        return [nulled(v) for v in value]
    return None if isinstance(value, (int, float)) and not isinstance(value, bool) else value


@pytest.mark.parametrize("change", [lambda r: r, evil, nulled], ids=["as it is", "evil", "nulls"])
def test_a_page_is_well_formed_with_unique_ids_and_loads_nothing(change):
    page = Page(render_html(change(realistic())))
    assert page.problems == []
    assert len(page.ids) == len(set(page.ids))
    assert all(load.startswith(("#", "data:")) for load in page.loads)
    assert {load[1:] for load in page.loads if load.startswith("#")} <= set(page.ids)


def test_markup_in_any_text_stays_text():
    page = Page(render_html(evil(realistic())))
    assert page.tags.count("script") == 1  # ours
    assert page.tags.count("img") == 10  # the gallery's, none of ours
    assert page.text.count("{{ 7 * 7 }}") > 100
    assert "49" not in re.sub(r"[^{}]*\{\{ 7 \* 7 \}\}", "", page.text[:500])


def test_no_address_outside_the_page_but_the_name_of_svg():
    assert set(re.findall(r"https?://[^\"' <)]+", html())) == {"http://www.w3.org/2000/svg"}
    assert "@import" not in html()
    assert not re.search(r"url\((?!#)", html())


def test_the_same_results_give_the_same_bytes_whatever_went_before():
    results = realistic()
    before = copy.deepcopy(results)
    render_html(smallest(figures=[lines()]))
    _drawn.cache_clear()
    assert render_html(results) == html()
    assert render_html(json.loads(json.dumps(results))) == html()
    assert results == before


def test_the_page_is_small():
    assert len(html().encode()) < 400_000


def test_question_answer_claims_and_evidence_stand_on_the_page():
    results, page = realistic(), Page(html())
    wanted = [results["question"], results["answer"], results["background"], results["setting_text"]]
    wanted += [results["provenance"]["command"], "gradlab verify .", "4 supported", "10 to 24 more seeds"]
    for item in results["claims"]:
        wanted += [item["id"], item["statement"], item["explanation"], item["published"]["protocol"]]
    wanted += [flag for item in results["claims"] for flag in item.get("flags", [])]
    wanted += [run["record"] for run in results["runs"]] + [arm["layers"] for arm in results["arms"]]
    wanted += [f["caption"] for f in results["figures"]]
    missing = [text for text in wanted if " ".join(text.split()) not in page.text]
    assert missing == []


def test_every_number_of_the_tables_and_claims_stands_on_the_page():
    results, page = realistic(), Page(html())
    minus = page.text.replace("−", "-")
    for row in texts(results["tables"]["accuracy"]):
        estimate, bounds = row[3].split(" ", 1)
        assert all(text in page.text for text in (row[1], row[2], estimate, bounds, row[5]))
        assert row[4] in page.labels  # the dots' values
    for item in results["claims"]:
        for part in [item, *item.get("parts", [])]:
            shown = in_unit(part)
            for text in (shown.estimate, shown.interval, shown.delta):
                assert text.replace("^", "") in minus


def test_the_contents_name_the_sections_that_are_there():
    assert (
        Page(render_html(smallest())).text.startswith("What ranProvenanceHow to read")
        or "Claims" not in Page(render_html(smallest())).text.split("Does it work?")[0]
    )
    ids = Page(html()).ids
    assert {
        "claims",
        "setting",
        "tables",
        "figures",
        "evidence",
        "twins",
        "runs",
        "cost",
        "provenance",
        "glossary",
    } <= set(ids)


@pytest.mark.parametrize(
    "part",
    [
        "claims",
        "tables",
        "figures",
        "arms",
        "twins",
        "runs",
        "cost",
        "provenance",
        "parameters",
        "answer",
        "seeds",
    ],
)
@pytest.mark.parametrize("empty", [None, "absent"])
def test_a_part_that_is_not_there_is_left_out(part, empty):
    results = realistic()
    results["figures"] = results["figures"][-2:]  # the rest is slow to draw
    results["claims"] = [{**item, "figure": None} for item in results["claims"]]
    del results[part]
    if empty is None:
        results[part] = None
    assert Page(render_html(results)).problems == []


def test_one_seed_one_arm_and_no_interval():
    table = {"columns": ["arm", "a", "l", "h", "v"], "rows": [["one", 0.5, None, None, [0.5]]], "display": [
        {"header": "Arm", "kind": "text", "columns": ["arm"]},
        {"header": "A", "kind": "interval", "columns": ["a", "l", "h"], "scale": "percent"},
        {"header": "S", "kind": "points", "columns": ["v"], "scale": "percent"}]}  # fmt: skip
    item = claim(n=1, interval=None, verdict="open", sign_flip=None)
    page = Page(render_html(smallest(claims=[item], tables={"t": table})))
    assert page.problems == []
    assert "1 seed" in page.text
    assert "50.0%" in page.text


def test_nine_claims_thirty_arms_and_twenty_seeds():
    arms = [f"arm {i}" for i in range(30)]
    runs = [
        {"arm": a, "seed": s, "record": f"{a}{s}", "status": "finished", "trained": True}
        for a in arms
        for s in range(20)
    ]
    series = [{"name": a, "x": [1, 2, 3], "y": [0.1, 0.2, 0.3 + i / 60]} for i, a in enumerate(arms)]
    results = smallest(
        claims=[claim(id=f"C{i}") for i in range(9)], runs=runs, seeds=list(range(20)),
        figures=[lines(panels=[{"title": "", "series": series}])],
    )  # fmt: skip
    html = render_html(results)
    page = Page(html)
    assert page.problems == []
    assert html.count('<details class="claim supported"') == 9
    assert all(name in page.text for name in arms)


def test_two_figures_and_claims_of_one_name_have_different_ids():
    page = Page(render_html(smallest(figures=[lines(), lines()], claims=[claim(), claim()])))
    assert len(page.ids) == len(set(page.ids))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"figures": [{"kind": "pie"}]}, "no kind of figure"),
        ({"claims": [claim(verdict="maybe")]}, "no verdict"),
        (
            {"tables": {"t": {"columns": ["a"], "rows": [], "display": [{"kind": "bar", "columns": ["a"]}]}}},
            "no kind of table",
        ),
    ],
)
def test_an_unknown_word_is_one_sentence(more, message):
    with pytest.raises(UserError, match=message):
        render_html(smallest(**more))


def test_the_verdict_is_said_in_words_and_by_shape():
    for verdict in ("supported", "refuted", "open"):
        page = Page(render_html(smallest(claims=[claim(verdict=verdict)])))
        assert verdict.capitalize() in page.texts


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"agrees": True}, "agrees with the published claim."),
        ({"agrees": False, "predicts": "refuted"}, "does not agree .*expected: refuted"),
        ({"agrees": None, "same_setting": False}, "not comparable"),
        ({"agrees": None, "same_setting": True}, "open"),
    ],
)
def test_the_publication_is_compared_only_in_its_own_setting(more, sentence):
    assert re.match(sentence, agreement(claim(**more)))


def test_another_setting_is_named_on_the_card_and_for_the_whole_study():
    other = "epochs 3 instead of 21"
    page = Page(
        render_html(smallest(other_setting=other, claims=[claim(same_setting=False, other_setting=other)]))
    )
    assert f"other setting: {other}" in page.text
    assert f"Not the published setting: {other}" in page.text


def test_a_single_part_is_the_claim_itself():
    part = {
        "label": "depth 32",
        "unit": "fraction",
        "estimate": 0.4,
        "interval": [0.38, 0.42],
        "differences": [0.39, 0.41],
    }
    one, two = claim(parts=[part]), claim(parts=[part, part])
    assert whole(one)["measure"] == "test accuracy · depth 32"
    assert whole(one)["differences"] == [0.39, 0.41]
    assert [p["kind"] for p in whole(two)["parts"]] == ["more", "more"]
    assert whole(claim(parts=[{**part, "kind": "same"}, part]))["parts"][0]["kind"] == "same"
    cards = [render_html(smallest(claims=[c])) for c in (one, two)]
    assert [card.count('<div class="part ') for card in cards] == [0, 2]
    assert [card.count('<circle class="seed"') for card in cards] == [2, 4]


def test_runs_say_whether_they_learned_and_one_network_is_shown_once():
    """Results write `learned`; a certificate of one network stands under all seeds with the same record."""
    runs = [
        {"arm": arm, "seed": seed, "record": record, "status": "finished", "learned": learned}
        for arm, seed, record, learned in (
            ("a", 0, "a0", True), ("a", 1, "a1", False), ("b", 0, "b", True), ("b", 1, "b", True), ("c", 0, "c0", True),
        )
    ]  # fmt: skip
    given = smallest(runs=runs, seeds=[0, 1], arms=[{"name": "b", "label": "certificate"}])
    told = "4 runs: 3 learned, 1 did not learn. One run is one arm at one seed, or stands for all seeds where there is 1 network."
    for page in (Page(render_html(given)).text, render_markdown(given)):
        assert told in page
    assert "| a | ● | ○ |\n| certificate, 1 network | ● |  |\n| c | ● |  |" in render_markdown(given)


def test_facts_leave_out_what_is_not_known():
    assert dict(facts(claim(samples=None, sign_flip=0.03125))) == {
        "δ": "1 point", "seeds": "6", "level": "99.33%", "look": "1", "sign-flip p": "0.031",
    }  # fmt: skip


def test_the_tally_counts_in_a_fixed_order():
    verdicts = ["open", "supported", "open"]
    assert tally([claim(verdict=v) for v in verdicts]) == [("supported", 1), ("open", 2)]


LINK = "https://github.com/someone/lab-9"


@pytest.mark.parametrize(("link", "is_followed"), [(LINK, True), ("javascript:alert(1)", False), ("", False)])
def test_a_published_value_links_to_its_source_where_that_is_an_address(link, is_followed):
    results = copy.deepcopy(realistic())
    results["claims"][0]["published"] = {"value": "1", "source": "lab 9", "protocol": "p", "link": link}
    page, text = render_html(results), render_markdown(results)
    assert (f'<a href="{link}" rel="noopener noreferrer">lab 9</a>' in page) == is_followed
    assert (f"([lab 9]({link}))" in text) == is_followed
    assert "(lab 9)" in page or is_followed
    assert "docs/published.md" in page
    assert "docs/published.md" in text
    assert "javascript:" not in page + text


def test_signs_are_true_minus_signs_but_in_what_is_copied():
    results = copy.deepcopy(realistic())
    results["claims"][0]["explanation"] = "The interval [-1.5, 4.2] contains 1."
    results["provenance"]["command"] = "gradlab run x --shift -1"
    for page in (render_html(results), render_markdown(results)):
        assert "[−1.5, 4.2" in page.replace("\\", "")
        assert "--shift -1" in page
