"""Distillation: training a student on the labels and on the cached outputs of a teacher."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor, nn

from gradlab.data import Dataset, refuse_test
from gradlab.training.device import DTYPES, resolve_device
from gradlab.training.fit import Fit, Listener, fit_stacked
from gradlab.training.predict import predict_logits
from gradlab.training.recipe import Precision, Recipe
from gradlab.transfer.distillation import Distillation, check_softness
from gradlab.transfer.view_feed import ViewFeed
from gradlab.types import UserError


def distil(
    student: nn.Module,
    teacher: nn.Module,
    data: Dataset,
    recipe: Recipe | None = None,
    *,
    temperature: float = 4.0,
    alpha: float = 0.5,
    views: Sequence[str] = ("identity", "mirror"),
    seed: int = 0,
    device: str = "auto",
    precision: Precision | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_seconds: float = 0.0,
    listeners: Sequence[Listener] = (),
    progress: bool | None = None,
) -> Fit:
    """Train a copy of `student` on the labels and on what `teacher` says; both modules are left as they were.

    The teacher runs once over every view of every training image, before the first step, and never again. An epoch shows
    every image once, in a view that is drawn afresh for every seed and epoch; alpha=1 is the student's hard-label twin,
    which sees the same images in the same views and learns from the labels alone.

    Args:
        student, teacher: map images (N, C, H, W) in [0, 1] to logits of the same classes.
        data: with a train and a validation part; weights are chosen by the labels of the validation images.
        recipe: without augmentation, mixing and label smoothing, which cached outputs would not fit.
        temperature, alpha: as in `distillation_loss`.
        views: names in `gradlab.transfer.VIEWS`.
        seed: of the order of the images and of their views; and all else as in `gradlab.training.fit`.

    Raises:
        UserError: other classes, a recipe that changes images, and whatever `fit` refuses.
    """
    recipe = recipe or Recipe()
    check_softness(temperature, alpha)
    train, validation = _feeds(data, recipe, views)
    place = resolve_device(device)
    number_format = recipe.precision or precision or "fp32"
    table = teacher_logits(teacher, train.to(place, DTYPES[number_format]), number_format)
    if table.shape[1] != data.num_classes:
        raise UserError(
            f"the teacher returns {table.shape[1]} logits, but '{data.name}' has {data.num_classes} classes; take a "
            "teacher of these classes."
        )
    (fitted,) = fit_stacked(
        [student],
        train,
        recipe,
        validation=validation,
        seeds=[seed],
        device=device,
        precision=precision,
        objective=Distillation(table.to(place), temperature, alpha),
        checkpoint=checkpoint,
        checkpoint_seconds=checkpoint_seconds,
        listeners=listeners,
        progress=progress,
    )
    return fitted


def teacher_logits(teacher: nn.Module, feed: ViewFeed, precision: Precision = "fp32") -> Tensor:
    """Return what a teacher says of every view of every image, (V·N, K), in eval mode; it is left as it was.

    Raises:
        UserError: outputs that are no logits, or not finite ones.
    """
    table = predict_logits(teacher, feed, precision=precision)
    if table.dim() != 2 or not table.isfinite().all():
        raise UserError(
            f"a teacher must give finite logits (N, K), got {tuple(table.shape)}, some of them maybe not finite; "
            "take one that trained."
        )
    return table


def _feeds(data: Dataset, recipe: Recipe, views: Sequence[str]) -> tuple[ViewFeed, ViewFeed | None]:
    refuse_test(data, "distil")
    if not isinstance(data, Dataset) or data.train is None:
        raise UserError(
            "distil reads a gradlab Dataset with a train part; use gradlab.data.load(...) or from_tensors."
        )
    if recipe.augmentation or recipe.mixing is not None or recipe.label_smoothing:
        raise UserError(
            "a teacher's cached outputs belong to fixed views and labels, so the recipe of a distillation has no "
            "augmentation, mixing or label smoothing; name views=(...) instead."
        )
    validation = None if data.validation is None else ViewFeed(data.validation, ("identity",))
    return ViewFeed(data.train, views), validation
