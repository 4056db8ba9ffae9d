"""Memory of a study against the number of its runs: resident memory at most, with ten times as many runs.

Run `python benchmarks/study_memory.py [--runs 20] [--times 10] [--out rows.json]`. Records as in `many_records.py`. Peak resident
memory of a fresh process that judges and draws the study, that is asked for it again, and that draws its report from the
tables; the floor is the program's own memory (`gradlab --help`). The aim: ten times as many runs take at most a tenth more.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from _records import ARMS, STUDY, copy_records
from _rows import options, row, tell
from many_records import BLOCK, HELP
from start_up import program, seconds

PEAK = """
import resource, runpy, sys
sys.argv = ["gradlab", *sys.argv[1:]]
try:
    runpy.run_module("gradlab.cli", run_name="__main__")
finally:
    sys.stderr.write(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}\\n")
"""


def megabytes(*words: str) -> float:
    """Return the peak resident memory of the program."""
    done = subprocess.run([sys.executable, "-c", PEAK, *words], capture_output=True, text=True, check=True)
    return float(done.stderr.rpartition("peak ")[2])


def measured(source: Path, folder: Path, runs: int) -> tuple[dict[str, float], int]:
    """Return the memory of every way to a study of about so many runs, and how many there are."""
    seeds = max(1, round(runs / ARMS / BLOCK)) * BLOCK
    count = copy_records(source, folder / "records", seeds)
    study = (*STUDY, "--seeds", str(seeds), "--out", str(folder))
    return {
        "judging and drawing": megabytes(*study),
        "asked for again": megabytes(*study),
        "drawn again from its tables": megabytes("report", str(folder)),
    }, count


def main() -> None:
    """Measure and print."""
    asked = options(__doc__, runs=20, times=10).parse_args()
    with tempfile.TemporaryDirectory() as place:
        few = Path(place, "first")
        seconds(*program(*STUDY, "--out", str(few)))
        small, less = measured(few / "records", Path(place, "small"), asked.runs)
        large, more = measured(few / "records", Path(place, "large"), asked.runs * asked.times)
        least = megabytes("--help")
    rows = [
        row(f"a study of {more:,} runs, {name}", {"gradlab": [large[name]], f"{less:,} runs": [one], HELP: [least]},
            f"{less:,} runs", unit="MB", floor=HELP, at_least=1 / 1.1)
        for name, one in small.items()
    ]  # fmt: skip
    tell(rows, asked.out)


if __name__ == "__main__":
    main()
