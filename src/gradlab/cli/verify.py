"""`gradlab verify PATH`: recompute every number of a report, or of a committed result, from its records."""

from __future__ import annotations

import json as json_module
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console

from gradlab._plain import printable
from gradlab.cli._tables import counted

app = App(name="verify", help_epilogue="Example: gradlab verify runs", help_format="plaintext")


@app.default
def verify(
    path: Path,
    /,
    *,
    design: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    rerun: int = 0,
    json: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
) -> int:
    """Recompute every number of a report from its records; exit code 1 if any differs.

    It starts from the predictions for every test image and the logs of every epoch, and trains nothing.

    Args:
        path: a report, its folder, an --out folder, or a folder of committed results.
        design: also build the study afresh, and name every claim or smallest effect that it would not have.
        rerun: also do so many of the runs again, chosen at random, and compare their bits; needs the data.
        json: print what was found as JSON.
    """
    from gradlab.verification import verify as verify_path

    found = verify_path(path, design=design, rerun=rerun)
    if json:
        text = json_module.dumps([asdict(one) | {"folder": str(one.folder)} for one in found], indent=1)
        sys.stdout.write(text + "\n")
    console = Console(soft_wrap=True, quiet=json)
    for one in found:
        state = "sound" if one.is_sound else counted(len(one.differences), "difference")
        numbers = (
            f"{counted(one.numbers, 'value')} recomputed from {counted(one.runs, 'run')}"
            if one.numbers
            else "not recomputed"
        )
        if one.summarised:
            numbers += f" ({counted(one.summarised, 'measure')} of arms without a claim from recorded values and variances)"
        again = f", {counted(one.again, 'run')} done again" if one.again else ""
        console.print(printable(f"{one.folder}: {state}, {numbers}{again}"), highlight=False, markup=False)
        for difference in one.differences:
            console.print(printable(f"  {difference}"), highlight=False, markup=False)
    return 0 if all(one.is_sound for one in found) else 1
