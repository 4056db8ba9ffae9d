"""A claim about one arm is read as the arm's measure and the bound asked; results stay as they are."""

import copy
import json
from pathlib import Path

import pytest

from gradlab.report import claims_html, render_html, render_markdown
from gradlab.report.claims import facts, meaning, whole
from gradlab.report.levels import arm_of, as_read, told
from gradlab.report.marks import claim_axis, interval_mark, part_axis, region
from tests.report.reading import Page
from tests.report.sample import claim, smallest

COMMITTED = sorted((Path(__file__).parents[2] / "results").glob("*/results.json"))


def part(label="AUROC - 78 %", **more):
    """A part with an estimate 9.1 points above 78 %."""
    made = claim(
        label=label, measure="AUROC", delta=0.02, estimate=0.091, interval=[-0.133, 0.22], verdict="open",
        differences=[0.0, 0.182], level=0.9956, reading="nothing is ruled out", explanation="The 99.56 % interval [-13.3, 22.0] "
        "percentage points contains 2 percentage points, so the claim is open.",
    )  # fmt: skip
    return made | more


def results(*parts, weights=({"noise": 1.0},), constants=(-0.78,), **more):
    """Results with one claim of these parts, whose contrasts are given."""
    shown = parts[0] if len(parts) == 1 else {**parts[-1], "weakest": parts[-1]["label"]}
    contrasts = [{"weights": w, "constant": c, "log": False} for w, c in zip(weights, constants, strict=True)]
    designed = [{"label": p["label"], "contrast": c} for p, c in zip(parts, contrasts, strict=True)]
    made = {**shown, "id": "L-1", "parts": list(parts), **more}
    arms = [{"name": "noise", "label": "CNN, max softmax, noise"}]
    return smallest(claims=[made], arms=arms, design={"claims": [{"id": "L-1", "parts": designed}]})


def test_an_arm_against_a_constant_is_read_as_its_measure_and_the_bound():
    given = results(
        part(), more_seeds="32 more seeds would support the claim if the difference stays as measured"
    )
    before = copy.deepcopy(given)
    (read,) = as_read(given)
    assert given == before
    assert told(read) == "87.1 % [64.7, 100.0], asked: above 80 %"
    assert (read["reading"], read["measure"]) == ("may lie above or below 80 %", "AUROC")
    assert read["explanation"] == "The 99.56 % interval [64.7, 100.0] contains 80 %, so the claim is open."
    assert read["differences"] == pytest.approx([0.78, 0.962])
    assert read["more_seeds"].endswith("if the value stays as measured")
    assert whole(read)["measure"] == "AUROC · CNN, max softmax, noise"


@pytest.mark.parametrize(
    ("kind", "weight", "constant", "interval", "verdict", "shown", "asked", "reading"),
    [
        ("more", 1.0, -0.73, [-0.28, -0.24], "refuted", "47.0 % [45.0, 49.0]", "above 75 %", "below 75 %"),
        ("more", 1.0, -0.73, [0.04, 0.06], "supported", "78.0 % [77.0, 79.0]", "above 75 %", "above 75 %"),
        ("more", -1.0, 0.35, [0.17, 0.35], "supported", "9.0 % [0.0, 18.0]", "below 33 %", "below 33 %"),
        ("more", -1.0, 0.35, [-0.35, -0.17], "refuted", "61.0 % [52.0, 70.0]", "below 33 %", "above 33 %"),
        ("not less", 1.0, -0.5, [-0.01, 0.01], "supported", "50.0 % [49.0, 51.0]", "above 48 %", "above 48 %"),
        ("not less", -1.0, 0.5, [-0.05, -0.03], "refuted", "54.0 % [53.0, 55.0]", "below 52 %", "above 52 %"),
        ("same", 1.0, -0.5, [-0.01, 0.01], "supported", "50.0 % [49.0, 51.0]", "between 48 % and 52 %", "between 48 % and 52 %"),
        ("same", -1.0, 0.5, [-0.05, -0.03], "refuted", "54.0 % [53.0, 55.0]", "between 48 % and 52 %", "above 52 %"),
        ("same", 1.0, -0.5, [-0.05, -0.03], "refuted", "46.0 % [45.0, 47.0]", "between 48 % and 52 %", "below 48 %"),
        ("same", 1.0, 0.0, [-0.01, 0.03], "open", "1.0 % [−1.0, 3.0]", "between −2 % and 2 %", "may lie above or below 2 %"),
    ],
)  # fmt: skip
def test_kinds_and_signs(kind, weight, constant, interval, verdict, shown, asked, reading):
    made = part(kind=kind, interval=interval, estimate=sum(interval) / 2, verdict=verdict)
    (read,) = as_read(results(made, weights=({"noise": weight},), constants=(constant,)))
    assert told(read) == f"{shown}, asked: {asked}"
    assert read["reading"].replace("-", "−") == reading
    says = {
        "supported": f"entirely {reading}, as claimed.",
        "refuted": f"entirely {reading}: the claim does not hold.",
    }
    assert (
        read["explanation"]
        .replace("-", "−")
        .endswith(says.get(verdict, "contains 2 %, so the claim is open."))
    )
    low, high = region(read)
    inside = low < read["interval"][0] and read["interval"][1] < high
    assert inside == (verdict == "supported")


def test_other_units_and_what_has_no_interval():
    similar = part(unit="", delta=0.01, estimate=0.013, interval=[0.0072, 0.018])
    (read,) = as_read(results(similar, constants=(-0.94,)))
    assert told(read) == "0.9530 [0.9472, 0.9580], asked: above 0.95"
    (read,) = as_read(
        results(part(unit="epochs", delta=1.0, estimate=3.0, interval=[2.5, 3.5]), constants=(-9.0,))
    )
    assert told(read) == "12.00 epochs [11.50, 12.50], asked: above 10 epochs"
    (read,) = as_read(
        results(part(unit="decades", delta=1.0, estimate=-4.0, interval=[-4.5, -3.5]), constants=(0.0,))
    )
    assert told(read) == "10^−4.0 [10^−4.5, 10^−3.5], asked: above 10^1"
    for estimate, says in (
        (0.091, "87.1 %, no interval, asked: above 80 %"),
        (None, "–, –, asked: above 80 %"),
    ):
        bare = part(estimate=estimate, interval=[None, None], explanation="One seed gives no interval.")
        (read,) = as_read(results(bare))
        assert told(read) == says
        assert read["explanation"] == "One seed gives no interval."
        assert read["reading"] == (
            "nothing is ruled out" if estimate is None else "whether above 80 % is open"
        )
        assert meaning(read)[-1] == "No interval can be given, so the claim stays open."


def test_differences_ratios_and_results_without_a_design_stay_as_they_are():
    for weights in ({"a": 1.0, "b": -1.0}, {"a": 0.5}):
        given = results(part(), weights=(weights,), constants=(0.0,))
        assert as_read(given) == given["claims"]
    assert as_read({"claims": [part()]}) == [part()]
    assert arm_of({"weights": {"a": 1.0}, "log": True}) is None


def test_a_claim_of_several_parts_names_the_one_that_decides():
    beats = claim(label="grad-cam - edges", measure="gap", reading="better")
    same = part(
        "1/2 - similarity with the map", measure="similarity", delta=0.05, estimate=-0.36, interval=[-0.38, -0.35],
        verdict="refuted", reading="smaller: not yet for the claim",
    )  # fmt: skip
    given = results(
        beats, same, weights=({"a": 1.0, "b": -1.0}, {"noise": -1.0}), constants=(0.0, 0.5),
        explanation=f"Not in every part: {same['label']}: The 99.85 % interval [-38, -35] lies below 5.",
        more_seeds="1/2 - similarity with the map: 5 more seeds",
    )  # fmt: skip
    (read,) = as_read(given)
    assert told(read) == "86.0 % [85.0, 88.0], asked: similarity below 45 %"
    assert read["reading"] == "grad-cam - edges: better; similarity: above 45 %: not yet for the claim"
    assert read["explanation"] == (
        "Not in every part: similarity: The 99.85 % interval [85.0, 88.0] lies entirely above 45 %: the claim does not hold."
    )
    assert read["more_seeds"] == "similarity: 5 more seeds"
    assert [told(one) for one in read["parts"]] == [
        "+40.0 points [+38.0, +42.0]", "86.0 % [85.0, 88.0], asked: below 45 %",
    ]  # fmt: skip
    difference, level = read["parts"]
    assert part_axis(read["parts"], level) == claim_axis([level])
    assert part_axis(read["parts"], difference) == claim_axis([difference])
    three = part("depth 2"), part("depth 8", verdict="supported", interval=[0.05, 0.1])
    (read,) = as_read(results(*three, weights=({"noise": 1.0},) * 2, constants=(-0.78,) * 2))
    assert read["reading"] == "depth 2: may lie above or below 80 %; depth 8: above 80 %"
    assert told(read).endswith("asked: depth 8 above 80 %")


def test_page_markdown_and_notebook_show_the_measure_and_never_the_remainder():
    given = results(part())
    for page in (
        Page(render_html(given)).text,
        Page(claims_html(given)).text,
        render_markdown(given).replace("\\", ""),
    ):
        assert "87.1 %" in page
        assert "[64.7, 100.0]" in page
        assert "above 80 %" in page
        assert "The claim holds where the true value lies above 80 %." in page
        assert "AUROC · CNN, max softmax, noise" in page
        assert "points" not in page.split("How to read")[0]
        assert "- 78" not in page.replace("−", "-")
    assert ("asked", "above 80 %") in facts(as_read(given)[0])


def test_a_line_names_the_part_that_its_numbers_are_of_and_keeps_the_sign_of_per_cent():
    parts = claim(label="a - b"), claim(label="c - d")
    both = {"weights": ({"a": 1.0, "b": -1.0},) * 2, "constants": (0.0,) * 2}
    html = render_html(results(*parts, statement="Over 95 % of the images.", **both))
    assert "Over 95\u00a0% of the images." in html
    assert "Over 95 % of the images. +40.0 points [+38.0, +42.0] c - d" in Page(html).text
    assert "asked: above 80\u00a0%" in render_html(results(part()))


def test_the_mark_has_the_bound_and_no_zero():
    (read,) = as_read(results(part()))
    mark = str(interval_mark(read, None))
    assert 'class="zero"' not in mark
    assert ">80 %</text>" in mark
    assert 'aria-label="87.1 %, interval [64.7, 100.0], asked: above 80 %"' in mark
    assert 0.4 < claim_axis([read]).low < 0.647


def test_committed_levels_lie_where_their_verdicts_say():
    found = []
    for path in COMMITTED:
        for one in as_read(json.loads(path.read_text())):
            for part in one["parts"]:
                if "against" not in part:
                    continue
                (low, high), (first, last) = part["interval"], region(part)
                says = {True: "supported", False: "open"}[first < low and high < last]
                assert part["verdict"] == ("refuted" if high < first or low > last else says), (
                    path,
                    one["id"],
                )
                assert part["measure"] != "test accuracy" or 0 <= low <= part["estimate"] <= high <= 1
                found.append(one["id"])
    assert len(found) >= 25
