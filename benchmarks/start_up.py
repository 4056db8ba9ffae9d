"""What the program's start costs: `gradlab --help`, `import gradlab`, and the report of a study that is finished.

Run `python benchmarks/start_up.py [--rounds 5] [--out rows.json]`. Processor seconds of fresh processes in turns. The other side
is `import torch`, with which any program begins that loads PyTorch first; the floor is Python itself, which does nothing, and
that of a report `gradlab --help`, which only loads the program.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile

from _records import STUDY
from _rows import in_turns, options, row, tell


def program(*words: str) -> tuple[str, ...]:
    """Return the command line of `gradlab` with these words."""
    return (sys.executable, "-m", "gradlab.cli", *words)


def seconds(*command: str) -> float:
    """Run a command and return the processor seconds that it and its processes took."""
    before = _used_by_children()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-500:]}")
    return _used_by_children() - before


def _used_by_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure and print."""
    asked = options(__doc__, rounds=5).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        study = program(*STUDY, "--out", folder)
        seconds(*study)
        commands = {
            "gradlab --help": program("--help"),
            "import gradlab": (sys.executable, "-c", "import gradlab"),
            "a finished study asked for again": study,
            "its report drawn again": program("report", folder),
            "python": (sys.executable, "-c", "pass"),
            "import torch": (sys.executable, "-c", "import torch"),
        }
        sides = {name: lambda command=command: seconds(*command) for name, command in commands.items()}
        times = in_turns(sides, asked.rounds)  # type: ignore[arg-type]
    aims = {"a finished study asked for again": 3.0}
    rows = [
        row(name, times, "import torch", own=name, unit="s", at_most=aims.get(name),
            floor="gradlab --help" if "again" in name else "python")
        for name in list(commands)[:4]
    ]  # fmt: skip
    tell(rows, asked.out)


if __name__ == "__main__":
    main()
