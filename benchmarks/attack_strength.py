"""Attacks: how many images withstand those of gradlab and those of foolbox, torchattacks and ART, at the same budget.

Run `python benchmarks/attack_strength.py [--net cnn-a] [--images 100] [--out strength.json]` in the environment that the head of
`attack_speed.py` describes. All attack the same images of the same network within the same radius, with as many steps; an image
counts as withstanding unless what comes back is classified otherwise and lies within the radius. Random starts differ. A line
ends with "higher" where gradlab leaves more images than another library.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from _attack_peers import EVERY, LINF, Attack, attacks_of_peers
from attack_speed import NETS, ready
from torch import Tensor, nn

from gradlab import attacks
from gradlab.types import UserError

L2 = 0.25
"""The radius of attacks in L2."""
SLACK = 1e-4
"""By which share of the radius a distance may exceed it: rounding of libraries that project in float32."""


def ours(eps: float) -> dict[str, attacks.Attack]:
    """Return our attacks with the settings of the peers."""
    step, far = eps / 4, L2 / 10
    return {
        "FGSM": attacks.FGSM(eps=eps),
        "iterative FGSM": attacks.IterativeFGSM(eps=eps, step_size=step, steps=EVERY["iterative FGSM"]),
        "momentum FGSM": attacks.MomentumFGSM(eps=eps, step_size=eps / 10, steps=EVERY["momentum FGSM"]),
        "PGD": attacks.PGD(eps=eps, step_size=step, steps=EVERY["PGD"]),
        "PGD, L2": attacks.PGD(eps=L2, step_size=far, steps=EVERY["PGD, L2"], norm="l2"),
        "DeepFool, L2": attacks.DeepFool(eps=L2, steps=EVERY["DeepFool, L2"]),
        "Carlini-Wagner, L2": attacks.CarliniWagner(
            eps=L2, steps=EVERY["Carlini-Wagner, L2"], searches=5, step_size=0.01
        ),
    }


def withstanding(
    network: nn.Module, images: Tensor, labels: Tensor, found: Tensor, name: str, eps: float
) -> float:
    """Return the share of images that are still right, or whose fooling image lies outside the radius."""
    radius = eps if name in LINF else L2
    change = (found - images).flatten(1)
    size = change.abs().amax(1) if name in LINF else change.norm(dim=1)
    with torch.no_grad():
        before, after = (network(one).argmax(1) for one in (images, found))
    fooled = (after != labels) & (size <= radius * (1 + SLACK))
    return float(((before == labels) & ~fooled).double().mean())


def compare(
    network: nn.Module, images: Tensor, labels: Tensor, eps: float, only: Sequence[str]
) -> dict[str, Any]:
    """Run every attack of every library once; returns robust accuracy and seconds of the processor by attack and library."""
    table: dict[str, Any] = {}
    for name, theirs in attacks_of_peers(network, eps, L2).items():
        if name not in only:
            continue
        own = ours(eps)[name]
        sides: dict[str, Attack] = {"gradlab": lambda x, y, own=own: own(network, x, y)} | theirs  # type: ignore[misc]
        row = {}
        for side, attack in sides.items():
            torch.manual_seed(0)
            begin = time.process_time()
            found = attack(images, labels).detach()
            seconds = time.process_time() - begin
            share = withstanding(network, images, labels, found, name, eps)
            row[side] = {"robust accuracy": round(share, 4), "seconds": round(seconds, 2)}
        lowest = min(row[side]["robust accuracy"] for side in theirs)
        told = ", ".join(
            f"{side} {one['robust accuracy']:.1%} ({one['seconds']} s)" for side, one in row.items()
        )
        print(f"{name}: {told}{'; higher' if row['gradlab']['robust accuracy'] > lowest else ''}", flush=True)
        table[name] = row
    return table


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--net", default="cnn-a", choices=NETS)
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--only", nargs="*", choices=EVERY, default=list(EVERY), help="some of the attacks")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    eps = NETS[asked.net][1]
    try:
        network, images, labels = ready(asked.net, asked.images)
        found = compare(network, images, labels, eps, asked.only)
    except (UserError, ImportError) as error:
        print(f"nothing measured: {error}; see the head of attack_speed.py")
        return
    if asked.out:
        told = {"net": asked.net, "eps": eps, "l2": L2, "images": asked.images, "attacks": found}
        asked.out.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
