"""What `fit` refuses at its door, each with a sentence that says what to do."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from gradlab.data import Dataset, Split, draw, gather, refuse_test
from gradlab.models._randomness import seeded
from gradlab.training.modes import kept_modes, set_training
from gradlab.training.recipe import Recipe
from gradlab.types import UserError


def training_parts(
    data: Dataset | Split, validation: Split | None, recipe: Recipe
) -> tuple[Split, Split | None]:
    """Find the training and validation parts.

    Raises:
        UserError: test data, wherever they hide; something that is no data; no part where one is needed.
    """
    refuse_test(data, "fit")
    refuse_test(validation, "fit")
    for thing, kinds in ((data, (Dataset, Split)), (validation, (Split, type(None)))):
        if not isinstance(thing, kinds):
            raise UserError(
                f"fit reads a gradlab Dataset or Split, got {type(thing).__name__}; "
                "use gradlab.data.load(...) or gradlab.data.from_tensors(images, labels)."
            )
    if isinstance(data, Dataset):
        train, validation = data.train, data.validation if validation is None else validation
        if train is None:
            raise UserError(f"'{data.name}' has no training images here; choose data with a train part.")
    else:
        train = data
    if not len(train) or (validation is not None and not len(validation)):
        raise UserError("a part without images can neither train nor select; give it at least one image.")
    if validation is None and (recipe.stopping is not None or recipe.keep == "best"):
        raise UserError(
            "early stopping and keep='best' need a validation part and there is none; "
            "pass validation=..., or a recipe with keep='last' and no stopping."
        )
    if validation is not None and validation.images.shape[1:] != train.images.shape[1:]:
        raise UserError(
            f"training images have shape {tuple(train.images.shape[1:])} and validation images "
            f"{tuple(validation.images.shape[1:])}; resize one of them."
        )
    return train, validation


def check_model(model: nn.Module, train: Split, validation: Split | None, classes: int | None) -> None:
    """Refuse a model that cannot read the images or name every class, before the first step.

    Args:
        classes: of the data set; None where only splits are known, whose labels must then have an output each.
    """
    if not isinstance(model, nn.Module):
        raise UserError(f"fit trains a torch.nn.Module, got {type(model).__name__}; pass the module itself.")
    with kept_modes(model), seeded(0), torch.no_grad():
        model.eval()
        logits = _try(model, train)
    if not isinstance(logits, Tensor):
        raise UserError(
            f"the model must return one tensor of logits (N, K), got {type(logits).__name__}; "
            "wrap a small module that picks the logits out."
        )
    if logits.dim() != 2 or len(logits) != len(train[:2]):
        raise UserError(
            f"the model must return logits of shape (N, K), got {tuple(logits.shape)} for {len(train[:2])} images; "
            "flatten or pool before its last linear layer."
        )
    labels = [split.labels for split in (train, validation) if split is not None]
    needed = classes or max(int(part.max()) for part in labels) + 1
    if logits.shape[1] < needed or (classes is not None and logits.shape[1] != classes):
        raise UserError(
            f"the model returns {logits.shape[1]} logits, but the data has {needed} classes; "
            f"give its last layer {needed} outputs."
        )


def check_train_images(train: Split, count: int | None) -> None:
    """Refuse a number of training images that cannot be drawn from the training part."""
    if count is not None and not 1 <= count < len(train):
        raise UserError(
            f"train_images must lie between 1 and {len(train) - 1:,}, one less than the training images there are, "
            f"got {count}; leave it out for all of them."
        )


def check_last_batch(model: nn.Module, train: Split, recipe: Recipe, train_images: int | None = None) -> None:
    """Refuse a last batch of one image where batch norm needs two, before the first step."""
    count = len(train) if train_images is None else len(draw(train.labels, train_images, seed=0))
    if count % recipe.batch_size != 1 and recipe.batch_size != 1:
        return
    trial = copy.deepcopy(model)
    set_training(trial)
    try:
        with seeded(0), torch.no_grad():
            trial(_images(trial, train[:1]))
    except ValueError as error:
        raise UserError(
            f"{count} images in batches of {recipe.batch_size} leave a batch of one, on which batch norm cannot "
            "train; choose another batch size."
        ) from error


def _try(model: nn.Module, train: Split) -> object:
    try:
        return model(_images(model, train[:2]))
    except UserError:
        raise
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        raise UserError(
            f"the model cannot read images of shape {tuple(train.images.shape[1:])} (PyTorch says: "
            f"{str(error).splitlines()[0]}); build it for this shape or resize the images."
        ) from error


def _images(model: nn.Module, split: Split) -> Tensor:
    """Images in the model's number format, on its device."""
    like = next((tensor for tensor in model.parameters() if tensor.is_floating_point()), torch.empty(0))
    indices = torch.arange(len(split), device=split.labels.device)
    return gather(split, indices, dtype=like.dtype).to(like.device)
