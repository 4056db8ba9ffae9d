"""What a run of `Score` writes: logits, a column of scores for every detector, and pictures of its mistakes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from gradlab.attacks.numbers import confidence
from gradlab.data import Dataset, Split, gather
from gradlab.detection.reconstruction import psnr
from gradlab.lab.records.columns import Columns
from gradlab.procedures._gallery import png_base64, side_by_side
from gradlab.procedures._predictions import usable_logits
from gradlab.training.modes import kept_modes

ACCEPTED, REFUSED, REPRODUCED = 5, 5, 2
"""Pictures that are kept: foreign ones of a set and detector, familiar ones of a detector, and reconstructions of a set."""


@dataclass(frozen=True)
class Scored:
    """One set of images: its data, those of its images that were scored, their logits (N, K), detector -> scores (N,)."""

    data: Dataset
    images: Split
    logits: np.ndarray
    scores: Mapping[str, np.ndarray]

    def captions(self, rows: np.ndarray) -> Columns:
        """Return index and class of some images."""
        labels = self.images.labels.cpu().numpy()[rows]
        return {
            "index": rows.astype(np.int32),
            "label": np.array([self.data.class_names[one] for one in labels], dtype=str),
        }


def raw_tables(inside: Split, logits: Sequence[np.ndarray], names: Sequence[str]) -> dict[str, Columns]:
    """Return what the network says of in-distribution and of foreign images."""
    usable, labels = usable_logits(logits[0]), inside.labels.cpu().numpy()
    predictions = usable.argmax(1)
    return {
        "predictions": {
            "label": labels.astype(np.int16),
            "prediction": predictions.astype(np.int16),
            "confidence": confidence(usable, predictions).astype(np.float32),
            **_logit_columns(logits[0]),
        },
        "foreign": {"set": _sets(logits, names), **_logit_columns(np.concatenate(logits[1:]))},
    }


def score_tables(scores: Sequence[Mapping[str, np.ndarray]], names: Sequence[str]) -> dict[str, Columns]:
    """Return the scores of in-distribution and of foreign images, a column for every detector.

    Args:
        scores: of each set, the in-distribution one first: detector -> (N,). names: of the sets.
    """
    inside, *outside = scores
    first = next(iter(inside))
    return {
        "inside": {
            "index": np.arange(len(inside[first]), dtype=np.int32),
            **{name: one.astype(np.float32) for name, one in inside.items()},
        },
        "outside": {
            "set": _sets([one[first] for one in scores], names),
            **{name: np.concatenate([one[name] for one in outside]).astype(np.float32) for name in inside},
        },
    }


def picture_tables(
    scored: Sequence[Scored], names: Sequence[str], shown: Sequence[str], autoencoder: torch.nn.Module | None
) -> dict[str, Columns]:
    """Return the most confident mistakes of the shown detectors, and the first images as an auto-encoder reproduces them.

    Args:
        scored: the in-distribution images first. names: of the sets. shown: detectors by name. autoencoder: or none.
    """
    if not shown:
        return {"accepted": {}, "refused": {}, "reproduced": {}, "reproduced foreign": {}}
    inside, *outside = scored
    tables: dict[str, Columns] = {
        "accepted": _joined(
            {"detector": detector, "set": name, **_mistakes(one, inside, detector, 1, ACCEPTED)}
            for detector in shown
            for name, one in zip(names[1:], outside, strict=True)
        ),
        "refused": _joined(
            {"detector": detector, **_mistakes(inside, inside, detector, -1, REFUSED)} for detector in shown
        ),
    }
    if autoencoder is None:
        return tables | {"reproduced": {}, "reproduced foreign": {}}
    made = [_reproduced(one, autoencoder) for one in scored]
    foreign = _joined({"set": name, **one} for name, one in zip(names[1:], made[1:], strict=True))
    return tables | {"reproduced": made[0], "reproduced foreign": foreign}


def _mistakes(scored: Scored, inside: Scored, detector: str, sign: int, count: int) -> Columns:
    """Return the images with the lowest scores, or with the sign -1 the highest; of equal ones the first."""
    scores = scored.scores[detector]
    rows = np.argsort(sign * scores, kind="stable")[:count]
    predictions = usable_logits(scored.logits[rows]).argmax(1)
    return {
        **scored.captions(rows),
        "prediction": np.array([inside.data.class_names[one] for one in predictions], dtype=str),
        "score": scores[rows].astype(np.float32),
        "note": np.array([f"score {one:.3g}" for one in scores[rows]], dtype=str),
        "png": np.array([png_base64(scored.images.images[int(row)]) for row in rows], dtype=str),
    }


def _reproduced(scored: Scored, autoencoder: torch.nn.Module) -> Columns:
    """Return the first images, each beside its reconstruction, with the PSNR in decibels."""
    rows = np.arange(min(REPRODUCED, len(scored.images)))
    like = next(autoencoder.parameters())
    images = gather(scored.images.to("cpu"), torch.from_numpy(rows), dtype=like.dtype).to(like.device)
    with torch.no_grad(), kept_modes(autoencoder):
        made = autoencoder.eval().reconstruct(images)  # type: ignore[operator]
    ratios = psnr((made.double() - images.double()).square().flatten(1).mean(1).cpu().numpy())
    return {
        **scored.captions(rows),
        "psnr": ratios.astype(np.float32),
        "note": np.array([f"{one:.1f} dB" for one in ratios], dtype=str),
        "png": np.array([png_base64(one) for one in side_by_side(images, made)], dtype=str),
    }


def _joined(parts: Iterable[Mapping[str, str | np.ndarray]]) -> Columns:
    """Join tables below each other; a text of a part stands in all of its rows."""
    whole = [
        {
            name: np.full(len(part["png"]), value) if isinstance(value, str) else value
            for name, value in part.items()
        }
        for part in parts
    ]
    return {name: np.concatenate([part[name] for part in whole]) for name in whole[0]}


def _sets(each: Sequence[np.ndarray], names: Sequence[str]) -> np.ndarray:
    return np.repeat(np.array(names[1:], dtype=str), [len(one) for one in each[1:]])


def _logit_columns(logits: np.ndarray) -> dict[str, np.ndarray]:
    return {f"logit_{k}": logits[:, k] for k in range(logits.shape[1])}
