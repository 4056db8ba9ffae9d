"""Points, bars, heat maps and histograms: where they put what, and how they tell it in numbers."""

import copy
import math
import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from matplotlib.figure import Figure

from gradlab.report import draw, render_html, render_markdown
from gradlab.report._axes import measure_axis, place_axis
from gradlab.report._heat import _shades
from gradlab.report._numbers_of_figure import figure_table
from gradlab.report._points import sorted_categories
from gradlab.report._reference import near, reference_note
from gradlab.report._theme import INK, PALETTE
from gradlab.types import UserError
from tests.report.reading import Page
from tests.report.sample import smallest
from tests.report.sample_figures import every_kind

SVG = "{http://www.w3.org/2000/svg}"
FIGURES = {figure["name"]: figure for figure in every_kind()}


def texts(svg: str) -> list[str]:
    return ["".join(t.itertext()).strip() for t in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def height_of(svg: str, text: str) -> float:
    """Return where a text stands in an SVG, from the top."""
    found = re.search(rf"<text[^>]*?translate\([\d.]+ ([\d.]+)\)[^>]*>{re.escape(text)}</text>", svg)
    if found is None:
        found = re.search(rf'<text[^>]* y="([\d.]+)"[^>]*>{re.escape(text)}</text>', svg)
    assert found, text
    return float(found[1])


def panel(**series):
    return {"title": "", "series": [{"name": "a", "low": None, "high": None, "points": None, **series}]}


def figure(kind, *panels, **more):
    x, y = more.pop("x", {"label": "x"}), more.pop("y", {"label": "y"})
    return {"name": "f", "kind": kind, "title": "F", "x": x, "y": y, "panels": list(panels), **more}


def rects(svg: str, color: str) -> list[tuple[float, float]]:
    """Return top and bottom of every path of matplotlib filled with a colour."""
    found = re.findall(rf'<path d="([^"]+)"[^>]*style="fill:{color}', svg)
    spans = []
    for path in found:
        heights = [float(n) for n in re.findall(r"[ML] ?-?[\d.]+ (-?[\d.]+)", path)]
        spans.append((min(heights), max(heights)))
    return spans


def test_a_dot_plot_sorts_each_panel_by_value_with_the_largest_on_top():
    first, second = FIGURES["activations"]["panels"]
    means = dict(zip(second["series"][0]["x"], second["series"][0]["y"], strict=True))
    assert [means[name] for name in sorted_categories({}, second)] == sorted(means.values())
    assert sorted_categories({}, second)[0] == "sigmoid"
    assert sorted_categories({}, first)[0] != "sigmoid"
    svg = draw(FIGURES["activations"], panel=1)
    assert height_of(svg, "elu") < height_of(svg, "tanh") < height_of(svg, "sigmoid")


def test_categories_with_an_order_of_their_own_stand_in_it_from_above():
    content = {"title": "", "series": [{"name": "", "x": ["b", "last", "a", "new"], "y": [1, 3, 2, 9]}]}
    given = {"x": {"scale": "category", "ordered": ["a", "b", "last"]}}
    assert sorted_categories(given, content)[::-1] == ["a", "b", "last", "new"]
    figures = [figure("points", content, x=x) for x in (given["x"], {"scale": "category"})]
    assert draw(figures[0]) != draw(figures[1])


def test_a_category_without_a_value_comes_last_and_is_no_error():
    content = panel(x=["b", "a", "c"], y=[0.2, None, 0.1])
    assert sorted_categories({}, content) == ["a", "c", "b"]
    svg = draw(figure("points", content, x={"scale": "category"}))
    assert height_of(svg, "b") < height_of(svg, "c") < height_of(svg, "a")
    assert "nan" not in svg.lower()


def test_a_dot_plot_names_its_measure_below_and_each_panel_zooms_for_itself():
    svg = [draw(FIGURES["activations"], panel=i) for i in (0, 1)]
    assert all("test accuracy" in texts(one) for one in svg)
    assert "50%" not in texts(svg[0])
    assert "60%" in texts(svg[1])
    page = Page(render_html(smallest(figures=[FIGURES["activations"]])))
    assert "↑" not in page.text


def test_a_scatter_has_a_mark_for_each_seed_and_intervals_along_both_axes():
    content = panel(
        x=[1.0], y=[2.0], low=[1.0], high=[3.0], x_low=[0.53], x_high=[1.47], points=[[0.9, 1.9], [1.1, 2.1]]
    )
    svg = draw(figure("points", content))
    assert svg.count("<use ") >= 3
    bare = draw(
        figure("points", {**content, "series": [{**content["series"][0], "x_low": None, "x_high": None}]})
    )
    strokes = [one.count(f"stroke:{PALETTE[0]};stroke-width:1.6") for one in (svg, bare)]
    assert strokes[0] == strokes[1] + 1  # a horizontal line more
    flat = re.search(r'<path d="M ([\d.]+) ([\d.]+) L ([\d.]+) \2 "[^>]*stroke-width:1.6', svg)
    middle = re.findall(r'<use [^>]*x="([\d.]+)" y="([\d.]+)"', svg)
    assert (float(flat[1]) + float(flat[3])) / 2 in [pytest.approx(float(x), abs=0.1) for x, _ in middle]


def test_bars_stand_on_zero_and_are_as_high_as_their_values():
    content = panel(x=["a", "b"], y=[0.7, 0.8], points=[["b", 0.8]])
    svg = draw(figure("bars", content, x={"scale": "category"}), panel=0)
    (top_a, foot_a), (top_b, foot_b) = rects(svg, PALETTE[0])
    assert foot_a == foot_b
    assert (foot_b - top_b) / (foot_a - top_a) == pytest.approx(8 / 7, rel=0.01)
    assert "0.0" in texts(svg)
    dot = re.search(r'<use [^>]*y="([\d.]+)" style="fill:' + INK, svg)
    assert float(dot[1]) == pytest.approx(top_b, abs=0.2)  # a seed of the very height


def test_every_bar_of_a_group_has_a_place_of_its_own():
    series = [panel(x=["a"], y=[1.0])["series"][0] | {"name": name} for name in "pqr"]
    svg = draw(figure("bars", {"title": "", "series": series}, x={"scale": "category"}), panel=0)
    starts = re.findall(r'<path d="M ?([\d.]+)[^"]*"[^>]*style="fill:#', svg)
    assert len(set(starts)) >= 3


def test_bars_over_numbers_are_refused():
    with pytest.raises(UserError, match='"scale": "category"'):
        draw(figure("bars", panel(x=[1, 2], y=[1, 2]), x={"scale": "log"}))


def test_a_histogram_with_the_wrong_number_of_edges_is_refused_on_page_and_in_markdown():
    wrong = figure("histogram", panel(edges=[0, 1], density=[1.0, 2.0]))
    for make in (draw, lambda f: render_markdown(smallest(figures=[f]))):
        with pytest.raises(UserError, match="2 densities needs 3 edges, got 2"):
            make(wrong)


def test_quantiles_of_a_histogram_are_those_of_its_mass():
    # mass 0.25 on [0, 1], 0.75 on [1, 3]: half the mass lies below 1 + 2 * (0.25 / 0.75)
    made = figure("histogram", panel(edges=[0, 1, 3], density=[2.5, 3.75]))  # the same when it is not normed
    row = figure_table(made)["rows"][0]
    assert row[0] == "a"
    assert [float(text) for text in row[1:]] == pytest.approx(
        [0.2, 1.0, 1 + 2 / 3, 1 + 4 / 3, 1 + 2 * 0.7 / 0.75], rel=1e-3
    )
    empty = figure("histogram", panel(edges=[0, 1], density=[0.0]))
    assert figure_table(empty)["rows"][0][1:] == ["–"] * 5


def test_a_heat_map_is_strongest_where_the_value_is_largest_and_empty_where_there_is_none():
    shades = _shades([[0.5, 0.75], [1.0, None]])
    assert shades == [[0.04, pytest.approx(0.29)], [0.54, 0.0]]
    assert _shades([[1.0, 1.0]])[0] == [pytest.approx(0.29)] * 2
    assert _shades([[None]]) == [[0.0]]


def test_a_heat_map_shows_value_and_interval_in_each_cell():
    made = FIGURES["detection"]
    shown = texts(draw(made))
    for i, row in enumerate(made["values"]):
        for j, value in enumerate(row):
            if value is not None:
                assert f"{100 * value:.1f}%" in shown
                assert f"[{100 * made['low'][i][j]:.1f}, {100 * made['high'][i][j]:.1f}]" in shown
    assert "–" in shown
    assert {"AUROC", "78.1%", "99.8%", *made["rows"], *made["columns"]} <= set(shown)


def test_a_heat_map_of_many_columns_is_shades_that_still_tell_their_values():
    names = [str(i) for i in range(40)]
    made = {
        "name": "h",
        "kind": "heat",
        "rows": ["a"],
        "columns": names,
        "values": [[i / 40 for i in range(40)]],
    }
    svg = draw(made)
    assert "<title>a, 20: 0.50</title>" in svg
    assert "0.50" not in texts(svg)


def test_words_left_of_a_heat_map_of_short_rows_are_not_cut_off():
    grid = {"rows": ["1", "10"], "columns": ["a", "b"], "values": [[0.1, 0.2], [0.3, 0.4]]}
    made = {"name": "h", "kind": "heat", **grid, "y": {"label": "temperature"}, "value_label": "AUROC, mean"}
    ends = {
        "".join(text.itertext()): float(text.get("x", 0))
        for text in ElementTree.fromstring(draw(made)).iter(f"{SVG}text")
        if text.get("text-anchor") == "end"
    }
    assert {"temperature ↓", "AUROC, mean", "10"} <= set(ends)
    assert all(end > 6.2 * len(text) for text, end in ends.items())  # a letter of 11 px is about 6 wide


@pytest.mark.parametrize("values", [[0, 0.001, 0.002, 0.004], [0, 5, 10], [0, 0.25, 1], [1e6, 3e6], [2, 2]])
@pytest.mark.parametrize("width", [3.1, 5.2])
def test_numbers_of_ticks_do_not_touch_in_narrow_panels(values, width):
    canvas = Figure(figsize=(width, 2.6), dpi=72, layout="constrained")
    axes = canvas.subplots()
    place_axis(axes, figure("lines", panel(x=values, y=[0.5] * len(values))), None)
    canvas.draw_without_rendering()
    low, high = axes.get_xlim()
    shown = [label for label in axes.get_xticklabels() if low <= label.get_position()[0] <= high]
    boxes = [label.get_window_extent() for label in shown if label.get_text()]
    assert 2 <= len(boxes) <= 8
    assert all(b.x0 - a.x1 > 2 for a, b in pairwise(boxes))


def test_a_heat_map_that_does_not_fill_its_grid_is_refused():
    for change in ({"values": [[0.1]]}, {"low": [[0.1, 0.2]]}, {"rows": []}):
        made = {"kind": "heat", "rows": ["a", "b"], "columns": ["c"], "values": [[0.1], [0.2]], **change}
        for make in (draw, figure_table):
            with pytest.raises(UserError, match="heat map of"):
                make(made)


def test_chance_is_drawn_inside_the_axis_or_named_at_its_border():
    reference = {"lines": [{"axis": "y", "value": 0.1, "label": "chance"}], "diagonal": False}
    near_by = draw(figure("lines", panel(x=[1, 2], y=[0.2, 0.9]), reference=reference))
    assert "chance" in texts(near_by)
    far = draw(figure("lines", panel(x=[1, 2], y=[0.93, 0.97]), y={"percent": True}, reference=reference))
    assert "chance 10% ↓" in texts(far)
    assert "chance" not in texts(far)
    assert not any(t in ("0%", "20%", "50%") for t in texts(far))  # the axis still zooms


@pytest.mark.parametrize(("value", "kept"), [(0.41, True), (0.39, False), (1.39, True), (1.41, False)])
def test_a_reference_widens_an_axis_by_a_third_at_most(value, kept):
    made = {"y": {}, "reference": {"lines": [{"axis": "y", "value": value, "label": "r"}]}}
    assert near(made, "y", [0.6, 0.9, 1.2, None, math.nan]) == ([value] if kept else [])
    assert near(made, "x", [0.6, 1.2]) == []


def test_on_a_log_axis_a_reference_is_measured_in_decades():
    made = {"y": {"scale": "log"}, "reference": {"lines": [{"axis": "y", "value": 1e-4, "label": "r"}]}}
    assert near(made, "y", [1e-3, 1.0]) == [1e-4]
    assert near(made, "y", [1e-2, 1.0]) == []
    made["reference"]["lines"][0]["value"] = 0.0
    assert near(made, "y", [1e-3, 1.0]) == []


def test_the_diagonal_of_a_roc_curve_is_drawn_and_said():
    with_it = draw(FIGURES["roc"])
    without = draw(FIGURES["roc"] | {"reference": None})
    assert "x = y" in texts(with_it)
    assert "x = y" not in texts(without)
    assert "the diagonal x = y" in str(reference_note(FIGURES["roc"]))
    assert reference_note({"reference": None}) is None


def test_the_numbers_of_a_dot_plot_stand_in_the_order_of_its_rows():
    rows = figure_table(FIGURES["activations"])["rows"]
    shown = [float(row[2].split("%")[0]) for row in rows if row[0] == "ten hidden layers"]
    assert shown == sorted(shown, reverse=True)
    assert rows[-1][1] == "sigmoid"


@pytest.mark.parametrize("name", list(FIGURES))
def test_every_figure_is_told_in_numbers_with_its_reference(name):
    made = FIGURES[name]
    table = figure_table(made)
    assert table is not None
    assert {len(row) for row in table["rows"]} == {len(table["columns"])}
    said = render_markdown(smallest(figures=[made]))
    for line in (made.get("reference") or {}).get("lines", ()):
        assert f"{line['label']} {'10%' if line['value'] == 0.1 else '0.8'}" in said


def test_numbers_of_points_name_each_point_with_both_intervals():
    content = panel(x=[10.0], y=[0.95], low=[0.94], high=[0.96], x_low=[9.0], x_high=[11.0])
    table = figure_table(figure("points", content, y={"label": "accuracy", "percent": True}))
    assert table["rows"] == [["a", "10 [9, 11]", "95.0% [94.0%, 96.0%]"]]


def test_a_share_on_x_is_written_in_per_cent_on_the_axis_and_in_the_numbers():
    assert {"20%", "100%"} <= set(texts(draw(FIGURES["roc"])))
    assert [row[0] for row in figure_table(FIGURES["roc"])["rows"]] == [
        "0.0%",
        "25.0%",
        "50.0%",
        "75.0%",
        "100.0%",
    ]


def test_an_error_rate_on_a_log_axis_is_in_per_cent():
    made = figure(
        "lines", panel(x=[1, 2], y=[0.004, 0.05]), y={"label": "error", "scale": "log", "percent": True}
    )
    assert {"0.5%", "1%", "5%"} <= set(texts(draw(made)))


def test_an_axis_from_zero_and_an_axis_that_zooms():
    class Axes:
        limits: tuple[float, float]

        def __init__(self) -> None:
            from matplotlib.axis import YAxis
            from matplotlib.figure import Figure

            self.yaxis: YAxis = Figure().subplots().yaxis

        def set_ylim(self, low: float, high: float) -> None:
            self.limits = (low, high)

    bars, lines = Axes(), Axes()
    measure_axis(bars, "y", {}, [0.9, 1.0], zero=True)
    measure_axis(lines, "y", {}, [0.9, 1.0])
    assert bars.limits == (0.0, pytest.approx(1.04))
    assert lines.limits == (pytest.approx(0.896), pytest.approx(1.004))


def test_all_kinds_make_one_well_formed_page_with_swatches_of_their_kind():
    html = render_html(smallest(figures=copy.deepcopy(every_kind())))
    page = Page(html)
    assert page.problems == []
    assert len(page.ids) == len(set(page.ids))
    assert html.count('<path d="M4 1h26v10H4z"') == 2 + 3  # bars and histogram: areas
    assert INK not in html.split("</style>")[1]


def test_a_single_series_that_the_axis_names_needs_no_legend():
    assert 'class="swatch"' not in render_html(smallest(figures=[FIGURES["activations"]]))
