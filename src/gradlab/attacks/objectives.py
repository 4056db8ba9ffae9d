"""The ways of adversarial training that a procedure can name."""

from __future__ import annotations

from gradlab.attacks.fast_training import FastTraining
from gradlab.attacks.madry_training import MadryTraining
from gradlab.attacks.mixed_training import MixedTraining
from gradlab.attacks.trades_training import TradesTraining

AdversarialTraining = MadryTraining | FastTraining | TradesTraining | MixedTraining
"""Configuration of an objective under attack; the discriminator is `kind`."""

OBJECTIVES: dict[str, type[AdversarialTraining]] = {
    "madry": MadryTraining,
    "fast": FastTraining,
    "trades": TradesTraining,
    "mixed": MixedTraining,
}
