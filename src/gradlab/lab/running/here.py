"""Execution in this very process, for data and modules that live in its memory, and all that rests on them."""

from __future__ import annotations

import time
from collections.abc import Sequence

from gradlab.lab.running.desk import Progress
from gradlab.lab.running.local import Hear, Waiting
from gradlab.lab.running.performing import Bench, perform
from gradlab.lab.running.units import Unit
from gradlab.lab.running.worker import progress_event

WAIT = 0.5
"""Seconds between two looks at a unit that another process holds."""


def run_here(units: Sequence[Unit], bench: Bench, *, on_event: Hear) -> None:
    """Run units one after the other, inputs first; those that another process holds are waited for."""
    waiting = Waiting(units, bench)
    while waiting.units:
        claimed = waiting.claim(on_event)
        if claimed is None:
            time.sleep(WAIT if waiting.units else 0)
            continue
        unit, held = claimed
        named = {"unit": unit.name, "label": unit.label}

        def tell(progress: Progress, named: dict[str, str] = named) -> None:
            on_event(progress_event(progress) | named)

        with held:
            perform(unit, bench, tell)
        waiting.undone.discard(unit.name)
        on_event({"event": "done", **named})
