"""Early stopping as pure rules on the history of the validation loss; the best weights are always restored."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Literal

from gradlab._configuration import dataclass
from gradlab.types import STRICT, Count, NonNegativeFloat


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Patience:
    """Stop after `patience` epochs in a row without a loss below the best by more than `min_delta`.

    Attributes:
        patience: epochs in a row without a better loss after which training stops.
        min_delta: a loss is better if it lies below the best by more than this.
    """

    kind: Literal["patience"] = "patience"
    patience: Count = 5
    min_delta: NonNegativeFloat = 0.0


@dataclass(frozen=True, kw_only=True, config=STRICT)
class StagnationOverfit:
    """Stop when the loss stagnates, or stays above its best by more than a band.

    Overfitting: an epoch whose loss is above best + `delta_overfit` adds one to a counter, a new best or a loss
    inside the band sets it to zero; at `overfit_patience` training stops. Stagnation, counted independently: an
    epoch whose loss moved by less than `min_delta` since the epoch before adds one, any larger move sets it to
    zero; at `patience` training stops. (The rule of lab 000, which kept the last weights; here the best return.)

    Attributes:
        patience: epochs in a row of a loss that hardly moves after which training stops.
        min_delta: a loss hardly moves if it changes by less than this from one epoch to the next.
        delta_overfit: a loss overfits if it lies above the best by more than this.
        overfit_patience: epochs of overfitting, with none inside the band between them, after which training stops.
    """

    kind: Literal["stagnation-overfit"] = "stagnation-overfit"
    patience: Count = 5
    min_delta: NonNegativeFloat = 1e-3
    delta_overfit: NonNegativeFloat = 1e-2
    overfit_patience: Count = 5


Stopping = Patience | StagnationOverfit


def should_stop(rule: Stopping | None, losses: Sequence[float]) -> bool:
    """Say whether `rule` stops training after the epochs whose validation losses are `losses`.

    Args:
        rule: None never stops.
        losses: one validation loss per finished epoch, oldest first.

    >>> should_stop(Patience(patience=2), [1.0, 0.5, 0.6])
    False
    >>> should_stop(Patience(patience=2), [1.0, 0.5, 0.6, 0.7])
    True
    """
    if rule is None:
        return False
    if isinstance(rule, Patience):
        return _patience_spent(rule, losses)
    return _overfits(rule, losses) or _stagnates(rule, losses)


def best_epoch(losses: Sequence[float]) -> int | None:
    """Return the first epoch (from 1) with the smallest finite loss; None where no loss is finite."""
    finite = [(loss, epoch) for epoch, loss in enumerate(losses, 1) if math.isfinite(loss)]
    return min(finite)[1] if finite else None


def _patience_spent(rule: Patience, losses: Sequence[float]) -> bool:
    best, waited = math.inf, 0
    for loss in losses:
        if loss < best - rule.min_delta:
            best, waited = loss, 0
        else:
            waited += 1
            if waited >= rule.patience:
                return True
    return False


def _overfits(rule: StagnationOverfit, losses: Sequence[float]) -> bool:
    best, counter = math.inf, 0
    for loss in losses:
        if loss < best:
            best, counter = loss, 0
        elif loss > best + rule.delta_overfit:
            counter += 1
            if counter >= rule.overfit_patience:
                return True
        else:
            counter = 0
    return False


def _stagnates(rule: StagnationOverfit, losses: Sequence[float]) -> bool:
    counter = 0
    for before, now in itertools.pairwise(losses):
        counter = counter + 1 if abs(now - before) < rule.min_delta else 0
        if counter >= rule.patience:
            return True
    return False
