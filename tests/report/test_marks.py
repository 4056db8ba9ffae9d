import re
from xml.etree import ElementTree

import pytest

from gradlab.report.marks import (
    KINDS,
    VERDICTS,
    Axis,
    axis_over,
    check_verdict,
    claim_axis,
    dots,
    interval_mark,
    region,
    sign,
)
from gradlab.types import UserError
from tests.report.sample import claim


def test_each_verdict_has_a_shape_of_its_own():
    assert list(VERDICTS) == ["supported", "refuted", "open"]
    assert len({sign(verdict) for verdict in VERDICTS}) == 3


def test_an_unknown_verdict_is_one_sentence():
    with pytest.raises(UserError, match="did you mean 'supported'"):
        check_verdict("suported")


def test_positions_are_per_cent_of_the_axis():
    axis = Axis(-1.0, 3.0)
    assert [axis.at(v) for v in (-1.0, 0.0, 3.0, 9.0)] == [0.0, 25.0, 100.0, 100.0]
    assert axis_over([None, 2.0, 4.0], pad=0.5) == Axis(1.0, 5.0)
    assert axis_over([None, float("nan")]) is None
    assert axis_over([0.0]) == Axis(-1.0, 1.0)


def spans(svg: str) -> tuple[list[float], list[float]]:
    """Return the ends of the region and of the interval in per cent of the width."""
    root = ElementTree.fromstring(svg)
    zone = next(e for e in root if e.get("class") == "zone")
    bar = next(e for e in root if e.get("class") == "bar")
    left, width = (float(str(zone.get(name)).rstrip("%")) for name in ("x", "width"))
    return [left, left + width], [float(str(bar.get(name)).rstrip("%")) for name in ("x1", "x2")]


@pytest.mark.parametrize(
    ("kind", "interval", "verdict"),
    [
        ("more", [0.02, 0.04], "supported"),
        ("more", [-0.02, 0.004], "refuted"),
        ("more", [0.004, 0.02], "open"),
        ("same", [-0.006, 0.008], "supported"),
        ("same", [0.02, 0.04], "refuted"),
        ("same", [0.004, 0.02], "open"),
        ("not less", [-0.006, 0.04], "supported"),
        ("not less", [-0.04, -0.02], "refuted"),
        ("not less", [-0.02, 0.01], "open"),
    ],
)
def test_the_interval_lies_inside_the_shaded_region_outside_or_over_its_border(kind, interval, verdict):
    made = claim(kind=kind, estimate=sum(interval) / 2, interval=interval, delta=0.01, verdict=verdict)
    region, bar = spans(interval_mark(made, None))
    inside = region[0] <= bar[0] and bar[1] <= region[1]
    outside = bar[1] < region[0] or bar[0] > region[1]
    assert {"supported": inside, "refuted": outside, "open": not inside and not outside}[verdict]


def test_positions_of_region_and_interval_by_hand():
    svg = interval_mark(claim(estimate=0.03, interval=[0.02, 0.04], delta=0.01), None)
    region, bar = spans(svg)
    # axis from 0 to 0.04 with 6 % margins: 0.01 lies at (0.01 + 0.0024) / 0.0448, 0.02 at (0.02 + 0.0024) / 0.0448
    assert bar[0] == round(100 * 0.0224 / 0.0448, 2)
    assert region == [pytest.approx(100 * 0.0124 / 0.0448, abs=0.01), pytest.approx(100, abs=0.01)]


def test_a_kind_of_claim_that_is_not_known_is_one_sentence():
    assert list(KINDS) == ["more", "same", "not less"]
    with pytest.raises(UserError, match="did you mean 'not less'"):
        region({"kind": "not-less", "delta": 1})
    assert region({"kind": "same", "delta": 0.5}) == (-0.5, 0.5)
    assert region({"kind": "more", "delta": None}) is None


def test_single_seeds_are_dots_and_nulls_are_left_out():
    svg = interval_mark(claim(differences=[0.39, None, 0.41]), None)
    assert svg.count('class="seed"') == 2


def test_no_estimate_gives_no_graphic_and_no_interval_no_bar():
    assert interval_mark(claim(estimate=None, interval=None), None) == ""
    assert "bar" not in interval_mark(claim(interval=None), None)


def test_the_ends_of_the_region_are_labelled_and_share_a_label_where_they_are_close():
    def labels(**more):
        return re.findall(r">([^<>]+)</text>", interval_mark(claim(**more), None))

    near = {"estimate": 0.001, "interval": [-0.012, 0.014]}
    assert labels() == ["0, +δ"]
    assert labels(**near) == ["0", "+δ"]
    assert labels(**near, kind="not less") == ["0", "−δ"]
    assert labels(**near, kind="same") == ["0", "−δ", "+δ"]
    assert labels(kind="same") == ["0 ± δ"]


def test_parts_share_one_axis_that_holds_them_all():
    axis = claim_axis([claim(), claim(estimate=-0.2, interval=[-0.3, -0.1])])
    assert axis is not None
    assert axis.low < -0.3
    assert axis.high > 0.42


def test_dots_tell_their_values_to_a_screen_reader_and_a_missing_cell_is_a_dash():
    svg = dots([0.5, None], Axis(0.0, 1.0), "50.0 <b>")
    assert 'aria-label="50.0 &lt;b&gt;"' in svg
    assert svg.count("<circle") == 1
    assert dots(None, Axis(0.0, 1.0), "") == dots([None], Axis(0.0, 1.0), "") == "–"
