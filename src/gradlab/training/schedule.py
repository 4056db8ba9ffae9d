"""Learning-rate schedules as pure functions of the step."""

from __future__ import annotations

import math
from typing import Literal

from gradlab._configuration import dataclass
from gradlab.types import STRICT, Count, Fraction, PositiveFloat


@dataclass(frozen=True, kw_only=True, config=STRICT)
class StepDecay:
    """Multiply the rate by `gamma` after every `every` epochs.

    Attributes:
        every: epochs from one fall of the rate to the next.
        gamma: what the rate is multiplied by at each fall.
    """

    kind: Literal["step"] = "step"
    every: Count = 10
    gamma: PositiveFloat = 0.1


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Cosine:
    """Fall along half a cosine to `floor` times the rate (Loshchilov & Hutter, 2017, arXiv:1608.03983, no restarts).

    Attributes:
        floor: the last rate as a part of the peak, in [0, 1].
    """

    kind: Literal["cosine"] = "cosine"
    floor: Fraction = 0.0


@dataclass(frozen=True, kw_only=True, config=STRICT)
class OneCycle:
    """Rise from rate/`start_divisor` in the first `warm` part of training, then fall to rate/`end_divisor`.

    Both legs follow half a cosine (Smith & Topin, 2018, arXiv:1708.07120); the recipe's rate is the peak.

    Attributes:
        warm: part of training in which the rate rises, in [0, 1].
        start_divisor: the peak is so many times the first rate.
        end_divisor: the peak is so many times the last rate.
    """

    kind: Literal["one-cycle"] = "one-cycle"
    warm: Fraction = 0.3
    start_divisor: PositiveFloat = 25.0
    end_divisor: PositiveFloat = 1e4


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Linear:
    """Rise from 0 along a line in the first `warm` part of training, then fall along a line to `floor` times the rate.

    Attributes:
        warm: part of training in which the rate rises, in [0, 1]; 0 starts at the peak.
        floor: the last rate as a part of the peak, in [0, 1].
    """

    kind: Literal["linear"] = "linear"
    warm: Fraction = 0.0
    floor: Fraction = 0.0


Schedule = StepDecay | Cosine | OneCycle | Linear


def rate_factor(schedule: Schedule | None, step: int, steps_per_epoch: int, epochs: int) -> float:
    """Return what the recipe's learning rate is multiplied by at `step` (from 0)."""
    if schedule is None:
        return 1.0
    if isinstance(schedule, StepDecay):
        return float(schedule.gamma ** (step // steps_per_epoch // schedule.every))
    if isinstance(schedule, Linear):
        return _lines(schedule, step, steps_per_epoch * epochs)
    progress = step / max(1, steps_per_epoch * epochs - 1)
    if isinstance(schedule, Cosine):
        return _half_cosine(1.0, schedule.floor, progress)
    if progress < schedule.warm:
        return _half_cosine(1 / schedule.start_divisor, 1.0, progress / schedule.warm)
    rest = 0.0 if schedule.warm == 1 else (progress - schedule.warm) / (1 - schedule.warm)
    return _half_cosine(1.0, 1 / schedule.end_divisor, rest)


def _lines(schedule: Linear, step: int, steps: int) -> float:
    """No step is lost at a rate of 0: the first is one step up, the last one step before the floor.

    Where the rise ends between two steps, the second of these has the peak.
    """
    rising = schedule.warm * steps
    if step + 1 <= rising:
        return (step + 1) / rising
    return 1.0 - (1.0 - schedule.floor) * max(0.0, step - rising) / (steps - rising)


def _half_cosine(start: float, end: float, progress: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * progress)) / 2
