"""What `fit` checks, moves and puts together before the first step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from gradlab.data import Dataset, Split
from gradlab.training.augment import build_augmenter
from gradlab.training.checks import (
    Part,
    check_feed,
    check_last_batch,
    check_model,
    check_sizes,
    check_train_images,
    training_parts,
)
from gradlab.training.device import DTYPES, autocast
from gradlab.training.feed import Feed, ImageFeed
from gradlab.training.first_layer import whitened
from gradlab.training.objective import CrossEntropy, Objective, check_selected
from gradlab.training.probes_fit import FitProbes
from gradlab.training.ranks import find_ranks
from gradlab.training.recipe import Precision, Recipe
from gradlab.training.run import Course, Run
from gradlab.training.together import check_divides
from gradlab.training.trainee import Trainee, assemble
from gradlab.types import UserError


def open_run(
    models: Sequence[nn.Module],
    data: Dataset | Part,
    recipe: Recipe,
    *,
    seeds: Sequence[int],
    validation: Part | None = None,
    device: str = "auto",
    precision: Precision | None = None,
    objective: Objective | None = None,
    train_images: int | None = None,
    checkpoint: Path | None = None,
    probe_steps: Sequence[int] = (),
    probe_batch: int = 128,
) -> Run:
    """Return a run that is ready for its first epoch, or for the one after its checkpoint; arguments as in `fit_stacked`.

    Raises:
        UserError: whatever `fit` refuses, before anything is written.
    """
    ranks, place = find_ranks(device)
    number_format = _precision(recipe, precision)
    autocast(place, number_format)  # refuses fp16 on a CPU before anything is read
    _check_seeds(models, seeds, number_format)
    objective = _objective(recipe, objective)
    train, validation = training_parts(data, validation, recipe)
    check_feed(train, len(models), recipe, train_images)
    check_train_images(train, train_images)
    classes = data.num_classes if isinstance(data, Dataset) else None
    for model in models:
        pairs = getattr(objective, "pairs", False)  # outputs are as many as the samples, not as the classes
        check_model(model, train, validation, classes, number_format, pairs=pairs)
    check_sizes(models[0], train, recipe)
    models = [whitened(model, train, train_images, seed) for model, seed in zip(models, seeds, strict=True)]
    check_last_batch(models[0], train, recipe, train_images)
    dtype = DTYPES[number_format]
    trainee = assemble(
        models,
        seeds,
        device=place,
        dtype=dtype,
        groups=recipe.groups,
        channels_last=recipe.memory_format == "channels-last",
        alone=not isinstance(train, Split),
    )
    judged = None if validation is None else _feed(validation, trainee, place, dtype, objective)
    augmenter = build_augmenter(recipe)
    visited = _feed(
        train,
        trainee,
        place,
        dtype,
        objective,
        images=train_images,
        keep_table=augmenter is None or not augmenter.changes_images,
    )
    check_divides(ranks, recipe, objective, visited, probes=bool(probe_steps))
    probes = FitProbes(probe_steps, probe_batch, visited, trainee, prepared=not objective.changes_inputs)
    course = Course(recipe, objective, visited, judged, number_format, checkpoint, train_images, ranks)
    return Run(trainee, course, probes)


def _precision(recipe: Recipe, asked: Precision | None) -> Precision:
    if recipe.precision is not None and asked is not None and asked != recipe.precision:
        raise UserError(
            f"the recipe trains in {recipe.precision}, but precision='{asked}' is asked for; give one of them."
        )
    return recipe.precision or asked or "fp32"


def _check_seeds(models: Sequence[nn.Module], seeds: Sequence[int], precision: Precision) -> None:
    if precision == "fp16" and len(models) > 1:
        raise UserError(
            "fp16 scales the loss of one network at a time; train its seeds one by one, or use bf16."
        )
    if not models or len(models) != len(seeds) or len(set(seeds)) != len(seeds):
        raise UserError(
            f"give one different seed per model, got {len(models)} models and seeds {list(seeds)}."
        )


def _objective(recipe: Recipe, asked: Objective | None) -> Objective:
    if asked is not None and recipe.label_smoothing:
        raise UserError(
            "label smoothing belongs to the cross-entropy that fit builds itself; leave label_smoothing at 0 where "
            "an objective is given."
        )
    objective = asked or CrossEntropy(recipe.label_smoothing)
    check_selected(objective, recipe.select)
    return objective


def _feed(
    part: Part,
    trainee: Trainee,
    device: torch.device,
    dtype: torch.dtype,
    objective: Objective,
    *,
    images: int | None = None,
    keep_table: bool = True,
) -> Feed:
    """Bring a part to the device, its images prepared unless the objective changes them."""
    if not isinstance(part, Split):
        return part.to(device, dtype)
    if objective.changes_inputs:
        return ImageFeed(part.to(device), dtype, images=images, keep_table=keep_table)
    return ImageFeed(part.to(device), dtype, trainee.prepare, images=images, keep_table=keep_table)
