"""What a folder of 2,016 records costs: listing it, and asking for a study whose runs are all there.

The records are those of one study with six seeds, copied under the names of 252: their numbers repeat, their specs do not.
Processor seconds of a fresh process each, beside those of `gradlab --help`, which only loads the program.

    python benchmarks/many_records.py
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from gradlab.lab.records import record as records
from gradlab.lab.records.binding import spec_hash

SEEDS, ROUNDS = 252, 5
STUDY = ("run", "residual-mlp", "--depths", "2", "3", "4", "--epochs", "1", "--width", "8")


def seconds(*words: str) -> float:
    """Run the program and return the processor seconds that it took."""
    before = os.times()
    subprocess.run([sys.executable, "-m", "gradlab.cli", *words], check=True, capture_output=True)
    after = os.times()
    used = after.children_user - before.children_user + after.children_system - before.children_system
    return float(used)


def copy_to(seeds: int, folder: Path) -> int:
    """Copy the records of every procedure at one seed to so many seeds; returns how many there are then."""
    found = [records.Record(path) for path in folder.iterdir() if records.is_record(path)]
    for one in {repr(sorted({**run.spec, "seed": None}.items())): run for run in found}.values():
        tables = {name: {column: one.table(name)[column] for column in table["columns"]}
                  for name, table in one.manifest["tables"].items()}  # fmt: skip
        tensors = {
            n: (one.folder / n).read_bytes() for n in one.manifest["files"] if n.endswith("safetensors")
        }
        for seed in range(seeds):
            spec = {**one.spec, "seed": seed}
            bound = cast(Any, SimpleNamespace(hash=spec_hash(spec), spec=spec))
            records.write_record(
                folder, bound, facts=one.facts, made=one.made, tables=tables, tensors=tensors
            )
    return sum(records.is_record(path) for path in folder.iterdir())


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as place:
        study = (*STUDY, "--out", place)
        seconds(*study)
        count = copy_to(SEEDS, Path(place) / "records")
        again = (*study, "--seeds", str(SEEDS - 2))
        seconds(*again)  # judges and draws them
        asked = {
            "gradlab --help": ("--help",),
            "gradlab runs list": ("runs", "list", place),
            "the same study": again,
        }
        taken = {
            name: statistics.median(seconds(*words) for _ in range(ROUNDS)) for name, words in asked.items()
        }
    print(
        f"{count:,} records; processor seconds, median of {ROUNDS}, and as a multiple of loading the program"
    )
    for name, value in taken.items():
        print(f"{name:18} {value:5.2f} s  {value / taken['gradlab --help']:4.1f} times")


if __name__ == "__main__":
    main()
