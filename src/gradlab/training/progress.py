"""A live line on stderr: epoch, loss, accuracy, rate and time left."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

if TYPE_CHECKING:
    from gradlab.training.fit import Epoch


@contextlib.contextmanager
def show_progress(wanted: bool | None) -> Iterator[Callable[[Epoch], None]]:
    """Yield a listener that draws the live line, or one that does nothing; None draws on a terminal only."""
    if not (sys.stderr.isatty() if wanted is None else wanted):
        yield lambda _epoch: None
        return
    columns = (
        TextColumn("epoch"),
        MofNCompleteColumn(),
        BarColumn(bar_width=24),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def listen(epoch: Epoch) -> None:
            bar.update(task, total=epoch.epochs, completed=epoch.epoch, description=describe(epoch))

        yield listen


def describe(epoch: Epoch) -> str:
    """Say an epoch in one line, averaged over its seeds."""
    names = ("train_loss", "validation_loss", "validation_accuracy")
    means = [
        f"{name.replace('_', ' ')} {sum(row[name] for row in epoch.metrics) / len(epoch.metrics):.4f}"
        for name in names
        if epoch.metrics and name in epoch.metrics[0]
    ]
    rate, left = f"{epoch.images_per_second:,.0f} images/s", f"{epoch.seconds_left:.0f} s left"
    return "  ".join([*means, rate, left, *([epoch.note] if epoch.note else [])])
