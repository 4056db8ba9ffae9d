import math

import pytest

from gradlab.report.numbers import (
    duration,
    in_unit,
    interval,
    level,
    megabytes,
    number,
    percent,
    percent_digits,
    scaled,
    typeset,
)


@pytest.mark.parametrize("missing", [None, math.nan, math.inf])
def test_a_value_that_is_not_there_is_a_dash(missing):
    assert {number(missing), percent(missing), scaled(missing, "percent", 1), duration(missing)} == {"–"}
    assert (level(None), megabytes(None)) == ("–", "–")


def test_percent_has_one_decimal_and_two_where_the_interval_is_narrower_than_a_fifth_of_a_point():
    assert interval(0.9321, 0.921, 0.943, "percent") == "93.2% [92.1, 94.3]"
    assert interval(0.93214, 0.9316, 0.9327, "percent") == "93.21% [93.16, 93.27]"
    assert percent_digits(0.93, 0.932) == 1  # exactly 0.2 points (up to rounding) is not narrower
    assert percent_digits(None, 0.9) == 1


def test_an_interval_without_bounds_is_the_estimate_alone():
    assert interval(0.5, None, None, "percent") == "50.0%"
    assert interval(None, None, None, "percent") == "–"


def test_decades_are_powers_of_ten():
    assert interval(-12.34, -12.9, -11.8, "decades") == "10^-12.3 [10^-12.9, 10^-11.8]"
    claim = {"unit": "decades", "estimate": 12.34, "interval": [11.9, 12.8], "delta": 1.0}
    assert in_unit(claim) == ("×10^12.3", "[×10^11.9, ×10^12.8]", "1 decade (×10)")


def test_a_fraction_is_shown_in_points_with_its_sign():
    claim = {"unit": "fraction", "estimate": 0.012, "interval": [-0.034, 0.058], "delta": 0.005}
    assert in_unit(claim) == ("+1.2 points", "[-3.4, +5.8]", "0.5 points")


def test_epochs_and_one_epoch():
    claim = {"unit": "epochs", "estimate": -3.67, "interval": [-5.2, -2.1], "delta": 1.0}
    assert in_unit(claim) == ("-3.7 epochs", "[-5.2, -2.1]", "1 epoch")


def test_an_unknown_unit_is_written_as_it_is_with_digits_from_the_interval():
    claim = {"unit": "nats", "estimate": 0.01234, "interval": [0.0111, 0.0136], "delta": 0.01}
    assert in_unit(claim) == ("+0.0123 nats", "[+0.0111, +0.0136]", "0.01 nats")


def test_a_claim_without_estimate_is_dashes():
    assert in_unit({"unit": "fraction", "estimate": None, "interval": None, "delta": None}) == ("–", "–", "–")


def test_zero_has_no_sign():
    assert number(-0.0001, 1, signed=True) == "0.0"
    assert number(0, signed=True) == "0"


def test_typesetting_raises_powers_sets_minus_signs_and_escapes():
    assert typeset("[×10^-12.6, ×10^13]") == "[×10<sup>−12.6</sup>, ×10<sup>13</sup>]"
    assert typeset("-1.2 points") == "−1.2 points"
    assert typeset("1.2e-05") == "1.2e-05"
    assert typeset("<b>") == "&lt;b&gt;"


def test_sizes_and_times():
    assert (megabytes(512.3), megabytes(2048)) == ("512 MB", "2.0 GB")
    assert (duration(59.6), duration(3599.7), duration(86400)) == ("1 min 0 s", "1 h 0 min", "24 h 0 min")
    assert (level(0.95), level(0.9933)) == ("95%", "99.33%")
