"""Detectors judged on samples that are no images, such as texts: what `evaluate` does, for feeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gradlab._torch import torch
from gradlab.detection import flags
from gradlab.detection.cues import cue_flags, length_cue
from gradlab.detection.evaluate import STANDARD
from gradlab.detection.scoring import Scorer, check_head, read, wanted
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
    if not all(isinstance(one, Mapping) for one in (in_distribution, out_of_distribution)):
        raise UserError(
            "evaluate_feeds takes feeds by name, {'train': ..., 'test': ...} and {'foreign': ...}, got "
            f"{type(in_distribution).__name__} and {type(out_of_distribution).__name__}; make one of a part of a data set with "
            "TextEncoder.feed."
        )
    if "test" not in in_distribution or not out_of_distribution or not names or len(set(names)) < len(names):
        raise UserError(
            "evaluate_feeds takes a feed of test samples as in_distribution['test'], at least one foreign feed, and at least "
            "one detector, each once."
        )
    refuse_image_detectors(detectors)
    feeds = {"": in_distribution["test"], **out_of_distribution}
    _check_feeds({**in_distribution, **out_of_distribution})
    readings = {
        name: read(model, one, wanted(detectors), layer=layer, precision=precision)
        for name, one in feeds.items()
    }
    logits, labels = readings[""]["logits"], feeds[""].labels.cpu()
    if int(labels.max()) >= logits.shape[1]:
        raise UserError(
            f"the network has {logits.shape[1]} outputs, and the labels go up to {int(labels.max())}; give the data that it "
            "was trained on, with all of their classes in their order."
        )
    check_head(model, readings[""], detectors)
    scorer = Scorer(detectors, model, training=_training(model, in_distribution, detectors, layer, precision))
    scores = {name: scorer.all(reading) for name, reading in readings.items()}
    rows = tuple(
        row_of(detector, name, scores[""][number], scores[name][number])
        for number, detector in enumerate(names)
        for name in out_of_distribution
    )
    accuracy = float((logits.argmax(1) == labels).double().mean())
    said = (
        *flags.accuracy_flags(accuracy, logits.shape[1]),
        *flags.output_flags(logits.numpy()),
        *(one for name, feed in out_of_distribution.items() for one in _about(name, feeds[""], feed)),
        *flags.chance_flags({(row.detector, row.set): (row.auroc, row.high) for row in rows}),
        *flags.constant_flags({one: [scores[name][n] for name in scores] for n, one in enumerate(names)}),
    )
    return DetectionTable(rows=rows, accuracy=accuracy, chosen={}, tuned_on=None, flags=said)


def _check_feeds(feeds: Mapping[str, Feed]) -> None:
    for name, one in feeds.items():
        if not name.strip() or not all(hasattr(one, part) for part in ("labels", "parts")):
            raise UserError(
                f"evaluate_feeds takes feeds under names, got {type(one).__name__} as {name!r}; make one of a part of a data "
                "set with TextEncoder.feed, such as encoder.feed(data.test, 32)."
            )


def _about(name: str, inside: Feed, outside: Feed) -> list[str]:
    """Say where the length of texts tells two feeds apart, and which texts are in both."""
    both: list[Any] = [getattr(one, "tokens", None) for one in (inside, outside)]
    if any(one is None for one in both):
        return []
    own, foreign = (
        {tuple(row.tolist()) for row in one.ids.cpu().split(one.lengths.tolist())} for one in both
    )
    found = cue_flags(name, length_cue(both[0].lengths, both[1].lengths))
    count = len(own & foreign)
    return [
        *found,
        *([f"{name}: {count:,} of its texts are also among the in-distribution ones"] if count else []),
    ]


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
