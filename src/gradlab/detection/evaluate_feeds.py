"""Detectors judged on samples that are no images, such as texts: what `evaluate` does, for feeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gradlab._torch import torch
from gradlab.detection.evaluate import STANDARD
from gradlab.detection.flags import accuracy_flags, chance_flags
from gradlab.detection.scoring import Scorer, read, wanted
from gradlab.detection.table import DetectionTable, row_of
from gradlab.detection.tuned import AnyDetector, Tuned, names_of
from gradlab.types import UserError

if TYPE_CHECKING:
    from gradlab.training.feed import Feed
    from gradlab.training.recipe import Precision


def evaluate_feeds(
    model: torch.nn.Module,
    in_distribution: Mapping[str, Feed],
    out_of_distribution: Mapping[str, Feed],
    detectors: Sequence[AnyDetector] = STANDARD,
    *,
    layer: str | None = None,
    precision: Precision = "fp32",
) -> DetectionTable:
    """Measure how well detectors tell foreign samples from in-distribution test samples; one forward pass serves all.

    Args:
        model: maps what a feed gives to logits (N, K), or to an object that has them as `logits`; left as it was found.
        in_distribution: role -> feed of what it was trained on, such as those of `TextEncoder.feed`: detectors are fitted to
            "train" and measured on "test".
        out_of_distribution: name -> feed of foreign samples.
        detectors: configurations, each once, that read logits and features alone.
        layer: of the features; left out: the input of the last linear layer. precision: of the forward passes.

    Raises:
        UserError: no test feed, no foreign one or no detector, or a detector that reads images or is tuned on them.
    """
    names = names_of(detectors)
    if "test" not in in_distribution or not out_of_distribution or not names or len(set(names)) < len(names):
        raise UserError(
            "evaluate_feeds takes a feed of test samples as in_distribution['test'], at least one foreign feed, and at least "
            "one detector, each once."
        )
    refuse_image_detectors(detectors)
    scorer = Scorer(detectors, model, training=_training(model, in_distribution, detectors, layer, precision))
    feeds = {"": in_distribution["test"], **out_of_distribution}
    readings = {
        name: read(model, one, wanted(detectors), layer=layer, precision=precision)
        for name, one in feeds.items()
    }
    scores = {name: scorer.all(reading) for name, reading in readings.items()}
    rows = tuple(
        row_of(detector, name, scores[""][number], scores[name][number])
        for number, detector in enumerate(names)
        for name in out_of_distribution
    )
    logits = readings[""]["logits"]
    accuracy = float((logits.argmax(1) == in_distribution["test"].labels.cpu()).double().mean())
    found = chance_flags({(row.detector, row.set): row.auroc for row in rows})
    flags = (*accuracy_flags(accuracy, logits.shape[1]), *found)
    return DetectionTable(rows=rows, accuracy=accuracy, chosen={}, tuned_on=None, flags=flags)


def refuse_image_detectors(detectors: Sequence[AnyDetector]) -> None:
    """Refuse detectors that run the network on images themselves, or are tuned on images.

    Raises:
        UserError: names the first.
    """
    for name, one in zip(names_of(detectors), detectors, strict=True):
        if isinstance(one, Tuned) or "images" in one.needs:
            raise UserError(
                f"{name} {'is tuned on' if isinstance(one, Tuned) else 'reads'} images, and these samples are none; take "
                "detectors that read logits or features, such as energy or mahalanobis."
            )


def _training(
    model: torch.nn.Module,
    feeds: Mapping[str, Feed],
    detectors: Sequence[AnyDetector],
    layer: str | None,
    precision: Precision,
) -> dict[str, Any] | None:
    if "train" not in feeds or not any({"features", "labels"} & set(one.fits) for one in detectors):
        return None
    found = read(model, feeds["train"], {"features"}, layer=layer, precision=precision)
    return {"features": found["features"], "labels": feeds["train"].labels.cpu()}
