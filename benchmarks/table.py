"""One table of all benchmarks: every line a ratio, its floor, and whether the aim is met; `--compare` says what became slower.

    make bench                                                 # bench.md and bench.json in the current folder
    python benchmarks/table.py --only text attacks --peers .peers
    python benchmarks/table.py --compare old.json --tolerance 1.15   # ends with 1 if a line became slower
    python benchmarks/table.py --read bench.json --compare old.json  # the same without measuring

Every script of `BENCHES` runs in a process of its own with small settings, minutes altogether on an idle machine, hours on none.
Peers of which several cannot live in one environment have their own, FOLDER/attacks, FOLDER/detection and FOLDER/explanations
(`make peers`), with gradlab's requirements; gradlab itself comes from this clone. Where one is missing, the table says so.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from _rows import amount

HERE = Path(__file__).resolve().parent
Found = dict[str, Any]
"""What bench.json holds of each benchmark: settings, date, machine and rows, or why there are none."""


@dataclass(frozen=True)
class Bench:
    """A script, its settings here, and the environment of its peers, if that is one of its own."""

    script: str
    settings: str = ""
    peers: str = ""


BENCHES = {
    "notebook loop": Bench("notebook_loop.py", "--rounds 2"),
    "stacked seeds": Bench("stacked_seeds.py", "--rounds 5"),
    "CNN training": Bench("training_speed.py", "--rounds 1"),
    "probes": Bench("probe_cost.py", "--rounds 3"),
    "text": Bench("text_speed.py", "--rounds 1"),
    "text batches": Bench("text_batches.py", "--rounds 1"),
    "attacks": Bench("attack_speed.py", "--images 256 --rounds 1", "attacks"),
    "few pixels": Bench("few_pixel_speed.py", "--rounds 1", "attacks"),
    "detection": Bench("detection_speed.py", "--images 2000 --bank 10000 --peers 1000", "detection"),
    "explanations": Bench("explanations.py", "--images 64 --rounds 3 --calls 20", "explanations"),
    "decoding": Bench("jpeg_decoding.py", "--rounds 2"),
    "start-up": Bench("start_up.py", "--rounds 3"),
    "many records": Bench("many_records.py", "--rounds 3"),
    "memory of a study": Bench("study_memory.py"),
    "memory of fit": Bench("fit_memory.py"),
}


def measure(name: str, peers: Path) -> Found:
    """Run a benchmark in a process of its own; returns what it wrote, or why it wrote nothing."""
    bench = BENCHES[name]
    python = Path(sys.executable) if not bench.peers else peers / bench.peers / "bin" / "python"
    if not python.exists():
        return {"missing": f"peer not here: no environment {peers / bench.peers}"}
    environment = os.environ | {"PYTHONPATH": str(HERE.parent / "src")}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "rows.json")
        command = [str(python), str(HERE / bench.script), *bench.settings.split(), "--out", str(out)]
        done = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode or not out.is_file():
            said = done.stderr.strip().splitlines()[-1:] or [f"it ended with {done.returncode}"]
            return {"missing": said[0]}
        date = datetime.now(UTC).date().isoformat()
        return {"settings": bench.settings, "date": date, **json.loads(out.read_text(encoding="utf-8"))}


def rows_of(found: Found) -> Iterator[tuple[str, Found]]:
    """Yield every row with its benchmark's name, in the order of the list."""
    for name in BENCHES:
        bench = found["benches"].get(name, {})
        for one in bench.get("rows", ()):
            yield name, one


def markdown(found: Found) -> str:
    """Return the table, and below it what it was measured on."""
    head = ("benchmark", "task", "gradlab", "the other", "times as fast", "over the floor", "aim")
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for name, one in rows_of(found):
        floor = "" if one["over_floor"] is None else f"{one['over_floor']:.2f} ({one['floor_is']})"
        met = {True: "met", False: "not met", None: ""}[one["is_met"]]
        cells = (
            name, one["what"], amount(one["gradlab"], one["unit"]), f"{one['other']}: {amount(one['others'], one['unit'])}",
            f"{one['ratio']:.2f} ({one['low']:.2f} to {one['high']:.2f})", floor, f"{one['aim']}: {met}" if one["aim"] else "",
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        *(f"- {name}: {one['missing']}" for name, one in found["benches"].items() if "missing" in one),
    ]
    return "\n".join([*lines, "", *_machines(found)]) + "\n"


def _machines(found: Found) -> Iterator[str]:
    """Say on what was measured, and with which peers."""
    all_of_them = [
        one["machine"] | {"date": one["date"]} for one in found["benches"].values() if "machine" in one
    ]
    for about in all_of_them[:1]:
        yield (
            f"Measured {about['date']}: {about['processor']}, {about['usable cores']} of {about['cores']} cores, "
            f"{', '.join(about['instructions'])}; Python {about['python']}, torch {about['torch']}; "
            "processes that wanted a core when a benchmark ended: "
            f"{min(one['busy'] for one in all_of_them):g} to {max(one['busy'] for one in all_of_them):g}."
        )
    peers = {name: version for one in all_of_them for name, version in one["peers"].items()}
    yield ", ".join(f"{name} {version}" for name, version in sorted(peers.items())) + "."


def slower(old: Found, new: Found, tolerance: float) -> tuple[list[str], list[str]]:
    """Say which lines became slower by more than a factor, and which could not be compared."""
    known = {(name, one["what"], one["other"]): one for name, one in rows_of(old)}
    fresh = {(name, one["what"], one["other"]): one for name, one in rows_of(new)}
    worse = [
        f"{name}, {what}: {known[name, what, other]['ratio']:.2f} times as fast as {other} before, {one['ratio']:.2f} now"
        for (name, what, other), one in fresh.items()
        if (name, what, other) in known and known[name, what, other]["ratio"] > tolerance * one["ratio"]
    ]
    gone = [f"{name}, {what}, beside {other}: not measured now" for name, what, other in known.keys() - fresh.keys()
            if name in new["benches"]]  # fmt: skip
    return worse, sorted(gone)


def asked_for(words: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=BENCHES, default=list(BENCHES),
                        help="measure these, and keep what bench.json says of others")  # fmt: skip
    parser.add_argument(
        "--peers", type=Path, default=Path(".peers"), metavar="FOLDER", help="environments of peers"
    )
    parser.add_argument("--out", type=Path, default=Path("."), help="folder for bench.md and bench.json")
    parser.add_argument("--read", type=Path, metavar="NEW.json", help="take these instead of measuring")
    parser.add_argument("--compare", type=Path, metavar="OLD.json", help="say what became slower since")
    parser.add_argument("--tolerance", type=float, default=1.15, help="a line is slower from this factor on")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    """Measure, write the table, compare."""
    asked = asked_for(words)
    old = json.loads(asked.compare.read_text(encoding="utf-8")) if asked.compare else None
    if asked.read:
        found = json.loads(asked.read.read_text(encoding="utf-8"))
    else:
        found = {"benches": kept(asked.out, asked.only)}
        for name in asked.only:
            print(f"--- {name}", flush=True)
            found["benches"][name] = measure(name, asked.peers)
            print(found["benches"][name].get("missing", ""), flush=True)
            write(found, asked.out)  # also what was measured before an interruption is kept
    worse, gone = slower(old, found, asked.tolerance) if old else ([], [])
    for told in (*gone, *(f"slower: {one}" for one in worse)):
        print(told)
    if old and not worse:
        print(f"No line became slower by a factor of {asked.tolerance:g}.")
    return 1 if worse else 0


def kept(folder: Path, only: Sequence[str]) -> Found:
    """Return what bench.json says of the other benchmarks."""
    file = folder / "bench.json"
    known = json.loads(file.read_text(encoding="utf-8"))["benches"] if file.is_file() else {}
    return {name: known[name] for name in BENCHES if name in known and name not in only}


def write(found: Found, folder: Path) -> None:
    """Write both forms."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bench.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (folder / "bench.md").write_text(markdown(found), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
