"""A real study of a few seconds, run in this process, and the columns of its records."""

from pathlib import Path
from typing import Any

import numpy as np

import gradlab
from gradlab.data import load
from gradlab.lab import Record
from gradlab.result import Result

RUNS, WANTED = 18, 6
"""Records that `study` leaves for two seeds of three networks, which run in blocks of six; those that its report names."""


def study(out: Path, **more: Any) -> Result:
    """Run plain and residual networks of two layers on the digits; a second call finds everything."""
    given: dict[str, Any] = {"depths": (2,), "epochs": 1, "width": 4, "seeds": 2, "device": "cpu"} | more
    return gradlab.run("residual-mlp", data=load("digits"), out=out, progress=False, **given)


def labels(record: Record) -> np.ndarray:
    """Return the true classes of the test images."""
    return record.table("predictions")["label"].astype(np.int64)


def predictions(record: Record) -> np.ndarray:
    """Return the predicted classes."""
    return record.table("predictions")["prediction"].astype(np.int64)


def logits(record: Record) -> np.ndarray:
    """Return the logits (N, K)."""
    table = record.table("predictions")
    return np.stack([table[f"logit_{k}"] for k in range(10)], axis=1)
