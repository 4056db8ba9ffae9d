"""Fitting a classical head to features: standardised, hyper-parameters chosen on validation data."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from gradlab.data.guard import refuse_test
from gradlab.metrics.arrays import Floats, to_numpy
from gradlab.transfer.heads import Head, NearestNeighbours, Setting
from gradlab.types import UserError

Pair = tuple[Any, Any]
"""Features (N, D) and labels (N,): arrays, lists, or tensors on any device."""
SCORES = ("decision_function", "predict_joint_log_proba", "predict_proba")
"""What scikit-learn calls the numbers whose largest names the class, in the order of preference."""
STORED = (
    "coef_",
    "intercept_",
    "support_vectors_",
    "dual_coef_",
    "_fit_X",
    "theta_",
    "var_",
    "class_prior_",
)
"""Where scikit-learn keeps what a prediction needs."""


class Try(NamedTuple):
    """One setting, its accuracy on validation data, and whether its solver converged."""

    setting: Setting
    accuracy: float
    converged: bool


@dataclass(frozen=True)
class FittedHead:
    """A head on features, as it was chosen.

    Attributes:
        head: its configuration. chosen: the setting that is best on validation data; of equals the first that was tried.
        tried: every setting. mean, scale: of the training features, (D,). classes: in the order of the scores.
        images: how many it was trained on. numbers: how many numbers it keeps for predictions.
        estimator: scikit-learn's, on standardised features.
    """

    head: Head
    chosen: Try
    tried: tuple[Try, ...]
    mean: Floats
    scale: Floats
    classes: tuple[int, ...]
    images: int
    numbers: int
    estimator: Any

    def scores(self, features: Any) -> Floats:
        """Return (N, K) float64 for features (N, D); the largest names the class, and of equals the first."""
        return _scores(self.estimator, (_matrix(features, "features") - self.mean) / self.scale)

    def predict(self, features: Any) -> np.ndarray:
        """Return the class of every row, (N,) int64."""
        return np.asarray(np.array(self.classes, dtype=np.int64)[self.scores(features).argmax(axis=1)])


def fit_head(head: Head, train: Pair, validation: Pair) -> FittedHead:
    """Fit a head to training features and choose its setting on validation features.

    Features are standardised by mean and standard deviation of the training features alone. Every setting is fitted to the
    training features alone; the one with the best validation accuracy stays as it is.

    Args:
        head: one of `HEADS`. train, validation: (features (N, D), labels (N,)).

    Raises:
        UserError: test features, shapes that do not fit, one class only, or validation labels that training lacks.
    """
    for pair in (train, validation):
        refuse_test(pair[0], "fit_head")
    (features, labels), (others, truth) = (
        _checked(pair, name) for pair, name in zip((train, validation), ("train", "validation"), strict=True)
    )
    _check_alike(features, labels, others, truth)
    rows = _chosen_rows(head, labels)
    features, labels = features[rows], labels[rows]
    mean, scale = features.mean(axis=0), features.std(axis=0)
    scale[scale == 0] = 1.0  # a constant feature tells nothing, whatever its scale
    standard, judged = (features - mean) / scale, (others - mean) / scale
    tried, best, kept = [], -1, None
    for setting in _settings(head, len(labels)):
        estimator, converged = _fit(head, setting, standard, labels)
        predicted = estimator.classes_[_scores(estimator, judged).argmax(axis=1)]
        tried.append(Try(setting, float((predicted == truth).mean()), converged))
        if best < 0 or tried[-1].accuracy > tried[best].accuracy:
            best, kept = len(tried) - 1, estimator
    assert kept is not None  # there is at least one setting
    return FittedHead(
        head=head,
        chosen=tried[best],
        tried=tuple(tried),
        mean=mean,
        scale=scale,
        classes=tuple(int(one) for one in kept.classes_),
        images=len(labels),
        numbers=_numbers(kept),
        estimator=kept,
    )


def _checked(pair: Pair, name: str) -> tuple[Floats, np.ndarray]:
    features, labels = _matrix(pair[0], f"{name} features"), to_numpy(pair[1])
    if labels.shape != features.shape[:1] or labels.dtype.kind not in "iu":
        raise UserError(
            f"{len(features)} {name} features need labels of shape ({len(features)},) and an integer type, got "
            f"{labels.shape} and {labels.dtype}."
        )
    return features, labels.astype(np.int64)


def _matrix(features: Any, name: str) -> Floats:
    values = to_numpy(features)
    if values.ndim != 2 or not values.size or values.dtype.kind not in "fiu":
        raise UserError(
            f"{name} must be numbers of shape (N, D), got shape {values.shape} and type {values.dtype}; "
            "flatten them, or take those of gradlab.transfer.features."
        )
    if not np.isfinite(values).all():
        raise UserError(
            f"{name} must be finite, got NaN or infinity; the network that made them has diverged."
        )
    return values.astype(np.float64)


def _check_alike(features: Floats, labels: np.ndarray, others: Floats, truth: np.ndarray) -> None:
    if features.shape[1] != others.shape[1]:
        raise UserError(
            f"training features have {features.shape[1]} columns and validation features {others.shape[1]}; take both "
            "from one layer."
        )
    if len(np.unique(labels)) < 2:
        raise UserError(f"the training features are of one class only ({labels[0]}); a classifier needs two.")
    missing = sorted(set(truth.tolist()) - set(labels.tolist()))
    if missing:
        raise UserError(
            f"class {missing[0]} of the validation features has no training feature; give some of every class."
        )


def _chosen_rows(head: Head, labels: np.ndarray) -> np.ndarray:
    """Return the rows to train on: all, or as many as the head takes, the same always."""
    if head.images is None or head.images >= len(labels):
        return np.arange(len(labels))
    import torch

    from gradlab.data import draw

    return np.asarray(draw(torch.from_numpy(labels), head.images, seed=0).numpy())


def _settings(head: Head, images: int) -> Sequence[Setting]:
    settings = head.settings()
    if not isinstance(head, NearestNeighbours):
        return settings
    fitting = [one for one in settings if one["k"] <= images]
    if not fitting:
        raise UserError(
            f"all numbers of neighbours {head.k} exceed the {images} training images; take smaller ones."
        )
    return fitting


def _fit(head: Head, setting: Setting, features: Floats, labels: np.ndarray) -> tuple[Any, bool]:
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        fitted = head.estimator(setting).fit(features, labels)
    return fitted, not any(issubclass(one.category, ConvergenceWarning) for one in caught)


def _scores(estimator: Any, features: Floats) -> Floats:
    name = next(one for one in SCORES if hasattr(estimator, one))
    found = np.asarray(getattr(estimator, name)(features), dtype=np.float64)
    return np.stack([-found, found], axis=1) if found.ndim == 1 else found  # two classes: one number


def _numbers(estimator: Any) -> int:
    # of an SVC coef_ exists for linear kernels only, and asking others for it is an error
    return sum(int(np.size(getattr(estimator, name))) for name in STORED if hasattr(estimator, name))
