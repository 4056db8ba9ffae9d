"""Names beside lines, values on hover, and axes that zoom."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradlab.report import draw, render_html
from gradlab.report._labels import apart, named_directly
from gradlab.report._lines import begins_late, zoomed
from gradlab.report._numbers_of_figure import alt_text
from gradlab.report._spots import MOST, some
from tests.report.reading import Page
from tests.report.sample import lines, smallest
from tests.report.sample_figures import every_kind

FIGURES = {figure["name"]: figure for figure in every_kind()}


def curves(*names, x=(1, 2, 3), y=(0.1, 0.2, 0.3), **more):
    series = [{"name": name, "x": list(x), "y": [v + i / 50 for v in y]} for i, name in enumerate(names)]
    return lines(panels=[{"title": "", "series": series}], **more)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9), st.floats(0.01, 0.11))
def test_names_keep_their_distance_their_order_and_the_axis(heights, gap):
    wanted = sorted(heights)
    found = apart(wanted, gap)
    assert len(found) == len(wanted)
    assert all(b - a >= gap - 1e-4 for a, b in pairwise(found))
    assert found[0] >= -1e-6
    assert found[-1] <= 1 + 1e-6


@given(st.lists(st.integers(0, 10), min_size=1, max_size=8, unique=True))
def test_names_that_are_far_enough_apart_stay_where_they_are(tenths):
    wanted = sorted(t / 10 for t in tenths)
    assert apart(wanted, 0.05) == pytest.approx(wanted)


def test_names_that_meet_stand_around_where_they_want_to_be():
    assert apart([0.5, 0.5], 0.2) == pytest.approx([0.4, 0.6])
    assert apart([0.3, 0.3, 0.9], 0.1) == pytest.approx([0.25, 0.35, 0.9])
    assert apart([1.0, 1.0], 0.2) == pytest.approx([0.8, 1.0])


def test_lines_bear_their_names_and_then_need_no_legend():
    page = render_html(smallest(figures=[curves("plain", "residual")]))
    assert 'class="legend"' not in page
    assert re.findall(r'<g data-s="(\d)"[^>]*><text[^>]*>(\w+)</text>', page) == [
        ("0", "plain"),
        ("1", "residual"),
    ]
    many = curves(*(f"arm {i}" for i in range(15)))
    assert 'class="legend"' in render_html(smallest(figures=[many]))


@pytest.mark.parametrize(
    ("figure", "direct"),
    [
        (curves("a", "b"), True),
        (curves("only one"), False),
        (curves("a", "b" * 41), False),
        (curves(*"abcdefghijklmn"), True),
        (curves(*"abcdefghijklmno"), False),
        (curves(*(f"a name of two lines {i}" for i in range(7))), True),
        (curves(*(f"a name of two lines {i}" for i in range(8))), False),
        (lines(panels=curves("a", "b")["panels"] * 2), True),
        (lines(panels=curves("a", "b")["panels"] * 3), False),
        (FIGURES["roc"], False),
        (FIGURES["attacked"], False),
    ],
)
def test_names_stand_beside_lines_where_there_is_room(figure, direct):
    assert named_directly(figure) is direct


def test_every_mark_tells_its_value_and_long_series_have_no_more_than_a_screenful():
    made = curves("plain", x=[1, 2], y=[0.1, 0.9])
    made["panels"][0]["series"][0] |= {"low": [0.05, 0.8], "high": [0.15, None]}
    svg = draw(made, panel=0)
    assert re.findall(r"<title>([^<]+)</title>", svg) == [
        "plain, epoch 1: 10.0% [5.0%, 15.0%]", "plain, epoch 2: 90.0% [80.0%, –]",
    ]  # fmt: skip
    places = [float(y) for y in re.findall(r'<circle data-s="0" cx="[\d.]+" cy="([\d.]+)"', svg)]
    assert places[0] > places[1]  # y grows downwards
    long = draw(curves("plain", x=range(500), y=[0.5] * 500), panel=0)
    assert 10 < long.count("<circle") <= MOST + 1
    assert "epoch 499:" in long


def test_a_mark_lies_on_what_it_names():
    svg = draw(curves("plain", x=[1, 3], y=[0.2, 0.7]), panel=0)
    hot = [
        tuple(map(float, pair)) for pair in re.findall(r'<circle data-s="0" cx="([\d.]+)" cy="([\d.]+)"', svg)
    ]
    drawn = re.search(r'<path d="M ([\d.]+) ([\d.]+) L ([\d.]+) ([\d.]+) ?"[^>]*stroke-width:1.8', svg)
    assert drawn
    x1, y1, x2, y2 = map(float, drawn.groups())
    assert hot == [
        (pytest.approx(x1, abs=0.11), pytest.approx(y1, abs=0.11)),
        (pytest.approx(x2, abs=0.11), pytest.approx(y2, abs=0.11)),
    ]


def test_positions_with_marks_hold_both_ends():
    for count in (0, 1, 24, 25, 1000):
        found = list(some(count))
        assert found == sorted(set(found))
        assert len(found) <= MOST + 1
        assert not count or (found[0] == 0 and found[-1] == count - 1)


def test_a_learning_curve_is_shown_from_where_its_later_half_lies_and_that_is_said():
    rising = [0.1] + [0.9 + i / 400 for i in range(20)]
    made = curves("plain", x=range(21), y=rising, y_axis=None) | {"y": {"label": "accuracy", "percent": True}}
    assert min(zoomed(made)) == pytest.approx(rising[10])
    assert begins_late(made)
    assert "their start lies below it" in Page(render_html(smallest(figures=[made]))).text
    for change in ({"percent": True, "range": [0, 1]}, {"percent": False}, {"percent": True, "scale": "log"}):
        assert not begins_late(made | {"y": {"label": "accuracy", **change}})
    at_chance = curves("plain", x=range(21), y=[0.1] * 21) | {"y": {"percent": True}}
    at_chance["panels"][0]["series"] += made["panels"][0]["series"]
    assert min(zoomed(at_chance)) == pytest.approx(0.1)  # one arm stays there: the axis must hold it


def test_a_row_of_a_dot_plot_is_lit_with_its_arms_lines_elsewhere():
    dots = {
        "name": "d", "kind": "points", "x": {"scale": "category"}, "y": {"label": "accuracy"},
        "panels": [{"title": "", "series": [{"name": "accuracy", "x": ["a", "b"], "y": [0.1, 0.2]}]}],
    }  # fmt: skip
    page = render_html(smallest(figures=[curves("a", "b"), dots]))
    own = page.split('id="figure-2-d"')[1]
    assert re.findall(r'<circle data-s="(\d)"[^>]*><title>(\w): ', own) == [("0", "a"), ("1", "b")]


def test_alt_texts_say_what_is_drawn():
    assert (
        alt_text(curves("plain", "residual")) == "Curve. Lines of accuracy against epoch, for plain, residual"
    )
    assert (
        alt_text(FIGURES["detection"])
        == "Which detector finds what. Heat map of AUROC by detector and foreign set"
    )
    assert "Bars of accuracy against attack, for plain, adversarial" in alt_text(FIGURES["attacked"])
    for made in every_kind():
        labels = Page(render_html(smallest(figures=[made]))).labels
        assert any(label.startswith(alt_text(made)) for label in labels)
