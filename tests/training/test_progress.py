"""The live line."""

import io
import sys

import pytest

from gradlab.models import MLP
from gradlab.training import Recipe, fit
from gradlab.training.fit import Epoch
from gradlab.training.progress import describe

from .examples import CLASSES, SHAPE, blobs


class Terminal(io.StringIO):
    def __init__(self, terminal):
        super().__init__()
        self.terminal = terminal

    def isatty(self):
        return self.terminal


def stderr_of(monkeypatch, terminal, progress):
    screen = Terminal(terminal)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("TERM", "xterm")
    fit(MLP(width=4).build(SHAPE, CLASSES, seed=0), blobs(), Recipe(epochs=3), progress=progress)
    return screen.getvalue()


def test_asked_for_it_shows_epoch_loss_accuracy_rate_and_time_left(monkeypatch):
    text = stderr_of(monkeypatch, terminal=True, progress=True)
    for words in ("3/3", "train loss", "validation loss", "validation accuracy", "images/s", "s left"):
        assert words in text


@pytest.mark.parametrize(("terminal", "progress"), [(False, None), (True, False)])
def test_it_is_silent_where_it_is_not_wanted(monkeypatch, terminal, progress):
    assert stderr_of(monkeypatch, terminal, progress) == ""


def test_on_a_terminal_it_shows_by_itself(monkeypatch):
    assert "images/s" in stderr_of(monkeypatch, terminal=True, progress=None)


def test_describe_averages_over_the_seeds():
    rows = ({"train_loss": 1.0, "validation_accuracy": 0.5}, {"train_loss": 2.0, "validation_accuracy": 1.0})
    epoch = Epoch(epoch=1, epochs=2, seeds=(0, 1), metrics=rows, images_per_second=12345.6, seconds_left=7.4)
    assert describe(epoch) == "train loss 1.5000  validation accuracy 0.7500  12,346 images/s  7 s left"
