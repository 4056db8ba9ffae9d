"""The one form of what a benchmark found: a row for each ratio, told as a line and written as JSON for `table.py`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

Side = Callable[[], float]
"""Does its part of a round and returns what it took."""
Times = Mapping[str, Sequence[float]]
"""Name of a side -> what it took in every round."""
KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "1000000000"}
"""The settings of malloc with which gradlab's workers run."""
WIDE = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
"""Instruction sets on which speed depends."""
PEERS = (
    "numpy", "scikit-learn", "transformers", "accelerate", "torchattacks", "foolbox", "adversarial-robustness-toolbox",
    "pytorch-ood", "captum", "grad-cam",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One ratio: how many times as much another takes as gradlab; above 1 gradlab takes less.

    Attributes:
        what: the task. gradlab, others: medians of the rounds, in `unit`. other: the other side's name.
        ratio: median of the rounds' ratios, others over gradlab. low, high: of the rounds.
        floor: what the task takes at least, in `unit`; of what that consists: `floor_is`.
        at_least: aim for the ratio. at_most: aim for gradlab's own amount. floors: aim for how many floors it takes.
    """

    what: str
    gradlab: float
    other: str
    others: float
    ratio: float
    low: float
    high: float
    unit: str = "ms"
    floor: float | None = None
    floor_is: str = ""
    at_least: float | None = None
    at_most: float | None = None
    floors: float | None = None

    @property
    def over_floor(self) -> float | None:
        """How many times the floor gradlab takes."""
        return None if not self.floor else self.gradlab / self.floor

    @property
    def aim(self) -> str:
        """The aim in words."""
        least = [] if self.at_least is None else [f"at least {self.at_least:.3g} times"]
        most = [] if self.at_most is None else [f"at most {self.at_most:g} {self.unit}".rstrip()]
        floors = [] if self.floors is None else [f"at most {self.floors:g} floors"]
        return ", ".join(least + most + floors)

    @property
    def is_met(self) -> bool | None:
        """Whether the aim is met; None without one."""
        met = [self.ratio >= self.at_least] if self.at_least is not None else []
        met += [self.gradlab <= self.at_most] if self.at_most is not None else []
        met += [self.over_floor <= self.floors] if self.floors and self.over_floor else []
        return all(met) if met else None

    def as_record(self) -> dict[str, Any]:
        """Return the row as JSON has it."""
        return vars(self) | {"over_floor": self.over_floor, "aim": self.aim, "is_met": self.is_met}


def row(
    what: str, times: Times, other: str, *, own: str = "gradlab", floor: str | None = None, **more: Any
) -> Row:
    """Return the row of two sides; `floor` names a third that is the floor of the first."""
    ratios = [b / a for a, b in zip(times[own], times[other], strict=True)]
    least = {} if floor is None else {"floor": statistics.median(times[floor]), "floor_is": floor}
    middle = [statistics.median(times[name]) for name in (own, other)]
    return Row(
        what, middle[0], other, middle[1], statistics.median(ratios), min(ratios), max(ratios), **least | more
    )


def in_turns(sides: Mapping[str, Side], rounds: int, warm: int = 1) -> dict[str, list[float]]:
    """Let the sides take turns, so that other work on the machine hits all; the first `warm` rounds do not count."""
    found: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(warm + rounds):
        for name, side in sides.items():
            spent = side()
            if turn >= warm:
                found[name].append(spent)
    return found


def milliseconds(work: Callable[[], object], count: int = 1) -> Side:
    """Return a side that takes the processor's milliseconds of one of `count` pieces of some work."""

    def side() -> float:
        begun = time.process_time()
        work()
        return 1e3 * (time.process_time() - begun) / count

    return side


def with_kept_memory() -> None:
    """Start this script again with the malloc of gradlab's workers, unless it has it; the system reads it at the start."""
    if not KEEP_MEMORY.items() <= os.environ.items():
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | KEEP_MEMORY)


def options(doc: str | None, **numbers: int) -> argparse.ArgumentParser:
    """Return a reader of the command line: whole numbers with their defaults, and `--out`."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    for name, default in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=default, help=f"default {default}")
    parser.add_argument("--out", type=Path, help="file for the rows as JSON")
    return parser


def tell(rows: Sequence[Row], out: Path | None, **more: Any) -> None:
    """Print a line for every row, and write them with machine, versions and whatever else was found."""
    for one in rows:
        print(line_of(one.as_record()), flush=True)
    if out is not None:
        found = {"machine": machine(), "rows": [one.as_record() for one in rows]}
        out.write_text(json.dumps(found | more, indent=1) + "\n", encoding="utf-8")


def line_of(one: Mapping[str, Any]) -> str:
    """Say a row in a line."""
    told = (
        f"{one['what']}: gradlab {amount(one['gradlab'], one['unit'])}, {one['other']} "
        f"{amount(one['others'], one['unit'])}, {one['ratio']:.2f} times ({one['low']:.2f} to {one['high']:.2f})"
    )
    if one["over_floor"]:
        told += f"; {one['over_floor']:.2f} times the floor ({one['floor_is']})"
    return told + (f"; aim {one['aim']}: {'met' if one['is_met'] else 'not met'}" if one["aim"] else "")


def amount(value: float, unit: str) -> str:
    """Say an amount with three digits, such as "1,234 ms" or "0.0451 s"."""
    return f"{value:,.0f} {unit}".strip() if abs(value) >= 100 else f"{value:.3g} {unit}".strip()


def machine() -> dict[str, Any]:
    """Return what the numbers depend on: processor, cores, instruction sets, and versions of what is here."""
    about = _lines_of(Path("/proc/cpuinfo"))
    flags = about.get("flags", about.get("Features", "")).split()
    return {
        "processor": about.get("model name", platform.processor() or platform.machine()),
        "cores": os.cpu_count(),
        "usable cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "instructions": [name for name in WIDE if name in flags],
        "busy": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "torch": _version("torch"),
        "peers": {name: found for name in PEERS if (found := _version(name))},
    }


def _lines_of(path: Path) -> dict[str, str]:
    """The first value of every line "name: value"."""
    if not path.is_file():
        return {}
    pairs = [line.partition(":") for line in path.read_text(encoding="utf-8").splitlines()]
    return {name.strip(): value.strip() for name, _, value in reversed(pairs)}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
