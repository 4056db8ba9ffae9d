"""Classifiers of texts, judged on validation and test: the two tables, their scores, and measures over them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gradlab.lab.judging.results import Results
from gradlab.lab.kinds import Measure
from gradlab.lab.records.columns import Columns
from gradlab.metrics import precision, recall
from gradlab.procedures._predictions import PREDICTIONS, SCORES, prediction_table, scores, wrong_predictions
from gradlab.types import UserError

if TYPE_CHECKING:
    from torch import nn

    from gradlab.data import TextSplit
    from gradlab.lab.records.columns import Columns
    from gradlab.language import TokenFeed

TABLES = {"predictions": PREDICTIONS, "validation": PREDICTIONS}
"""Of the test texts, and of the validation texts."""


def splits_of(data: Any) -> dict[str, TextSplit]:
    """Return train, validation and test of data with texts.

    Raises:
        UserError: images, or a part is missing.
    """
    found: dict[str, Any] = dict(data.splits)
    missing = [role for role in ("train", "validation", "test") if not hasattr(found.get(role), "texts")]
    if missing:
        raise UserError(
            f"'{data.name}' has no {missing[0]} texts here; choose data with texts in all parts, such as rotten-tomatoes."
        )
    return found


def judged(
    model: nn.Module, feeds: Mapping[str, TokenFeed], number_format: Any, outputs: list[int] | None = None
) -> tuple[dict[str, Any], dict[str, Columns]]:
    """Predict validation and test texts; returns facts and the tables of the predictions.

    Args:
        feeds: by role. outputs: number of the output that stands for each class; in their order if not given.
    """
    from gradlab.training.predict import predict_logits

    facts: dict[str, Any] = {
        "cut_off": {role: feed.tokens.truncated for role, feed in feeds.items()},
    }
    tables: dict[str, Columns] = {}
    for role, name in (("validation", "validation"), ("test", "predictions")):
        logits = predict_logits(model, feeds[role], precision=number_format).float().cpu().numpy()
        logits = logits if outputs is None else np.ascontiguousarray(logits[:, outputs])
        labels = feeds[role].labels.cpu().numpy()
        facts[role], tables[name] = scores(logits, labels), prediction_table(logits, labels)
    return facts, tables


def wrong_judged(run: Results) -> list[str]:
    """Name the columns and scores that do not follow from the logits."""
    return wrong_predictions(run) + wrong_predictions(run, "validation", "validation")


def _of_classes(score: Callable[..., float]) -> Callable[[Results], float]:
    def value(run: Results) -> float:
        table = run.table("predictions")
        predicted, label = (table[name].astype(np.int64) for name in ("prediction", "label"))
        return score(predicted, label, len(run.facts["class_names"]), how="macro")

    return value


JUDGED = (
    *SCORES,
    Measure("macro precision", "fraction", "higher", _of_classes(precision), range=(0, 1)),
    Measure("macro recall", "fraction", "higher", _of_classes(recall), range=(0, 1)),
)
PADDING = Measure(
    "padding",
    "fraction",
    "lower",
    lambda run: float(run.facts["padding"]),
    range=(0, 1),
    on="train",
    learns=False,
)
"""Share of padding among the tokens of the training batches."""
