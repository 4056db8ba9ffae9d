"""What a training starts with: optimiser, average, loss scale, augmentation."""

from __future__ import annotations

import torch

from gradlab.training.augment import build_augmenter
from gradlab.training.loop import State
from gradlab.training.optimizer import build_optimizer
from gradlab.training.ranks import ALONE, Ranks
from gradlab.training.recipe import Precision, Recipe
from gradlab.training.trainee import Trainee, weights_of


def fresh_state(trainee: Trainee, recipe: Recipe, precision: Precision, ranks: Ranks = ALONE) -> State:
    """Return the state before the first epoch."""
    average = weights_of(trainee).clone() if recipe.ema is not None else None
    scaler = torch.amp.GradScaler(trainee.trained.flats[0].device.type) if precision == "fp16" else None
    optimizer, augmenter = build_optimizer(recipe, trainee), build_augmenter(recipe)
    return State(trainee, optimizer, average, scaler, augmenter, ranks=ranks)
