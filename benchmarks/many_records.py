"""What 10,000 records cost: listing them, showing one, and the report of a study of 1,000 runs.

    python benchmarks/many_records.py [--records 10000] [--runs 1000] [--rounds 5] [--out rows.json]

The records are those of one study with six seeds, linked under the names of further seeds: their numbers repeat, their specs
do not. Processor seconds of a fresh process each, the program's start included; the other side of each line is `gradlab --help`,
which only loads the program. The floor of a list is the program's start and a look at every record's folder (`os.stat` of two
files); without an index every spec would be read as well. That of a report drawn again is the start and the bytes of its
runs' tables, read and hashed.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from _records import ARMS, STUDY, copy_records
from _rows import Row, Side, in_turns, options, row, tell
from start_up import program, seconds

BLOCK = 6
"""Seeds that run together: a study asks for whole blocks, so that nothing is left to train."""
HELP = "gradlab --help"


def work(action: Callable[[], object]) -> float:
    """Return the processor seconds of some work in this process."""
    begun = time.process_time()
    action()
    return time.process_time() - begun


def look(records: Path) -> None:
    """Ask for times and sizes of two files of every record."""
    for name in sorted(os.listdir(records)):
        for file in ("manifest.json", "spec.json"):
            os.stat(f"{records}/{name}/{file}")


def read_specs(records: Path) -> None:
    """Read and parse the spec of every record."""
    for name in sorted(os.listdir(records)):
        json.loads(Path(records, name, "spec.json").read_bytes())


def read_tables(records: Path) -> None:
    """Read and hash every table."""
    for path in records.glob("*/*.parquet"):
        hashlib.sha256(path.read_bytes()).hexdigest()


def rows_of(times: dict[str, list[float]], floors: dict[str, float], counts: tuple[int, int]) -> list[Row]:
    """Return the rows; floors are given without the program's start."""
    records, runs = counts
    named = {
        f"gradlab runs list of {records:,} records": ("list", "a look at every record", 2.0),
        f"the same without its index, {records:,} records": ("list anew", "every spec read", None),
        f"gradlab runs show, among {records:,} records": ("show", "", 2.0),
        f"the report of {runs:,} runs asked for again": ("again", "a look at every record of the study", 2.0),
        f"the report of {runs:,} runs drawn again from their tables": ("report", "every table read and hashed", None),
    }  # fmt: skip
    found = []
    for what, (own, least, aim) in named.items():
        one = row(what, times, HELP, own=own, unit="s", at_most=aim)
        start = one.others + floors.get(own, 0.0)
        found.append(replace(one, floor=start, floor_is=f"the start{', ' if least else ''}{least}"))
    return found


def main() -> None:
    """Measure and print."""
    asked = options(__doc__, records=10_000, runs=1_000, rounds=5).parse_args()
    seeds = {"list": asked.records // ARMS, "report": round(asked.runs / ARMS / BLOCK) * BLOCK}
    with tempfile.TemporaryDirectory() as place:
        few, many, study = (Path(place, name) for name in ("few", "many", "study"))
        seconds(*program(*STUDY, "--out", str(few)))
        counts = (
            copy_records(few / "records", many / "records", seeds["list"]),
            copy_records(few / "records", study / "records", seeds["report"]),
        )
        again = program(*STUDY, "--seeds", str(seeds["report"]), "--out", str(study))
        seconds(*again)  # judges and draws them

        def anew() -> float:
            (many / "index.json").unlink(missing_ok=True)
            return seconds(*program("runs", "list", str(many)))

        name = min(os.listdir(many / "records"))
        sides: dict[str, Side] = {
            HELP: lambda: seconds(*program("--help")),
            "list anew": anew,
            "list": lambda: seconds(*program("runs", "list", str(many))),
            "show": lambda: seconds(*program("runs", "show", name, "--runs", str(many))),
            "again": lambda: seconds(*again),
            "report": lambda: seconds(*program("report", str(study))),
        }
        times = in_turns(sides, asked.rounds, warm=0)
        floors = {
            "list": work(lambda: look(many / "records")),
            "list anew": work(lambda: read_specs(many / "records")),
            "again": work(lambda: look(study / "records")),
            "report": work(lambda: read_tables(study / "records")),
        }
    tell(rows_of(times, floors, counts), asked.out)


if __name__ == "__main__":
    main()
