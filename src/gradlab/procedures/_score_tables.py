"""The tables that a run of `Score` writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradlab.detection.tuned import names_of
from gradlab.lab.records.columns import Columns
from gradlab.procedures._predictions import usable_logits

if TYPE_CHECKING:
    from gradlab.data import Split
    from gradlab.procedures.score import Score


def _logit_columns(logits: np.ndarray) -> dict[str, np.ndarray]:
    return {f"logit_{k}": logits[:, k] for k in range(logits.shape[1])}


def raw_tables(inside: Split, logits: list[np.ndarray], names: list[str]) -> dict[str, Columns]:
    """Return the logits of the in-distribution samples with their labels, and those of all foreign ones: two tables.

    Args:
        inside: the in-distribution samples. logits: (N, K) of every set, theirs first. names: of the sets.
    """
    return {
        "predictions": {
            "label": inside.labels.cpu().numpy().astype(np.int16),
            "prediction": usable_logits(logits[0]).argmax(1).astype(np.int16),
            **_logit_columns(logits[0]),
        },
        "foreign": {
            "set": np.repeat(np.array(names[1:], dtype=str), [len(one) for one in logits[1:]]),
            **_logit_columns(np.concatenate(logits[1:])),
        },
    }


def score_tables(procedure: Score, scores: list[list[np.ndarray]], names: list[str]) -> dict[str, Columns]:
    """Return the scores of every detector, in-distribution and foreign: (sets, detectors, images) -> two tables."""
    detectors = names_of(procedure.detectors)
    inside, outside = scores[0], [np.concatenate(one) for one in zip(*scores[1:], strict=True)]
    sets = np.repeat(np.array(names[1:], dtype=str), [len(one[0]) for one in scores[1:]])
    return {
        "inside": {
            "detector": np.repeat(np.array(detectors, dtype=str), len(inside[0])),
            "index": np.tile(np.arange(len(inside[0]), dtype=np.int32), len(detectors)),
            "score": np.concatenate(inside).astype(np.float32),
        },
        "outside": {
            "detector": np.repeat(np.array(detectors, dtype=str), len(outside[0])),
            "set": np.tile(sets, len(detectors)),
            "score": np.concatenate(outside).astype(np.float32),
        },
    }
