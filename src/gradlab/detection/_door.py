"""What `evaluate` is given, looked at before anything runs; each refusal says what to give instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gradlab._torch import torch
from gradlab.data import Dataset
from gradlab.detection.tuned import names_of
from gradlab.types import UserError


def check_given(inside: Any, outside: Any, detectors: Any) -> None:
    """Refuse what is no data set to fit to and measure on, no foreign sets, or no detectors.

    Raises:
        UserError: says which, and what to give.
    """
    if not isinstance(inside, Dataset):
        load = f", such as gradlab.data.load({inside!r})" if isinstance(inside, str) else ""
        raise UserError(
            f"evaluate takes the in-distribution data as a data set of images{load}, got {type(inside).__name__}; the scores "
            "of logits and features take any array."
        )
    if isinstance(outside, Dataset | torch.Tensor | str) or not isinstance(outside, Mapping | Sequence):
        raise UserError(
            f"give the foreign sets as a list of data sets, or as name -> images, got {type(outside).__name__}; a single one "
            'is [near] or {"near": images}.'
        )
    nameless = [
        one for one in outside if not isinstance(outside, Mapping | str) and not isinstance(one, Dataset)
    ]
    if nameless:
        raise UserError(
            f"a list of foreign sets holds data sets, got {type(nameless[0]).__name__}; load it with gradlab.data.load, or "
            'give images under a name, {"near": images}.'
        )
    _check_detectors(detectors)
    if inside.test is None:
        raise UserError(
            f"'{inside.name}' has no test images here to measure on; choose data with a test part."
        )


def _check_detectors(detectors: Any) -> None:
    given = detectors if isinstance(detectors, Sequence) and not isinstance(detectors, str) else [detectors]
    odd = [one for one in given if isinstance(one, type) or not hasattr(one, "kind")]
    if given is not detectors or odd:
        told = odd[0] if odd else given[0]
        name = told.__name__ if isinstance(told, type) else repr(told)
        raise UserError(
            f"detectors are a list of configurations, such as [Energy(), KNN(k=10)], got {name}; "
            "gradlab.detection.DETECTORS names them all."
        )
    names = names_of(given)
    if not names or len(set(names)) < len(names):
        raise UserError(f"evaluate takes at least one detector, each once, got {names}.")


def check_classes(logits: torch.Tensor, data: Dataset) -> None:
    """Refuse a network that names another number of classes than the data have.

    Args:
        logits: (N, K) of test images.

    Raises:
        UserError: says both numbers.
    """
    if logits.shape[1] != data.num_classes:
        raise UserError(
            f"the network has {logits.shape[1]} outputs, and '{data.name}' has {data.num_classes} classes; give the data that "
            "it was trained on, with all of their classes in their order."
        )
