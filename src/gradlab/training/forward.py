"""One forward pass of what trains, as an objective calls it."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from torch import Tensor

from gradlab.training.device import autocast
from gradlab.training.feed import Inputs
from gradlab.training.modes import kept_modes, kept_statistics
from gradlab.training.recipe import Precision
from gradlab.types import UserError

if TYPE_CHECKING:
    from gradlab.training.loop import State


class TrainingForward:
    """Forward passes on one batch; see `gradlab.training.objective.Forward`.

    Args:
        labels: (S, B), for what augments features by class.
        prepare: whether inputs are images in [0, 1] that are still to be prepared.
    """

    def __init__(self, state: State, precision: Precision, labels: Tensor, *, prepare: bool = False) -> None:
        self._state, self._precision, self._labels, self._prepare = state, precision, labels, prepare

    def __call__(self, inputs: Inputs) -> Tensor:
        """Map inputs (S, B, ...) to logits (S, B, K) in the modes in which the layers are."""
        with self._augmented_features():
            return self._pass(inputs, self._labels.shape)

    def unmoved(self, inputs: Inputs) -> Tensor:
        """Map inputs to logits as in training; buffers are left as they are."""
        with kept_statistics(self._state.trainee.module):
            return self(inputs)

    def still(self, inputs: Inputs) -> Tensor:
        """Map inputs, of any number of samples, to logits in eval mode; modes are given back."""
        module = self._state.trainee.module
        rows = inputs.shape[:2] if isinstance(inputs, Tensor) else self._labels.shape
        with kept_modes(module):
            module.eval()
            return self._pass(inputs, rows)

    def _pass(self, inputs: Inputs, rows: Sequence[int]) -> Tensor:
        trainee = self._state.trainee
        with autocast(self._labels.device, self._precision):
            features = trainee.prepare(cast(Tensor, inputs)) if self._prepare else inputs
            logits = trainee.forward(features)
        logits = full(logits, self._precision)
        check_logits(logits, rows)
        return logits

    def _augmented_features(self) -> contextlib.AbstractContextManager[None]:
        """Within the block the features before the last linear layer are augmented, if the recipe says so."""
        augmenter, module = self._state.augmenter, self._state.trainee.module
        if augmenter is None or not augmenter.changes_features or not module.training:
            return contextlib.nullcontext()
        return augmenter.in_features(module, self._labels)


def full(logits: Tensor, precision: Precision) -> Tensor:
    """Return logits of a half precision as float32, since losses are summed there."""
    return logits.float() if precision in ("bf16", "fp16") else logits


def check_logits(logits: Tensor, rows: Sequence[int]) -> None:
    """Refuse a model whose output is not one row of logits for each of (S, B) samples."""
    if logits.dim() != 3 or logits.shape[:2] != tuple(rows):
        raise UserError(
            f"the model must return logits of shape (N, K), got {tuple(logits.shape[1:])} for {rows[1]} images; "
            "flatten or pool before its last linear layer."
        )
