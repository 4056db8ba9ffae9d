"""Several attacks one after the other, each on what the ones before have left: the worst case of each image."""

from __future__ import annotations

from collections.abc import Sequence

from gradlab._torch import torch
from gradlab.attacks._checks import stream_of
from gradlab.attacks._goal import prepare
from gradlab.attacks._undisturbed import undisturbed
from gradlab.attacks.found import Explorer, Found


def ensemble(
    attacks: Sequence[Explorer],
    model: torch.nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    *,
    targets: torch.Tensor | None = None,
    generator: torch.Generator | None = None,
) -> Found:
    """Attack every image until the first attack that succeeds; no other mean than this is a worst case.

    Args:
        attacks: configurations, the cheapest first.
        model, images, labels, targets, generator: as of each attack.

    Returns: images that withstand come back as given. An iteration is an attack: 0 where the image as given reaches the
        goal, k where the k-th attack is the first to succeed. Queries are those of all attacks up to then.
    """
    generator = stream_of(generator)
    with undisturbed(model):
        images, goal = prepare(images, labels, targets)
    found = Found(images.clone(), torch.full_like(goal.labels, -1), torch.zeros_like(goal.labels))
    for number, attack in enumerate(attacks, start=1):
        rows = (found.iterations < 0).nonzero()[:, 0]
        left = goal.rows(rows)
        part = attack.explore(model, images[rows], left.labels, targets=left.targets, generator=generator)
        found.queries[rows] += part.queries
        won = part.iterations >= 0
        found.images[rows[won]] = part.images[won]
        found.iterations[rows[won]] = (part.iterations[won] > 0) * number
    return found
