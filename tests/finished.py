"""A small study, run and reported in this process: what tests of reports and verification start from."""

import atexit
import shutil
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from gradlab.data import Dataset, info, load
from gradlab.lab import Request, run_design
from gradlab.procedures import TOOLBOX
from gradlab.reporting import write_when_changed

REPORT = Path("reports") / "tiny-digits-quick"


def request_here(out: Path, data: Dataset, seeds: Sequence[int], **more: Any) -> Request:
    """Return what is asked for: the data live in this process, so that everything runs here."""
    known: dict[str, Any] = {"preset": "quick", "device": "cpu", "memory": {data.name: data}}
    return Request(toolbox=TOOLBOX, data=data.name, info=info, seeds=tuple(seeds), out=out, **(known | more))


def make_report(out: Path) -> Path:
    """Put a run of the small design and its report into a folder; returns the report's folder. It is run once a process."""
    shutil.copytree(_whole(), out, dirs_exist_ok=True)
    return out / REPORT


@cache
def _whole() -> Path:
    from tests.lab.fakes import small_design

    place = tempfile.TemporaryDirectory()
    atexit.register(place.cleanup)
    out = Path(place.name)
    write_when_changed(run_design(small_design(), request_here(out, load("digits"), (0, 1, 2))), out / REPORT)
    return out
