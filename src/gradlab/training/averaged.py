"""The averaged weights of networks in training, in their places for a while."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch

from gradlab.training.loop import State
from gradlab.training.trainee import weights_of


@contextlib.contextmanager
def averaged(state: State) -> Iterator[None]:
    """Within the block the networks have their averaged weights, where there are any; values are exchanged in place."""
    _swap(state)
    try:
        yield
    finally:
        _swap(state)


def _swap(state: State) -> None:
    if state.average is not None:
        with torch.no_grad():
            weights_of(state.trainee).swap_(state.average)
