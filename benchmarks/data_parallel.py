"""One training by two processes and by one: the largest difference of a weight after an epoch, and images a second.

Run `python benchmarks/data_parallel.py [--processes 2] [--device cpu] [--images 2048] [--batch-size 128]`, a minute on two cores.
ResNet-20 (batch norm, augmentation, SGD with momentum) on generated images of CIFAR-10's size, one epoch in fp64 and one in fp32,
started from the same bits. Each process computes on one thread, connected by gloo on a CPU and NCCL on GPUs. Differences are
relative to the largest weight of the same tensor; how far one process in fp32 is from itself in fp64 says how much of them
the training makes of rounding alone. Images a second are those of the fp32 epoch, start and data set aside; where
the processes share a core, which the line says, two are no faster than one.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from gradlab.augmentation import Crop, Flip
from gradlab.data import Dataset, from_tensors
from gradlab.lab.running.local import usable_cores
from gradlab.models import build
from gradlab.training import Recipe, fit

RECIPE = Recipe(
    optimizer="sgd", learning_rate=0.05, momentum=0.9, weight_decay=1e-4, epochs=1, keep="last",
    augmentation=(Flip(), Crop(padding=4)),
)  # fmt: skip


def data(images: int) -> Dataset:
    """Return made-up images of CIFAR-10's size, with a part for validation that nothing depends on."""
    stream = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (images + 100, 3, 32, 32), generator=stream, dtype=torch.uint8)
    labels = torch.arange(images + 100) % 10
    return from_tensors(
        pixels[100:], labels[100:], validation=(pixels[:100], labels[:100]), test=(pixels[:10], labels[:10])
    )


def work(images: int, batch_size: int, device: str, out: Path | None) -> None:
    """Train the two epochs; who has a file writes weights and rates there."""
    torch.set_num_threads(1)
    found: dict[str, Any] = {}
    for precision in ("fp64", "fp32"):
        heard: list[Any] = []
        trained = fit(
            build("resnet20", seed=0), data(images), replace(RECIPE, batch_size=batch_size), device=device,
            precision=precision, progress=False, listeners=[heard.append],
        )  # fmt: skip
        rate = heard[-1].images_per_second if heard else 0.0
        found[precision] = {"state": trained.model.cpu().state_dict(), "rate": rate}
    if out is not None:
        torch.save(found, out)


def run(processes: int, options: argparse.Namespace, out: Path) -> dict[str, Any]:
    """Train in that many processes, and return what the first one wrote."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    told = os.environ | {"WORLD_SIZE": str(processes), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    words = [
        "--images",
        str(options.images),
        "--batch-size",
        str(options.batch_size),
        "--device",
        options.device,
    ]
    running = [
        subprocess.Popen(
            [sys.executable, __file__, *words, "--work", *([str(out)] if rank == 0 else ["none"])],
            env=told | {"RANK": str(rank), "LOCAL_RANK": str(rank), "OMP_NUM_THREADS": "1"},
        )
        for rank in range(processes)
    ]
    if any(one.wait() for one in running):
        sys.exit("a process failed; its message stands above")
    return torch.load(out)  # type: ignore[no-any-return]


def difference(mine: dict[str, Any], theirs: dict[str, Any]) -> float:
    """Return the largest difference of a number, relative to the largest of its tensor."""
    pairs = [
        (value.double(), theirs[name].double()) for name, value in mine.items() if value.is_floating_point()
    ]
    return max(float((one - other).abs().max() / other.abs().max()) for one, other in pairs)


def main() -> None:
    """Train both ways and print both numbers."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--device", default="cpu", help="cpu or cuda, one GPU for each process")
    parser.add_argument("--images", type=int, default=2048, help="of one epoch")
    parser.add_argument("--batch-size", type=int, default=128, help="of all processes together")
    parser.add_argument("--work", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        out = None if options.work == "none" else Path(options.work)
        work(options.images, options.batch_size, options.device, out)
        return
    with tempfile.TemporaryDirectory() as folder:
        one, several = (run(count, options, Path(folder) / f"{count}.pt") for count in (1, options.processes))
    cores = usable_cores()
    print(
        f"ResNet-20, {options.images:,} images, batch {options.batch_size}, {options.processes} processes on {options.device}, "
        f"{cores} usable core{'s' if cores > 1 else ''}, PyTorch {torch.__version__}"
    )
    for precision in ("fp64", "fp32"):
        apart = difference(several[precision]["state"], one[precision]["state"])
        print(f"largest weight difference after an epoch, {precision}: {apart:.1e}")
    rounding = difference(one["fp32"]["state"], one["fp64"]["state"])
    print(f"for comparison, one process in fp32 and in fp64: {rounding:.1e}")
    before, now = one["fp32"]["rate"], several["fp32"]["rate"]
    together = f"{options.processes} together {now:,.0f} ({now / before:.2f} times)"
    print(f"images a second: one process {before:,.0f}, {together}")


if __name__ == "__main__":
    main()
