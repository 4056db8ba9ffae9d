import re
from xml.etree import ElementTree

import pytest

from gradlab.report.marks import (
    VERDICTS,
    Axis,
    axis_over,
    check_verdict,
    claim_axis,
    dots,
    interval_mark,
    sign,
)
from gradlab.types import UserError
from tests.report.sample import claim


def test_each_verdict_has_a_shape_of_its_own():
    assert len(VERDICTS) == 4
    assert len({sign(verdict) for verdict in VERDICTS}) == 4


def test_an_unknown_verdict_is_one_sentence():
    with pytest.raises(UserError, match="did you mean 'supported'"):
        check_verdict("suported")


def test_positions_are_per_cent_of_the_axis():
    axis = Axis(-1.0, 3.0)
    assert [axis.at(v) for v in (-1.0, 0.0, 3.0, 9.0)] == [0.0, 25.0, 100.0, 100.0]
    assert axis_over([None, 2.0, 4.0], pad=0.5) == Axis(1.0, 5.0)
    assert axis_over([None, float("nan")]) is None
    assert axis_over([0.0]) == Axis(-1.0, 1.0)


def test_the_interval_lies_right_of_the_zone_where_the_claim_is_supported():
    svg = interval_mark(claim(estimate=0.03, interval=[0.02, 0.04], delta=0.01), None)
    root = ElementTree.fromstring(svg)
    zone = next(e for e in root if e.get("class") == "zone")
    bar = next(e for e in root if e.get("class") == "bar")
    right = float(zone.get("x", "").rstrip("%")) + float(zone.get("width", "").rstrip("%"))
    assert float(bar.get("x1", "").rstrip("%")) > right
    # by hand: axis from -0.01 to 0.04 with 6 % margins; 0.02 lies at (0.02 + 0.013) / 0.056
    assert bar.get("x1") == f"{round(100 * 0.033 / 0.056, 2)}%"


def test_single_seeds_are_dots_and_nulls_are_left_out():
    svg = interval_mark(claim(differences=[0.39, None, 0.41]), None)
    assert svg.count('class="seed"') == 2


def test_no_estimate_gives_no_graphic_and_no_interval_no_bar():
    assert interval_mark(claim(estimate=None, interval=None), None) == ""
    assert "bar" not in interval_mark(claim(interval=None), None)


def test_a_thin_zone_has_one_label_and_a_wide_one_three():
    assert re.findall(r">([^<>]+)</text>", interval_mark(claim(), None)) == ["0 ± δ"]
    wide = claim(estimate=0.001, interval=[-0.002, 0.004])
    assert re.findall(r">([^<>]+)</text>", interval_mark(wide, None)) == ["−δ", "0", "+δ"]


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
