"""What attacks at other radii reveal: whether larger ones fool more, and whether the largest fool everything."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from gradlab._torch import torch
from gradlab.attacks._battery import FEW, Battery, too_few
from gradlab.attacks._preflight import Outcome
from gradlab.attacks.certificate import Reason

SWEEP = 50
"""Images, classified correctly as they are, on which other radii are tried."""
FAILS = "The attack fails, so its success at the asked radius says nothing; find out where its gradients are lost."


def radii(battery: Battery) -> Iterator[Outcome]:
    """Ask whether larger radii fool more, half the range leaves chance, and the whole range nothing."""
    rows, whole = (battery.fooled_by != 0).nonzero()[:SWEEP, 0], _whole(battery)
    count, near = len(rows), [battery.eps / 2, battery.eps, min(whole, 2 * battery.eps)]
    found = {
        "success grows with eps": _rising([_at(battery, eps, rows) for eps in near], count),
        "half the range leaves chance": _at_half(battery, _at(battery, whole / 2, rows), count),
        "the whole range leaves nothing": _at_whole(battery, _at(battery, whole, rows), count),
    }
    for check, reason in found.items():
        yield check, too_few(count) if reason is None and count < FEW else reason


def _rising(near: list[int], count: int) -> Reason | None:
    if all(later <= earlier + max(2, 0.04 * count) for earlier, later in itertools.pairwise(near)):
        return None
    return Reason(
        "success grows with eps",
        "suspect",
        f"At eps/2, eps and 2·eps PGD leaves {near[0]}, {near[1]} and {near[2]} of {count} images, so a larger radius "
        "fools fewer.",
        "Give the attack more steps; if that does not mend it, the gradients mislead it.",
    )


def _whole(battery: Battery) -> float:
    """Return the radius within which every image lies: 1, or in L2 the length of the diagonal of [0, 1]."""
    return 1.0 if battery.norm == "linf" else float(battery.images[0].numel() ** 0.5)


def _at_whole(battery: Battery, kept: int, count: int) -> Reason | None:
    if kept <= 0.05 * count:
        return None
    return Reason(
        "the whole range leaves nothing",
        "invalid",
        f"At eps {_whole(battery):.3g} an image may become any other, and yet {kept} of {count} withstand PGD.",
        FAILS,
    )


def _at_half(battery: Battery, kept: int, count: int) -> Reason | None:
    classes = battery.classes()
    chance = count / classes
    if kept <= chance + 3 * (chance * (1 - 1 / classes)) ** 0.5:
        return None
    return Reason(
        "half the range leaves chance",
        "invalid",
        f"At eps {_whole(battery) / 2:.3g} every image can be made grey, and yet {kept} of {count} withstand PGD; "
        f"chance is {chance:.0f}.",
        FAILS,
    )


def _at(battery: Battery, eps: float, rows: torch.Tensor) -> int:
    """Return how many of some images withstand PGD at a radius."""
    if not len(rows):
        return 0
    images, labels = battery.images[rows], battery.labels[rows]
    found = battery.plain(eps)(battery.model, images, labels, generator=battery.generator)
    return int(battery.right(found, rows).sum())
