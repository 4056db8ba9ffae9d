"""What `fit` refuses at its door, each with a sentence that says what to do."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gradlab.data import Dataset, Split, draw, gather, refuse_test
from gradlab.models._randomness import seeded
from gradlab.training.device import autocast
from gradlab.training.feed import Feed, Inputs
from gradlab.training.modes import kept_modes, set_training
from gradlab.training.recipe import Precision, Recipe
from gradlab.training.solo import logits_of
from gradlab.types import UserError

Part = Split | Feed


def training_parts(data: Dataset | Part, validation: Part | None, recipe: Recipe) -> tuple[Part, Part | None]:
    """Find the training and validation parts.

    Raises:
        UserError: test data, wherever they hide; something that is no data; no part where one is needed.
    """
    refuse_test(data, "fit")
    refuse_test(validation, "fit")
    for thing, kinds in ((data, (Dataset, Split, Feed)), (validation, (Split, Feed, type(None)))):
        if not isinstance(thing, kinds):
            raise UserError(
                f"fit reads a gradlab Dataset or Split, got {type(thing).__name__}; "
                "use gradlab.data.load(...) or gradlab.data.from_tensors(images, labels), or give a feed."
            )
    train: Part
    if isinstance(data, Dataset):
        if data.train is None:
            raise UserError(f"'{data.name}' has no training images here; choose data with a train part.")
        train, validation = data.train, data.validation if validation is None else validation
    else:
        train = data
    if not len(train) or (validation is not None and not len(validation)):
        raise UserError("a part without images can neither train nor select; give it at least one image.")
    if validation is None and (recipe.stopping is not None or recipe.keep == "best"):
        raise UserError(
            "early stopping and keep='best' need a validation part and there is none; "
            "pass validation=..., or a recipe with keep='last' and no stopping."
        )
    if validation is not None:
        _check_alike(train, validation)
    return train, validation


def _check_alike(train: Part, validation: Part) -> None:
    if isinstance(train, Split) != isinstance(validation, Split):
        raise UserError(
            "training and validation must both be splits or both be feeds, got one of each; make both feeds."
        )
    if isinstance(train, Split) and isinstance(validation, Split):
        mine, theirs = (tuple(one.images.shape[1:]) for one in (train, validation))
        if mine != theirs:
            raise UserError(
                f"training images have shape {mine} and validation images {theirs}; resize one of them."
            )


def check_feed(train: Part, networks: int, recipe: Recipe, train_images: int | None) -> None:
    """Refuse what a feed that is not gradlab's own cannot do."""
    if isinstance(train, Split):
        return
    if networks > 1:
        raise UserError("a feed of your own trains one seed at a time; call fit once for every seed.")
    if recipe.augmentation or recipe.mixing is not None or recipe.sizes:
        raise UserError(
            "augmentation, mixing and sizes change images of a split; drop them, or let the feed change its own samples."
        )
    if train_images is not None:
        raise UserError("train_images draws from a split; let the feed's order visit fewer samples instead.")


def check_model(
    model: nn.Module,
    train: Part,
    validation: Part | None,
    classes: int | None,
    precision: Precision = "fp32",
    *,
    pairs: bool = False,
) -> None:
    """Refuse a model that cannot read the samples or name every class, before the first step.

    Args:
        classes: of the data set; None where only its parts are known, whose labels must then have an output each.
        precision: bf16 is tried as it will train.
        pairs: whether outputs compare the samples with each other, so that they are not as many as the classes.
    """
    if not isinstance(model, nn.Module):
        raise UserError(f"fit trains a torch.nn.Module, got {type(model).__name__}; pass the module itself.")
    samples = min(2, len(train.labels))
    with kept_modes(model), seeded(0), torch.no_grad():
        model.eval()
        logits = _try(model, train, samples, precision)
    if not isinstance(logits, Tensor):
        raise UserError(
            f"the model must return one tensor of logits (N, K), got {type(logits).__name__}; "
            "wrap a small module that picks the logits out."
        )
    if logits.dim() != 2 or len(logits) != samples:
        raise UserError(
            f"the model must return logits of shape (N, K), got {tuple(logits.shape)} for {samples} images; "
            "flatten or pool before its last linear layer."
        )
    labels = [part.labels for part in (train, validation) if part is not None]
    needed = classes or max(int(part.max()) for part in labels) + 1
    if not pairs and (logits.shape[1] < needed or (classes is not None and logits.shape[1] != classes)):
        raise UserError(
            f"the model returns {logits.shape[1]} logits, but the data has {needed} classes; "
            f"give its last layer {needed} outputs."
        )


def check_sizes(model: nn.Module, train: Part, recipe: Recipe) -> None:
    """Refuse sizes of training images for a network that reads images of one size alone, before the first step."""
    if not recipe.sizes or not isinstance(train, Split):
        return
    trial, wanted = copy.deepcopy(model), like(model)
    set_training(trial)
    for size in sorted(set(recipe.sizes)):
        try:
            with seeded(0), torch.no_grad():
                trial(
                    torch.zeros(
                        2, train.images.shape[1], size, size, dtype=wanted.dtype, device=wanted.device
                    )
                )
        except (RuntimeError, ValueError, IndexError, TypeError) as error:
            raise UserError(
                f"this network cannot train on images of {size}×{size} pixels ({str(error).splitlines()[0]}); leave out sizes, "
                "or take one that pools over all places, such as fast-cnn."
            ) from error


def check_train_images(train: Part, count: int | None) -> None:
    """Refuse a number of training images that cannot be drawn from the training part."""
    if count is not None and not 1 <= count < len(train):
        raise UserError(
            f"train_images must lie between 1 and {len(train) - 1:,}, one less than the training images there are, "
            f"got {count}; leave it out for all of them."
        )


def check_last_batch(model: nn.Module, train: Part, recipe: Recipe, train_images: int | None = None) -> None:
    """Refuse a last batch of one image where batch norm needs two, before the first step."""
    count = len(train) if train_images is None else len(draw(train.labels, train_images, seed=0))
    if count % recipe.batch_size != 1 and recipe.batch_size != 1:
        return
    trial = copy.deepcopy(model)
    set_training(trial)
    try:
        with seeded(0), torch.no_grad():
            _call(trial, _first(trial, train, 1))
    except ValueError as error:
        raise UserError(
            f"{count} images in batches of {recipe.batch_size} leave a batch of one, on which batch norm cannot "
            "train; choose another batch size."
        ) from error


def like(model: nn.Module) -> Tensor:
    """Return a tensor on the device and in the number format of what the model reads: its first trained one, else its first."""
    floats = [parameter for parameter in model.parameters() if parameter.is_floating_point()]
    return next((one for one in floats if one.requires_grad), floats[0] if floats else torch.empty(0))


def _try(model: nn.Module, train: Part, samples: int, precision: Precision) -> object:
    inputs = _first(model, train, samples)
    half = autocast(like(model).device, "bf16") if precision == "bf16" else contextlib.nullcontext()
    try:
        with half:
            return logits_of(_call(model, inputs))
    except UserError:
        raise
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        raise UserError(
            f"the model cannot read {_said(inputs)} (PyTorch says: "
            f"{str(error).splitlines()[0]}); build it for this shape or resize the images."
        ) from error


def _call(model: nn.Module, inputs: Inputs) -> object:
    return model(**inputs) if isinstance(inputs, Mapping) else model(inputs)


def _said(inputs: Inputs) -> str:
    if isinstance(inputs, Tensor):
        return f"images of shape {tuple(inputs.shape[1:])}"
    return "inputs " + ", ".join(f"{name} {tuple(one.shape)}" for name, one in inputs.items())


def _first(model: nn.Module, part: Part, samples: int) -> Inputs:
    """The first samples in the model's number format, on its device."""
    wanted = like(model)
    indices = torch.arange(samples, device=part.labels.device)
    if isinstance(part, Split):
        return gather(part, indices, dtype=wanted.dtype).to(wanted.device)
    feed = part.to(wanted.device, wanted.dtype)
    inputs = feed.batch(indices.to(feed.labels.device)[None])
    return {name: one[0] for name, one in inputs.items()} if isinstance(inputs, Mapping) else inputs[0]
