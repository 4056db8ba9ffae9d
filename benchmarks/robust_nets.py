"""AutoAttack, the standard ensemble, on the four small robust nets, beside the accuracy under PGD that was measured of them.

Run `OMP_NUM_THREADS=1 python benchmarks/robust_nets.py [--images 1000] [--nets cnn-a oval] [--out robust_nets.json]`; half an
hour or more on one core. It writes what it has after every hundred images and goes on from there. It needs CIFAR-10, MNIST and
the weights (docs/models.md names the files) under GRADLAB_DATA.

PGD here is as it was for the published figure: 40 steps of eps/10 from a random start, cross-entropy. A line ends with "above"
where AutoAttack leaves more images than that figure.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

import torch

from gradlab.attacks import PGD, AutoAttack
from gradlab.data import gather, load
from gradlab.models import build, load_weights
from gradlab.types import UserError

NETS = {
    "cnn-a": ("cifar10_cnn_a_adv", "cifar10", 2 / 255, 0.543),
    "oval": ("cifar10_oval_base", "cifar10", 2 / 255, 0.519),
    "resnet-b": ("cifar10_resnet2b_adv", "cifar10", 2 / 255, 0.571),
    "cnn-a-mnist": ("mnist_cnn_a_adv", "mnist", 0.3, 0.757),
}
"""Network -> its weights, its data, the radius, and its accuracy under PGD on the first 1,000 test images."""
BLOCK = 100


def block(name: str, start: int, count: int) -> dict[str, Any]:
    """Attack some test images of one network; returns how many are right, and stay right, and seconds of the processor."""
    weights, data, eps, _ = NETS[name]
    path = Path(os.environ.get("GRADLAB_DATA", "data")) / "weights" / f"{weights}.safetensors"
    network = load_weights(build(name), path).eval()
    test = load(data).test
    assert test is not None  # both have one
    rows = torch.arange(start, start + count)
    images, labels = gather(test, rows), test.labels[rows]
    found: dict[str, Any] = {"images": count}
    attacks = {
        "clean": None,
        "pgd": PGD(eps=eps, step_size=eps / 10, steps=40),
        "autoattack": AutoAttack(eps=eps),
    }
    for kind, attack in attacks.items():
        begin = time.process_time()
        stream = torch.Generator().manual_seed(start)
        seen = images if attack is None else attack(network, images, labels, generator=stream)
        assert float((seen - images).abs().max()) <= eps + 1e-6
        with torch.no_grad():
            found[kind] = int((network(seen).argmax(1) == labels).sum())
        found[f"{kind} seconds"] = time.process_time() - begin
    return found


def main() -> None:
    """Measure what is missing, and print a line for each network."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--nets", nargs="*", default=list(NETS), choices=list(NETS))
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    kept: dict[str, dict[str, Any]] = (
        json.loads(asked.out.read_text()) if asked.out and asked.out.exists() else {}
    )
    for name in asked.nets:
        done = kept.setdefault(name, {})
        for start in range(0, asked.images, BLOCK):
            count = min(BLOCK, asked.images - start)
            if done.get(str(start), {}).get("images") == count:
                continue
            try:
                done[str(start)] = block(name, start, count)
            except UserError as error:
                print(f"nothing measured: {error}; see the head of this file")
                return
            if asked.out:
                asked.out.write_text(json.dumps(kept, indent=1))
        blocks = [one for start, one in done.items() if int(start) < asked.images]
        total = sum(one["images"] for one in blocks)
        clean, pgd, strong = (
            sum(one[kind] for one in blocks) / total for kind in ("clean", "pgd", "autoattack")
        )
        spent = sum(one["autoattack seconds"] for one in blocks)
        _, _, eps, published = NETS[name]
        above = " above" if strong > published else ""
        print(
            f"{name:12} {total} images, eps {eps:.4f}: clean {clean:.1%}, PGD {pgd:.1%} (measured before: {published:.1%}), "
            f"AutoAttack {strong:.1%} in {spent:.0f} s of the processor{above}",
            flush=True,
        )


if __name__ == "__main__":
    main()
