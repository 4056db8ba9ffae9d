"""`gradlab plan STUDY`: time and detectable effects before anything runs."""

from __future__ import annotations

import json as json_module
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

from gradlab.cli._studies import study_app
from gradlab.cli._text import duration
from gradlab.studies import STUDIES
from gradlab.studies.setup import parameters_of


def _plan(study: str, *, json: bool, **options: Any) -> int:
    from gradlab.running import plan

    own = parameters_of(STUDIES[study])
    found = plan(
        study, **{key: value for key, value in options.items() if key not in own or value is not None}
    )
    if json:
        sys.stdout.write(json_module.dumps(found.as_record(), indent=1) + "\n")
        return 0
    console = Console()
    bound = "at most " if found.is_upper_bound else "about "
    console.print(
        f"{study}: {bound}{duration(found.seconds)} on {found.workers} process(es).", highlight=False
    )
    table = Table("arm", "runs", "done", "time of one core", box=None, pad_edge=False)
    for arm in found.arms:
        table.add_row(arm.arm, str(arm.runs), str(arm.done), duration(arm.seconds))
    console.print(table)
    console.print("\nSmallest true effect that these seeds find with a power of 80 %:", highlight=False)
    table = Table(
        "claim", "part", "measure", "matters from", "found from", "seed SD", box=None, pad_edge=False
    )
    for claim in found.claims:
        low, high = claim.detectable
        effect = f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"
        sd = f"{claim.sd[0]:.2g}" if claim.sd[0] == claim.sd[1] else f"{claim.sd[0]:.2g} to {claim.sd[1]:.2g}"
        table.add_row(
            claim.claim, claim.label, claim.measure, f"{claim.delta:g}", effect, f"{sd} ({claim.source})"
        )
    console.print(table)
    return 0


app = study_app(
    "plan", "Say what a study would cost and could detect, from a few timed steps.", _plan, {}, sort_key=2
)
