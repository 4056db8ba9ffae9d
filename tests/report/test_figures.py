import copy
import itertools
import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from gradlab.report import draw
from gradlab.report._theme import PALETTE, TONES, style
from gradlab.report.figures import FIGURES, _drawn, series_order
from gradlab.types import UserError
from tests.report.sample import claim, lines, png, realistic
from tests.report.sample_figures import every_kind, words

RESULTS = realistic()
BY_KIND = {figure["kind"]: figure for figure in [*every_kind(), words(), *RESULTS["figures"]]}
SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return ["".join(t.itertext()).strip() for t in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def one(**series):
    """Make a figure of one series and draw its one panel."""
    more = {key: series.pop(key) for key in ("x_axis", "y_axis") if key in series}
    made = {"name": "a", "x": [1, 2], "y": [0.1, 0.9], **series}
    axes = {"x": more.get("x_axis", {"label": "x"}), "y": more.get("y_axis", {"label": "y"})}
    return draw(lines(panels=[{"title": "", "series": [made]}], **axes), panel=0)


def test_the_samples_hold_every_kind_and_there_are_nine():
    assert len(FIGURES) == 9
    assert set(BY_KIND) == set(FIGURES)


@pytest.mark.parametrize("themed", [False, True])
@pytest.mark.parametrize("kind", list(FIGURES))
def test_every_kind_is_an_svg_that_is_the_same_each_time_and_loads_nothing(kind, themed):
    svg = draw(BY_KIND[kind], RESULTS["claims"], themed=themed)
    _drawn.cache_clear()
    assert svg == draw(copy.deepcopy(BY_KIND[kind]), copy.deepcopy(RESULTS["claims"]), themed=themed)
    assert ElementTree.fromstring(svg).tag == f"{SVG}svg"
    assert not re.search(r"<script|<!--|<metadata|\son\w+=", svg)
    assert set(re.findall(r'href="([^"#]{0,5})', svg)) <= {"", "data:"}
    if kind != "gallery":  # which has images and text only
        assert ("var(--" in svg) is themed


def test_references_inside_an_svg_meet_ids_and_two_figures_share_none():
    drawn = [draw(lines(name=name), panel=0) for name in ("one", "two")]
    ids = [set(re.findall(r'id="([^"]+)"', svg)) for svg in drawn]
    for svg, own in zip(drawn, ids, strict=True):
        used = set(re.findall(r'(?:href="#|url\(#)([\w-]+)', svg))
        assert used
        assert used == own
    assert not ids[0] & ids[1]


def test_an_unknown_kind_or_scale_is_one_sentence():
    with pytest.raises(UserError, match="did you mean 'lines'"):
        draw({"kind": "line"})
    with pytest.raises(UserError, match="linear, log, category"):
        one(x_axis={"label": "x", "scale": "logit"})


def test_percent_and_log_axes_and_categories_are_labelled_for_people():
    assert "50%" in texts(one(y_axis={"label": "y", "percent": True, "range": [0, 1]}))
    assert "10⁻⁹" in texts(one(y=[1e-12, 1.0], y_axis={"label": "y", "scale": "log"}))
    assert {"2", "8", "64"} <= set(
        texts(one(x=[2, 8, 64], y=[1, 2, 3], x_axis={"label": "d", "scale": "log"}))
    )
    assert {"2", "32"} <= set(texts(one(x=[2.0, 32.0], x_axis={"scale": "category"})))
    assert {"plain", "residual"} <= set(texts(one(x=["plain", "residual"], x_axis={"scale": "category"})))


def test_radii_of_grey_levels_are_told_as_fractions_of_255_and_others_as_numbers():
    eps = {"label": "eps"}
    assert {"0", "2/255", "4/255", "8/255"} <= set(
        texts(one(x=[0.0, 2 / 255, 8 / 255], y=[0.9, 0.5, 0.1], x_axis=eps))
    )
    assert {"0.5/255", "2/255"} <= set(texts(one(x=[0.5 / 255, 2 / 255], x_axis=eps)))
    assert not any("/255" in text for text in texts(one(x=[0.1, 0.3], x_axis=eps)))
    assert not any("/255" in text for text in texts(one(x=[0.0, 1 / 255], x_axis={"label": "rate"})))


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_nulls_zeros_and_empty_series_are_drawn_as_gaps(scale):
    svg = one(x=[1, 2, 3, 4], y=[0.5, None, 0.0, 0.7], low=[0.4, None, -1.0, 0.6], high=[0.6, None, 1.0, 0.8],
              points=[[1, None], [4, 0.7]], y_axis={"label": "y", "scale": scale})  # fmt: skip
    assert "nan" not in svg.lower()
    assert one(x=[], y=[], y_axis={"label": "y", "scale": scale})
    assert one(x=[3], y=[math.nan], y_axis={"label": "y", "scale": scale})
    for x in ([], [3], [None]):
        assert one(x=x, y=[1.0] * len(x), x_axis={"label": "x", "scale": scale})
    assert one(x=[], y=[], x_axis={"label": "x", "scale": "category"})


def test_a_narrow_log_axis_has_labels_too():
    shown = set(texts(one(y=[0.3, 0.9], y_axis={"label": "y", "scale": "log"})))
    assert {"0.5"} <= shown
    assert "0.2" not in shown  # below what is drawn


def test_a_panel_without_series_and_a_figure_without_panels_are_drawn():
    assert draw(lines(panels=[{"title": "none", "series": []}]))
    assert draw(lines(panels=[]))


def test_the_whole_figure_has_every_panel_title_and_every_name():
    shown = texts(draw(BY_KIND["lines"] | {"panels": RESULTS["figures"][1]["panels"]}))
    assert {"depth 2", "depth 8", "depth 32", "depth 64", "plain", "residual, one layer"} <= set(shown)


def test_names_are_text_and_never_markup():
    evil = '<script>x</script> $a_b$ & id="q" 1.23456'
    figure = lines(
        panels=[{"title": evil, "series": [{"name": evil, "x": [1], "y": [1]}]}], x={"label": evil}
    )
    shown = texts(draw(figure))
    assert shown.count(evil) == 3  # title, legend, axis


def test_thirty_two_series_all_look_different():
    looks = {(s.color, s.marker, s.dash) for s in map(style, range(32))}
    assert len(looks) == 32
    assert len(set(PALETTE)) == 8


def test_a_series_keeps_its_number_over_all_figures():
    order = series_order(RESULTS["figures"])
    assert list(order.values()) == [0, 1, 2]
    later = lines(panels=[{"title": "", "series": [{"name": "residual, two layers", "x": [1], "y": [1]}]}])
    svg = draw(later, order=order, panel=0)
    assert style(2).color in svg
    assert style(0).color not in svg


def _contrast(one: str, two: str) -> float:
    """Contrast ratio of two colours (WCAG 2.1)."""

    def light(color: str) -> float:
        parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    a, b = sorted((light(one), light(two)))
    return (b + 0.05) / (a + 0.05)


def test_lines_and_their_names_have_contrast_on_white():
    assert min(_contrast(color, "#ffffff") for color in PALETTE) >= 4.5


BLINDNESS = {  # linear RGB as such eyes see it, severity 1 (Machado, Oliveira and Fernandes, 2009)
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}  # fmt: skip


def _seen(color: str, blindness: str) -> np.ndarray:
    """Return a colour in CIELAB as a colour-blind eye sees it."""
    parts = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.072175],
            [0.0193339, 0.119192, 0.9503041],
        ]
    )
    xyz = to_xyz @ np.clip(np.array(BLINDNESS[blindness]) @ linear, 0, 1) / np.array([0.95047, 1, 1.08883])
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("blindness", list(BLINDNESS))
@pytest.mark.parametrize("theme", [0, 1])
def test_verdicts_and_series_stay_apart_for_colour_blind_eyes(theme, blindness):
    colors = theme_colors()[theme]
    for names in (("good", "bad", "open"), [f"s{i}" for i in range(8)]):
        seen = [_seen(colors[name], blindness) for name in names]
        nearest = min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(seen, 2))
        assert nearest > 10  # 2.3 is a difference that one just notices


def test_the_colours_of_a_file_are_those_of_the_light_page():
    light = theme_colors()[0]
    assert tuple(light[f"s{i}"] for i in range(8)) == PALETTE
    assert list(TONES.values()) == [light["good"], light["bad"], light["open"]]


def theme_colors() -> list[dict[str, str]]:
    """Return the colours of the light and the dark theme by name."""
    from gradlab.report._templates import environment

    css = environment().get_template("parts.css").render()
    return [
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
        for block in re.findall(r"\{([^{}]*--bg:[^{}]*)\}", css)
    ]


@pytest.mark.parametrize("theme", [0, 1])
def test_texts_have_a_contrast_of_at_least_four_and_a_half(theme):
    colors = theme_colors()[theme]
    pairs = [
        ("ink", "bg"),
        ("muted", "bg"),
        ("muted", "card"),
        ("muted", "soft"),
        ("accent", "bg"),
        ("ink", "open-bg"),
    ]
    pairs += [(tone, f"{tone}-bg") for tone in ("good", "bad", "open")]
    assert len(theme_colors()) == 2
    for front, back in pairs:
        assert _contrast(colors[front], colors[back]) >= 4.5, (front, back)


def test_the_forest_shows_every_claim_with_an_estimate_in_units_of_delta():
    claims = [
        claim(id="near", estimate=0.004, interval=[-0.01, 0.018]),
        claim(id="none", estimate=None, interval=None),
    ]
    shown = texts(draw(BY_KIND["forest"], claims))
    assert "near" in shown
    assert "none" not in shown
    assert {"−1δ", "0", "+1δ"} <= set(shown)
    assert draw(BY_KIND["forest"], [])


def test_the_matrix_shows_counts_and_the_share_of_the_row():
    figure = {"name": "m", "kind": "matrix", "labels": ["cat", "<dog>"], "counts": [[3, 1], [0, 0]]}
    shown = texts(draw(figure))
    assert {"3", "75.0%", "1", "25.0%", "·", "cat", "<dog>"} <= set(shown)


def test_many_classes_are_shades_in_a_small_picture():
    counts = [[50 if i == j else (i * j) % 3 for j in range(100)] for i in range(100)]
    svg = draw({"name": "m", "kind": "matrix", "labels": [str(i) for i in range(100)], "counts": counts})
    cells = sum(1 for row in counts for c in row if c)
    assert svg.count("M") == cells
    assert len(svg) < 300_000


@pytest.mark.parametrize(("labels", "counts"), [(["a", "b"], [[1, 2]]), (["a"], [[1, 2]]), ([], [])])
def test_a_matrix_that_is_not_square_is_refused(labels, counts):
    with pytest.raises(UserError, match=f"{len(labels)} classes"):
        draw({"name": "m", "kind": "matrix", "labels": labels, "counts": counts})


@pytest.mark.parametrize("bad", ["", "nonsense", "PHN2Zz48L3N2Zz4=", '"><script>'])
def test_only_a_png_is_shown_in_a_gallery(bad):
    with pytest.raises(UserError, match="PNG in base64"):
        draw({"name": "g", "kind": "gallery", "items": [{"png": bad}]})


def test_a_gallery_holds_its_images_and_words():
    item = {"png": png(), "label": "<3>", "prediction": "8", "confidence": 0.987, "note": "seed 0"}
    svg = draw({"name": "g", "kind": "gallery", "items": [item] * 7})
    assert svg.count(item["png"]) == 7
    assert {"<3> → 8", "98.7% · seed 0"} <= set(texts(svg))
