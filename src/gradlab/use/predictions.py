"""What a trained network says about pictures: the most probable classes of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gradlab.data import Split
from gradlab.data.pictures import Picture, find_pictures, read_picture
from gradlab.procedures import usable_logits
from gradlab.training.device import resolve_device
from gradlab.training.predict import predict_logits
from gradlab.types import UserError
from gradlab.use.trained import Trained

CHUNK_PIXELS = 2**24
"""Numbers decoded at once, so that a folder of any size fits into memory."""


@dataclass(frozen=True)
class Prediction:
    """What the network says about one picture.

    Attributes:
        path: of the picture. classes: the most probable ones with their probability in [0, 1], best first.
        changes: what was done to the picture so that it fits. problem: why it could not be read; it has no classes then.
    """

    path: Path
    classes: tuple[tuple[str, float], ...] = ()
    changes: tuple[str, ...] = ()
    problem: str | None = None

    def as_record(self) -> dict[str, Any]:
        """Return it as plain JSON data."""
        classes = [{"class": name, "probability": value} for name, value in self.classes]
        return {
            "path": str(self.path),
            "classes": classes,
            "changes": list(self.changes),
            "problem": self.problem,
        }


def predict(
    trained: Trained, paths: Sequence[str | Path], *, top: int = 1, device: str = "auto"
) -> Iterator[Prediction]:
    """Name the classes of pictures, one after the other.

    Args:
        trained: the network. paths: of pictures, and of folders of pictures.
        top: how many classes to name for each. device: "auto", "cpu", "cuda" or "mps".

    Raises:
        UserError: a path that is not there, a folder without pictures, or fewer than one class asked for. A picture
            that cannot be read is no error: its prediction has a `problem`.
    """
    if trained.input_shape[0] not in (1, 3):
        raise UserError(
            f"pictures have 1 or 3 channels, but {trained.name} reads {trained.input_shape[0]}; give it tensors in Python."
        )
    if top < 1:
        raise UserError(f"top is how many classes to name and must be at least 1, got {top}.")
    files = find_pictures(paths)
    if not files:
        raise UserError("there is nothing to predict; name at least one picture or folder.")
    trained.network.to(resolve_device(device))
    return _predict(trained, files, top)


def _predict(trained: Trained, files: list[Path], top: int) -> Iterator[Prediction]:
    size = max(1, CHUNK_PIXELS // int(np.prod(trained.input_shape)))
    for start in range(0, len(files), size):
        read = [(file, _read(file, trained)) for file in files[start : start + size]]
        pictures = [picture for _, picture in read if isinstance(picture, Picture)]
        rows = iter(_probabilities(trained, pictures) if pictures else ())
        for file, picture in read:
            if isinstance(picture, str):
                yield Prediction(file, problem=picture)
                continue
            row = next(rows)
            best = np.argsort(-row, kind="stable")[:top]
            yield Prediction(
                file, tuple((trained.class_names[k], float(row[k])) for k in best), picture.changes
            )


def _read(file: Path, trained: Trained) -> Picture | str:
    try:
        return read_picture(file, trained.input_shape)
    except UserError as error:
        return str(error)


def _probabilities(trained: Trained, pictures: list[Picture]) -> np.ndarray:
    """Softmax of the logits, (N, K) float64; images without finite logits have every class alike."""
    images = torch.from_numpy(np.stack([picture.pixels for picture in pictures]))
    split = Split(images, torch.zeros(len(images), dtype=torch.int64), "test")
    logits = predict_logits(trained.network, split, precision=trained.precision).double().cpu().numpy()
    shifted = usable_logits(logits)
    weights = np.exp(shifted - shifted.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
