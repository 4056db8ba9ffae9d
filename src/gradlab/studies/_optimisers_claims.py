"""What is claimed about optimisers, each as a comparison fixed before the runs."""

from __future__ import annotations

from collections.abc import Mapping

from gradlab.lab.designing.claims import Claim
from gradlab.statistics import difference
from gradlab.studies._shared import part


def claims_of(grids: Mapping[str, tuple[float, ...]]) -> tuple[Claim, ...]:
    """Return the claims; `grids` are the rates that each optimiser tries."""
    lowest = min(grids["sgd"])
    delta, points = 0.005, "half a point"
    return (
        Claim(
            id="optimisers-adam",
            statement=f"With a rate of its own Adam is over {points} more accurate than plain SGD",
            parts=(part("Adam - SGD", difference("adam-best", "sgd-best"), delta=delta),),
        ),
        Claim(
            id="optimisers-momentum",
            statement=f"With rates of their own momentum and Adam are equally accurate, to {points}",
            parts=(part("Adam - momentum", difference("adam-best", "momentum-best"), delta=delta),),
            predicts="refuted",
        ),
        Claim(
            id="optimisers-adamw",
            statement=f"With rates of their own AdamW and Adam are equally accurate, to {points}",
            parts=(part("AdamW - Adam", difference("adamw-best", "adam-best"), delta=delta),),
            predicts="refuted",
        ),
        Claim(
            id="optimisers-rate",
            statement=f"A wrong rate costs over {points}: plain SGD at {lowest:g} against SGD at its chosen rate",
            parts=(
                part(f"chosen - {lowest:g}", difference("sgd-best", f"sgd-{lowest:g}"), delta=delta),
            ),
        ),
    )  # fmt: skip
