"""What a run costs, told and never claimed: claims about time need runs side by side with nothing beside them."""

from __future__ import annotations

from gradlab.lab.kinds import Measure

COSTS = (
    Measure("seconds", "seconds", "lower", lambda run: run.seconds, on="train", learns=False),
    Measure(
        "peak memory",
        "MB",
        "lower",
        lambda run: float(run.run.made["peak_memory_mb"]),
        on="train",
        learns=False,
    ),
)
"""Wall time of the run, and the peak of its process's memory while it ran; of the machine and of what ran beside."""
