"""Collapse and overfitting, from the robust accuracy of every epoch."""

import math

from gradlab.attacks import collapse_epoch, robust_overfitting


def test_a_fall_to_nearly_nothing_is_a_collapse_and_a_slow_decline_is_none():
    assert collapse_epoch([0.1, 0.3, 0.4, 0.05, 0.01]) == 4
    assert collapse_epoch([0.4, 0.38, 0.3, 0.25, 0.21]) is None
    assert collapse_epoch([0.4, 0.2]) == 2
    assert collapse_epoch([0.4, 0.201]) is None


def test_noise_near_zero_is_no_collapse():
    assert collapse_epoch([0.09, 0.0]) is None
    assert collapse_epoch([]) is None
    assert collapse_epoch([math.nan, 0.3, math.nan, 0.01]) == 4


def test_overfitting_is_the_best_less_the_last():
    assert math.isclose(robust_overfitting([0.2, 0.5, 0.45]), 0.05)
    assert robust_overfitting([0.1, 0.2]) == 0
    assert math.isclose(robust_overfitting([math.nan, 0.5, 0.4]), 0.1)
    assert math.isnan(robust_overfitting([]))
    assert math.isnan(robust_overfitting([0.4, math.nan]))
