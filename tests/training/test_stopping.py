"""Stopping rules against hand-worked histories and a brute-force state machine."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradlab.training import Patience, StagnationOverfit, should_stop
from gradlab.training.stopping import best_epoch

LOSSES = st.lists(
    st.sampled_from([0.1, 0.2, 0.25, 0.3, 0.3005, 0.305, 0.31, 0.4, 0.5, math.nan]), max_size=25
)


def first_stop(rule, losses):
    """The epoch (from 1) at which a training that looks after every epoch stops."""
    return next((n for n in range(1, len(losses) + 1) if should_stop(rule, losses[:n])), None)


def lab_000(rule, losses):
    """The published loop, written out: one pass with two counters."""
    best, before, overfit, stagnant = None, None, 0, 0
    for epoch, loss in enumerate(losses, 1):
        if best is None or loss < best:
            best, overfit = loss, 0
        elif loss > best + rule.delta_overfit:
            overfit += 1
        else:
            overfit = 0
        if before is not None:
            stagnant = stagnant + 1 if abs(loss - before) < rule.min_delta else 0
        before = loss
        if overfit >= rule.overfit_patience or stagnant >= rule.patience:
            return epoch
    return None


@given(
    losses=LOSSES.map(lambda values: [value for value in values if value == value]),
    patience=st.integers(1, 4),
    overfit=st.integers(1, 4),
    min_delta=st.sampled_from([0.0, 1e-3, 0.02]),
    band=st.sampled_from([0.0, 1e-2, 0.1]),
)
def test_stagnation_overfit_equals_the_published_loop(losses, patience, overfit, min_delta, band):
    rule = StagnationOverfit(
        patience=patience, overfit_patience=overfit, min_delta=min_delta, delta_overfit=band
    )
    assert first_stop(rule, losses) == lab_000(rule, losses)


def test_defaults_are_the_published_knobs():
    rule = StagnationOverfit()
    knobs = (rule.patience, rule.min_delta, rule.delta_overfit, rule.overfit_patience)
    assert knobs == (5, 1e-3, 1e-2, 5)


def test_overfit_stops_after_five_epochs_above_the_band():
    assert first_stop(StagnationOverfit(), [0.5, 0.4, 0.42, 0.45, 0.43, 0.46, 0.44, 0.3]) == 7


def test_a_loss_inside_the_band_resets_the_overfit_counter():
    above = [0.42, 0.45, 0.43, 0.46]
    assert first_stop(StagnationOverfit(), [0.4, *above, 0.408, *above, 0.5]) == 11
    assert first_stop(StagnationOverfit(), [0.4, *above, 0.41001, 0.3]) == 6  # just outside: the fifth


def test_a_new_best_resets_the_overfit_counter():
    above = [0.52, 0.55, 0.53, 0.56]
    assert first_stop(StagnationOverfit(), [0.5, *above, 0.49, *above]) is None


def test_stagnation_skips_the_first_epoch_and_counts_five_small_moves():
    flat = [0.5, 0.5005, 0.5001, 0.5006, 0.5002]  # four moves
    assert first_stop(StagnationOverfit(), flat) is None
    assert first_stop(StagnationOverfit(), [*flat, 0.5004]) == 6


@pytest.mark.parametrize("move", [0.002, -0.002])
def test_a_larger_move_in_either_direction_resets_stagnation(move):
    flat = [0.5, 0.5005, 0.5001, 0.5006, 0.5002]
    after = [*flat, 0.5002 + move]
    assert first_stop(StagnationOverfit(), [*after, *[after[-1]] * 4]) is None
    assert first_stop(StagnationOverfit(), [*after, *[after[-1]] * 5]) == 11


def test_slow_improvement_stagnates_though_every_epoch_is_a_new_best():
    assert first_stop(StagnationOverfit(), [0.5 - 0.0005 * n for n in range(20)]) == 6


def brute_patience(rule, losses):
    """Epochs since the last loss that beat the best by more than min_delta."""
    improvements, best = [0], math.inf
    for epoch, loss in enumerate(losses, 1):
        if loss < best - rule.min_delta:
            best = loss
            improvements.append(epoch)
        if epoch - improvements[-1] >= rule.patience:
            return epoch
    return None


@given(losses=LOSSES, patience=st.integers(1, 4), min_delta=st.sampled_from([0.0, 1e-3, 0.1]))
def test_patience_counts_epochs_since_the_last_improvement(losses, patience, min_delta):
    rule = Patience(patience=patience, min_delta=min_delta)
    assert first_stop(rule, losses) == brute_patience(rule, losses)


def test_patience_by_hand():
    assert first_stop(Patience(patience=2), [1.0, 0.5, 0.6, 0.55, 0.1]) == 4
    assert first_stop(Patience(patience=2), [1.0, 0.5, 0.6, 0.4, 0.45]) is None
    assert first_stop(Patience(patience=2, min_delta=0.2), [1.0, 0.9, 0.85]) == 3
    assert first_stop(Patience(patience=3), [math.nan] * 3) == 3


def test_no_rule_and_no_history_never_stop():
    assert not should_stop(None, [1.0] * 100)
    assert not should_stop(Patience(patience=1), [])
    assert not should_stop(StagnationOverfit(), [])


@given(losses=LOSSES)
def test_best_epoch_is_the_first_of_the_smallest_finite_losses(losses):
    finite = [loss for loss in losses if math.isfinite(loss)]
    assert best_epoch(losses) == (losses.index(min(finite)) + 1 if finite else None)


@pytest.mark.parametrize("arguments", [{"patience": 0}, {"min_delta": -1}, {"patiense": 3}])
def test_wrong_knobs_are_refused_by_name(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        Patience(**arguments)
