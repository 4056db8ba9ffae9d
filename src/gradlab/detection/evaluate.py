"""Detectors judged on a network of one's own: fitted on training images, tuned on validation images, measured on test images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gradlab._torch import torch
from gradlab.data import Dataset, Split
from gradlab.detection import flags
from gradlab.detection._door import check_classes, check_given
from gradlab.detection._foreign_sets import (
    Foreign,
    ForeignSet,
    about_sets,
    foreign_sets,
    other_shape,
    refuse_shared_images,
)
from gradlab.detection.energy import Energy
from gradlab.detection.entropy import Entropy
from gradlab.detection.generalised_entropy import GEN
from gradlab.detection.grad_norm import GradNorm
from gradlab.detection.knn import KNN
from gradlab.detection.mahalanobis import Mahalanobis
from gradlab.detection.margin import Margin
from gradlab.detection.max_logit import MaxLogit
from gradlab.detection.max_softmax import MaxSoftmax
from gradlab.detection.outliers import NAME, outliers
from gradlab.detection.react import ReAct
from gradlab.detection.relative_mahalanobis import RelativeMahalanobis
from gradlab.detection.scoring import Scorer, check_head, read, wanted
from gradlab.detection.sources import refuse_known, refuse_shared_source
from gradlab.detection.table import DetectionTable, row_of
from gradlab.detection.tuned import AnyDetector, Tuned, names_of, settings_of
from gradlab.detection.vim import ViM
from gradlab.training.recipe import Precision
from gradlab.types import UserError

STANDARD: tuple[AnyDetector, ...] = (
    MaxSoftmax(),
    MaxLogit(),
    Energy(),
    Entropy(),
    Margin(),
    GEN(),
    GradNorm(),
    Mahalanobis(),
    RelativeMahalanobis(),
    KNN(),
    ViM(),
    ReAct(),
)
"""What one forward pass serves, for any network that ends in a linear layer."""


def evaluate(
    model: torch.nn.Module,
    in_distribution: Dataset,
    out_of_distribution: Sequence[Dataset] | Mapping[str, Foreign],
    detectors: Sequence[AnyDetector] = STANDARD,
    *,
    tune_on: Dataset | None = None,
    autoencoder: torch.nn.Module | None = None,
    layer: str | None = None,
    precision: Precision = "fp32",
) -> DetectionTable:
    """Measure how well detectors tell foreign images from in-distribution test images; one forward pass a set serves all.

    Detectors with hyper-parameters to choose (`Tuned`) are tuned on the validation images of `in_distribution` and those of
    `tune_on`, or, without it, on foreign images made of the former (`outliers`). Test images are never tuned on.

    Args:
        model: maps images (N, C, H, W) in [0, 1] to logits of the in-distribution classes; left as it was found.
        in_distribution: what it was trained on: detectors are fitted to its train part and measured on its test part.
        out_of_distribution: foreign data sets, whose test part is taken; or name -> data set, part or images.
        detectors: configurations, each once. tune_on: with a train or validation part, of another source than all that is
            reported. autoencoder: for `Reconstruction`.
        layer: of the features; left out: the input of the last linear layer. precision: of the forward passes.

    Raises:
        UserError: images of another shape or outside [0, 1], no test images, a model that does not fit, test images or a
            shared source to tune on, or a detector that lacks what it is fitted to.
    """
    check_given(in_distribution, out_of_distribution, detectors)
    names, known = names_of(detectors), in_distribution.test
    assert known is not None  # checked at the door
    sets = foreign_sets(in_distribution, out_of_distribution)
    tuning = any(isinstance(one, Tuned) for one in detectors)
    names_read = wanted(detectors)

    def reading_of(data: Split | torch.Tensor) -> dict[str, Any]:
        return {"images": data, **read(model, data, names_read, layer=layer, precision=precision)}

    readings = {"": reading_of(known)}
    check_classes(readings[""]["logits"], in_distribution)
    check_head(model, readings[""], detectors)
    scorer = Scorer(
        detectors,
        model,
        autoencoder=autoencoder,
        training=_training(model, in_distribution, detectors, layer, precision),
        validation=_validation(model, in_distribution, tune_on, sets, detectors, layer, precision)
        if tuning
        else None,
    )
    readings |= {name: reading_of(one.images) for name, one in sets.items()}
    scores = {name: scorer.all(reading) for name, reading in readings.items()}
    rows = tuple(
        row_of(detector, name, scores[""][number], scores[name][number])
        for number, detector in enumerate(names)
        for name in sets
    )
    hits = readings[""]["logits"].argmax(1) == known.labels.cpu()
    accuracy = float(hits.double().mean())
    return DetectionTable(
        rows=rows,
        accuracy=accuracy,
        chosen={names[number]: settings_of(one.chosen) for number, one in scorer.choices.items()},
        tuned_on=(NAME if tune_on is None else tune_on.name) if tuning else None,
        flags=(
            *flags.accuracy_flags(accuracy, in_distribution.num_classes),
            *flags.output_flags(readings[""]["logits"].numpy()),
            *flags.normalisation_flags(model, in_distribution.mean, in_distribution.std),
            *about_sets(in_distribution, sets),
            *flags.chance_flags({(row.detector, row.set): (row.auroc, row.high) for row in rows}),
            *flags.constant_flags({one: [scores[name][n] for name in scores] for n, one in enumerate(names)}),
        ),
    )


def _training(
    model: torch.nn.Module,
    data: Dataset,
    detectors: Sequence[AnyDetector],
    layer: str | None,
    precision: Precision,
) -> dict[str, Any] | None:
    if data.train is None or not any({"features", "labels"} & set(one.fits) for one in detectors):
        return None
    found = read(model, data.train, {"features"}, layer=layer, precision=precision)
    return {"features": found["features"], "labels": data.train.labels.cpu()}


def _validation(
    model: torch.nn.Module,
    data: Dataset,
    tune_on: Dataset | None,
    sets: Mapping[str, ForeignSet],
    detectors: Sequence[AnyDetector],
    layer: str | None,
    precision: Precision,
) -> tuple[dict[str, Any], dict[str, Any]]:
    inside, outside = tuning_images(data, tune_on, [one.source for one in sets.values()])
    if isinstance(outside, Split):
        refuse_shared_images(outside, sets)
    return tuple(  # type: ignore[return-value]
        {"images": one, **read(model, one, wanted(detectors), layer=layer, precision=precision)}
        for one in (inside, outside)
    )


def tuning_images(
    data: Dataset, tune_on: Dataset | None, reported: Sequence[str]
) -> tuple[Split, Split | torch.Tensor]:
    """Return in-distribution validation images, and foreign ones to tune by: those of a data set, or made of the former.

    Raises:
        UserError: no validation images, a set with nothing but test images, or one of the source of a reported set.
    """
    if data.validation is None:
        raise UserError(
            f"'{data.name}' has no validation images, and detectors are tuned on nothing else; give fixed settings."
        )
    if tune_on is None:
        return data.validation, outliers(data.validation)
    refuse_shared_source(tune_on.name, reported)
    refuse_known(data.name, data.class_names, tune_on.name, tune_on.class_names)
    foreign = tune_on.validation if tune_on.train is None else tune_on.train  # no network saw either
    if foreign is None:
        raise UserError(
            f"'{tune_on.name}' has test images alone, and nothing is tuned on test images; take a set with validation or "
            "training images, or leave tune_on out."
        )
    if tune_on.input_shape != data.input_shape:
        raise UserError(other_shape(tune_on.name, tune_on.input_shape, data))
    return data.validation, foreign
