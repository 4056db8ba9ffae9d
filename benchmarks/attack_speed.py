"""Attacks: gradlab against torchattacks, foolbox and ART on one network, the same images and budget, in one run.

Run `python benchmarks/attack_speed.py [--net resnet20] [--images 256] [--rounds 3] [--strong 0] [--out rows.json]`, minutes on
one core. The peers live in an environment of their own, where gradlab is found by its path:

    python -m venv peers && peers/bin/pip install torch==2.13.0
    peers/bin/pip install torch==2.13.0 torchattacks foolbox adversarial-robustness-toolbox .
    PYTHONPATH=src peers/bin/python benchmarks/attack_speed.py

It needs CIFAR-10 and the weights of `data/weights` under GRADLAB_DATA; without these, or without a peer, it says so and ends.
Sides take turns, and seconds are of the processor, with one thread, in float32 throughout; robust accuracy is judged on the
images that come back. `default` is PGD as it is without further settings, which leaves an image alone at its first success;
`all steps` is PGD with stop_at_success=False, which goes on as the peers do and fools the same images. `its steps alone` is
nothing but the steps on the light copy of the network that gradlab attacks: no attack that takes all of them on these kernels
can be faster.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from _attack_peers import STEPS, Attack, fgsm_of_peers, pgd_of_peers, strong_of_torchattacks
from _rows import Row, Side, Times, in_turns, options, row, tell
from torch import Tensor, nn

from gradlab import attacks
from gradlab.data import gather, load
from gradlab.models import build, load_weights
from gradlab.models.light import light
from gradlab.types import UserError

ALIKE = 64
"""Images that are compared pixel by pixel."""
NETS = {
    "resnet20": ("cifar10_resnet20", 8 / 255),
    "cnn-a": ("cifar10_cnn_a_adv", 2 / 255),
    "oval": ("cifar10_oval_base", 2 / 255),
    "resnet-b": ("cifar10_resnet2b_adv", 2 / 255),
}
"""Network -> its weights, and the radius it is attacked within: that of its training, where it was trained for one."""


def ready(name: str, count: int) -> tuple[nn.Module, Tensor, Tensor]:
    """Return the network and the first test images with labels."""
    folder = Path(os.environ.get("GRADLAB_DATA", "data"))
    network = load_weights(build(name), folder / "weights" / f"{NETS[name][0]}.safetensors").eval()
    test = load("cifar10").test
    assert test is not None  # CIFAR-10 has one
    return network, gather(test, torch.arange(count)), test.labels[:count]


def ours(network: nn.Module, eps: float, start: bool = True) -> dict[str, Attack]:
    """Return our PGD with the settings of the peers."""
    plain = attacks.PGD(eps=eps, step_size=eps / 4, steps=STEPS, random_start=start)
    whole = replace(plain, stop_at_success=False)
    return {
        "gradlab default": lambda images, labels: plain(network, images, labels),
        "all steps": lambda images, labels: whole(network, images, labels),
    }


def floor(network: nn.Module, eps: float) -> dict[str, Attack]:
    """Return the steps of PGD alone, forward and back through the light copy: no start, no judging, no worst iterate."""

    def climb(images: Tensor, labels: Tensor) -> Tensor:
        copy, points = light(network, images), images
        for _ in range(STEPS):
            points = points.detach().requires_grad_()
            loss = nn.functional.cross_entropy(copy(points), labels, reduction="sum")
            (gradient,) = torch.autograd.grad(loss, points)
            points = (
                (points.detach() + eps / 4 * gradient.sign()).clamp(images - eps, images + eps).clamp(0, 1)
            )
        return points

    return {"its steps alone": climb}


def turns(
    sides: dict[str, Attack], network: nn.Module, images: Tensor, labels: Tensor, rounds: int
) -> tuple[Times, dict[str, float]]:
    """Let the sides take turns; returns seconds of the processor, and robust accuracy of each."""
    accuracy: dict[str, float] = {}

    def timed(name: str, attack: Attack) -> Side:
        attack(images[:2], labels[:2])  # what is set up at the first call

        def side() -> float:
            torch.manual_seed(0)
            begin = time.process_time()
            found = attack(images, labels)
            spent = time.process_time() - begin
            with torch.no_grad():
                accuracy[name] = round(float((network(found).argmax(1) == labels).double().mean()), 4)
            return spent

        return side

    return in_turns({name: timed(name, attack) for name, attack in sides.items()}, rounds, warm=0), accuracy


def differences(network: nn.Module, images: Tensor, labels: Tensor, eps: float) -> dict[str, float]:
    """Return the largest pixel difference to each peer where definitions agree: FGSM, and PGD from the image itself.

    Our PGD keeps the worst iterate and theirs the last: they are compared where the loss rose at every step of ours.
    """
    found = {}
    single = attacks.FGSM(eps=8 / 255)(network, images, labels)
    for name, attack in fgsm_of_peers(network).items():
        found[f"fgsm, {name}"] = float((attack(images, labels) - single).abs().max())
    plain = ours(network, eps, start=False)["all steps"](images, labels)
    for name, attack in pgd_of_peers(network, eps, start=False).items():
        change = (attack(images, labels) - plain).abs().flatten(1)
        same = change.amax(1) < 1e-6
        found[f"pgd, {name}: share of images alike"] = float(same.double().mean())
        found[f"pgd, {name}: largest difference on these"] = float(change[same].max()) if same.any() else 0.0
    return found


def strong(
    network: nn.Module, images: Tensor, labels: Tensor, eps: float, only: Sequence[str] | None
) -> tuple[list[Row], dict[str, Any]]:
    """Compare the strong attacks, or only some of them, with those of torchattacks, once each."""
    configurations = {
        "apgd": attacks.APGD(eps=eps),
        "momentum_fgsm": attacks.MomentumFGSM(eps=eps),
        "square": attacks.Square(eps=eps, queries=1000),
        "autoattack, 10 steps": attacks.AutoAttack(eps=eps, steps=10),
        "autoattack": attacks.AutoAttack(eps=eps),
    }
    rows, accuracies = [], {}
    for name, theirs in strong_of_torchattacks(network, eps).items():
        if only is not None and name not in only:
            continue
        own = configurations[name]
        sides: dict[str, Attack] = {
            "gradlab": lambda images, labels, own=own: own(network, images, labels),  # type: ignore[misc]
            "torchattacks": theirs,
        }
        times, accuracies[name] = turns(sides, network, images, labels, 1)
        rows.append(row(f"{name}, {len(images)} images", times, "torchattacks", unit="s"))
    return rows, accuracies


def main() -> None:
    """Measure and print."""
    parser = options(__doc__, images=256, rounds=3, strong=0)
    parser.add_argument("--net", default="resnet20", choices=NETS)
    parser.add_argument("--only", nargs="*", help="of the strong attacks, such as autoattack; left out: all")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    eps = NETS[asked.net][1]
    try:
        network, images, labels = ready(asked.net, max(asked.images, asked.strong))
        peers = pgd_of_peers(network, eps)
    except (UserError, ImportError) as error:
        sys.exit(f"nothing measured: {error}; see the head of this file")
    many, images = (images[: asked.strong], labels[: asked.strong]), images[: asked.images]
    labels = labels[: asked.images]
    sides = ours(network, eps) | peers | floor(network, eps)
    times, accuracy = turns(sides, network, images, labels, asked.rounds)
    what = f"PGD-{STEPS}, {asked.net}, {len(images)} images"
    fastest = min(peers, key=lambda name: sum(times[name]))
    rows = [
        *(row(what, times, name, own="gradlab default", unit="s", at_least=4) for name in peers),
        row(f"{what}, all steps", times, fastest, own="all steps", unit="s", floor="its steps alone"),
    ]
    found = {
        "robust accuracy": accuracy,
        "differences": differences(network, images[:ALIKE], labels[:ALIKE], eps),
    }
    if asked.strong:
        more, found["strong"] = strong(network, *many, eps, asked.only)
        rows += more
    tell(rows, asked.out, **found)
    for name, value in found.items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
