"""A small study, run and reported in this process: what tests of reports and verification start from."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gradlab.data import Dataset, info, load
from gradlab.lab import Request, run_design
from gradlab.procedures import TOOLBOX
from gradlab.reporting import write_when_changed


def request_here(out: Path, data: Dataset, seeds: Sequence[int], **more: Any) -> Request:
    """Return what is asked for: the data live in this process, so that everything runs here."""
    known: dict[str, Any] = {"preset": "quick", "device": "cpu", "memory": {data.name: data}}
    return Request(toolbox=TOOLBOX, data=data.name, info=info, seeds=tuple(seeds), out=out, **(known | more))


def make_report(out: Path) -> Path:
    """Run the small design and write its report; returns the report's folder."""
    from tests.lab.fakes import small_design

    folder = out / "reports" / "tiny-digits-quick"
    write_when_changed(run_design(small_design(), request_here(out, load("digits"), (0, 1, 2))), folder)
    return folder
