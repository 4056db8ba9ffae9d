"""Peak memory of `fit` in copies of the trained weights, for a module of 100 MB.

Run `python benchmarks/fit_memory.py [--out rows.json] [--megabytes 100]`. Every case runs in a process of its own; the
peak resident memory over what it was before `fit`, with the given module in memory, is divided by the bytes of the weights.
The aims are at most 6 with Adam, and at most 7 with a checkpoint.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import torch
from _rows import Row, options, row, tell
from torch import nn

from gradlab.data import Split
from gradlab.models import MLP
from gradlab.training import Recipe, fit

AIMS = {"adam": 6.0, "adam, checkpoint": 7.0, "adam, resumed": 7.0, "sgd": 6.0, "mlp, adam": 6.0}
LAYERS = 6
LEAST = "gradients and moments alone"
MIB = 2**20


def module(megabytes: int) -> nn.Module:
    """Build linear layers of about so many megabytes in float32."""
    width = round((megabytes * MIB / 4 / LAYERS) ** 0.5)
    layers = [layer for _ in range(LAYERS) for layer in (nn.Linear(width, width), nn.ReLU())]
    return nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.ReLU(), *layers, nn.Linear(width, 10))


def mlp(megabytes: int) -> nn.Module:
    """Build an MLP of gradlab of about so many megabytes."""
    width = round((megabytes * MIB / 4 / LAYERS) ** 0.5)
    return MLP(width=width, depth=LAYERS).build((1, 8, 8), 10, seed=0)


def split(role: str) -> Split:
    """Generate a few random images."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (64, 1, 8, 8), generator=generator, dtype=torch.uint8)
    return Split(images, torch.randint(0, 10, (64,), generator=generator), role)  # type: ignore[arg-type]


def resident() -> int:
    """Return the bytes of memory that this process holds, without what it shares with files."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(fields["RssAnon"].split()[0]) * 1024


class Watch:
    """Within the block a thread looks at the memory every few milliseconds."""

    def __enter__(self) -> Watch:
        self.peak, self._stop = resident(), threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.is_set():
            self.peak = max(self.peak, resident())
            time.sleep(0.002)


def case(name: str, megabytes: int) -> None:
    """Train two epochs of two batches and print the copies."""
    torch.set_num_threads(1)
    model = (mlp if name.startswith("mlp") else module)(megabytes)
    train, validation = split("train"), split("validation")
    recipe = Recipe(epochs=2, batch_size=32, optimizer="sgd" if name == "sgd" else "adam")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "c" if "checkpoint" in name or "resumed" in name else None
        if "resumed" in name:  # written by another process, whose memory does not count
            command = [sys.executable, __file__, "--case", "write", "--folder", folder]
            subprocess.run([*command, "--megabytes", str(megabytes)], check=True)
        torch.randn(64, 64) @ torch.randn(64, 64)  # what PyTorch allocates at its first product
        before, numbers = resident(), sum(p.numel() * p.element_size() for p in model.parameters())
        with Watch() as watch:
            fit(model, train, recipe, validation=validation, checkpoint=file, device="cpu", progress=False)
    print((watch.peak - before) / numbers)


def write(folder: Path, megabytes: int) -> None:
    """Train one epoch and leave the checkpoint."""
    torch.set_num_threads(1)
    recipe = Recipe(epochs=2, batch_size=32)
    torch.manual_seed(0)
    model = module(megabytes)
    fit(
        model,
        split("train"),
        recipe,
        validation=split("validation"),
        checkpoint=folder / "c",
        device="cpu",
        pause_after=1,
    )


def main() -> None:
    """Measure every case in a process of its own."""
    parser = options(__doc__, megabytes=100)
    parser.add_argument("--case", default=None, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, default=None, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.case == "write":
        write(asked.folder, asked.megabytes)
    elif asked.case is not None:
        torch.manual_seed(0)
        case(asked.case, asked.megabytes)
    else:
        tell([compare(name, asked.megabytes) for name in AIMS], asked.out)


def compare(name: str, megabytes: int) -> Row:
    """Run a case and hold it against what the weights, their gradients and their moments take."""
    command = [sys.executable, __file__, "--case", name, "--megabytes", str(megabytes)]
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": str(MIB)}  # what is given back leaves the process
    answer = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    least = 1.0 if name == "sgd" else 3.0  # of the given weights: gradients, and Adam's two moments
    times = {"gradlab": [float(answer.stdout)], LEAST: [least]}
    return row(f"memory of fit, {name}", times, LEAST, floor=LEAST, unit="copies", at_most=AIMS[name])


if __name__ == "__main__":
    main()
