"""A small study, run and reported in this process: what tests of reports and verification start from."""

from pathlib import Path

from gradlab.data import load
from gradlab.reporting import write_when_changed
from tests.lab.conftest import run_here


def make_report(out: Path) -> Path:
    """Run the small design and write its report; returns the report's folder."""
    folder = out / "reports" / "tiny-digits-quick"
    write_when_changed(run_here(out, load("digits")), folder)
    return folder
