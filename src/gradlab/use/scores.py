"""All scores of a trained network on one part of a data set, with intervals where they are shares of images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np
import torch

from gradlab.data import Dataset, Split
from gradlab.metrics import ClassRow, evaluate, per_class
from gradlab.procedures import usable_logits
from gradlab.statistics import Proportion, wilson
from gradlab.training.device import resolve_device
from gradlab.training.predict import predict_logits
from gradlab.types import UserError, did_you_mean
from gradlab.use.trained import Trained

SplitName = Literal["test", "validation", "train", "all"]


@dataclass(frozen=True)
class ClassScore:
    """One class: its row of scores, and the interval of its recall."""

    row: ClassRow
    recall: Proportion | None


@dataclass(frozen=True)
class Scores:
    """What `score` found.

    Attributes:
        data: name of the data set; part: of it; images: how many.
        metrics: every metric of `gradlab.metrics`. intervals: of those that are shares of images, 95 % (Wilson).
        classes: one row a class. notes: sentences about what the numbers rest on.
    """

    data: str
    part: SplitName
    images: int
    metrics: dict[str, float]
    intervals: dict[str, Proportion]
    classes: tuple[ClassScore, ...]
    notes: tuple[str, ...]

    def as_record(self) -> dict[str, Any]:
        """Return everything as plain JSON data; intervals are [low, high]."""
        classes = [
            asdict(one.row) | {"recall_interval": one.recall and [one.recall.low, one.recall.high]}
            for one in self.classes
        ]
        return {
            "data": self.data,
            "part": self.part,
            "images": self.images,
            "metrics": self.metrics,
            "intervals": {name: [one.low, one.high] for name, one in self.intervals.items()},
            "classes": classes,
            "notes": list(self.notes),
        }


def score(trained: Trained, data: Dataset, part: SplitName = "test", *, device: str = "auto") -> Scores:
    """Score a trained network on images that have labels.

    Args:
        trained: the network. data: with images of its shape and its classes.
        part: "test", "validation", "train", or "all" images of the data set.
        device: "auto", "cpu", "cuda" or "mps".

    Raises:
        UserError: images of another shape, other classes, or a part that is not there.
    """
    check_fit(trained, data)
    split = choose(data, part)
    place = resolve_device(device)
    network = trained.network.to(place)
    logits = predict_logits(network, split.to(place), precision=trained.precision).float().cpu().numpy()
    return judge_logits(trained, data, part, logits, split.labels.cpu().numpy())


def judge_logits(
    trained: Trained, data: Dataset, part: SplitName, logits: np.ndarray, labels: np.ndarray
) -> Scores:
    """Score logits (N, K) of a part against its labels (N,)."""
    usable = usable_logits(logits)
    predictions = usable.argmax(1)
    hits = predictions == labels
    intervals = {"accuracy": wilson(int(hits.sum()), len(labels))}
    metrics = {name: float(value) for name, value in evaluate(usable, labels).items()}
    intervals["top_5"] = wilson(round(metrics["top_5"] * len(labels)), len(labels))
    rows = per_class(predictions, labels, trained.class_names)
    classes = tuple(
        ClassScore(row, wilson(int(hits[labels == number].sum()), row.samples) if row.samples else None)
        for number, row in enumerate(rows)
    )
    notes = _notes(trained, data, part, int((~np.isfinite(logits)).any(1).sum()))
    return Scores(data.name, part, len(labels), metrics, intervals, classes, tuple(notes))


def check_fit(trained: Trained, data: Dataset) -> None:
    """Refuse data whose images or classes are not the network's."""
    if data.input_shape != trained.input_shape:
        wanted, got = ("×".join(map(str, shape)) for shape in (trained.input_shape, data.input_shape))
        raise UserError(
            f"{trained.name} reads images {wanted} (channels, height, width), but those of '{data.name}' are {got}; "
            "take data of that shape, or resize them (gradlab predict does, and says so)."
        )
    if data.class_names != trained.class_names:
        raise UserError(
            f"{trained.name} was trained on {_named(trained.class_names)}, but '{data.name}' has {_named(data.class_names)}; "
            "use data with the same classes in the same order."
        )


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(names[:4]) + (", …" if len(names) > 4 else "")
    return f"{len(names)} classes ({shown})"


def choose(data: Dataset, part: SplitName) -> Split:
    """Return one part, or all images as one."""
    if part not in get_args(SplitName):
        raise UserError(f"unknown part '{part}'; {did_you_mean(str(part), get_args(SplitName))}")
    if part == "all":
        splits = list(data.splits.values())
        return Split(
            torch.cat([one.images for one in splits]), torch.cat([one.labels for one in splits]), "test"
        )
    split = data.splits.get(part)
    if split is None:
        raise UserError(
            f"'{data.name}' has no {part} part here (only {', '.join(data.splits)}); choose one of these."
        )
    return split


def _notes(trained: Trained, data: Dataset, part: SplitName, unusable: int) -> list[str]:
    notes = []
    same = trained.data_checksum == data.checksum
    if same and part in ("train", "all"):
        notes.append(
            "The network was trained on images of this part, so the scores say little about new images."
        )
    if same and part == "validation":
        notes.append(
            "The validation images chose the epoch whose weights were kept, so the scores are a little too good."
        )
    if not same and trained.data_checksum is not None:
        notes.append(
            f"These are not the very images and parts of '{trained.data}' that the network was trained with: the data has "
            "changed since, or is other data, and the network may have been trained on some of them, so the scores "
            "say nothing certain about new images."
        )
    if not same and part != "all":
        notes += [note for note in data.notes if note.startswith("The source has no test part")]
    if unusable:
        notes.append(f"{unusable} images have logits that are not finite; they count as chance.")
    return notes
