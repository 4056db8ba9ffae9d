"""Images changed by an attack, by noise of its size and by its reverse, and how far maps move."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from gradlab import explain
from gradlab.procedures._explaining import BATCH, logits_of_images


def moved(
    network: nn.Module,
    method: Any,
    by: Callable[..., Tensor],
    images: Tensor,
    generator: Callable[..., torch.Generator],
) -> dict[str, Tensor]:
    """Return how maps of N images move: (changes · targets, N) each, and logits (N, K) before and under attack.

    The attack leaves the predicted class, whether that is the label or not.

    Args:
        method: configuration of the maps. by: of the attack. generator: names -> stream of random numbers.
    """
    clean = logits_of_images(network, images)
    before, runner_up = clean.topk(2, dim=1).indices.unbind(1)
    attacked = _attacked(by, network, images, before, None, generator("start"))
    changed = {
        "attack": attacked,
        "noise": same_size_noise(images, attacked, generator("noise")),
        "reversed": _attacked(by, network, images, runner_up, before, generator("start")),
    }
    plain = _maps(network, method, images, before, generator("maps"))
    rows: list[dict[str, Tensor]] = []
    for one in changed.values():
        after = logits_of_images(network, one).argmax(1)
        distance = (one - images).flatten(1)
        sizes = {"linf": distance.abs().amax(1), "l2": distance.square().sum(1).sqrt()}
        rows += [
            _compared(plain, _maps(network, method, one, classes, generator("maps"))) | sizes
            for classes in (after, before)
        ]
    found = {name: torch.stack([row[name].float() for row in rows]) for name in rows[0]}
    return found | {"logits": logits_of_images(network, attacked), "clean_logits": clean}


def same_size_noise(images: Tensor, attacked: Tensor, generator: torch.Generator) -> Tensor:
    """Return images changed as much as an attack changed each number, with a sign that is drawn.

    Where the drawn sign leads out of [0, 1] the other one is taken, so that every norm of the change is the attack's.

    Args:
        images, attacked: (N, C, H, W) in [0, 1]; changes of at most 1/2.
    """
    size = (attacked - images).abs()
    sign = torch.randint(0, 2, images.shape, generator=generator, device=images.device) * 2 - 1
    there, back = images + sign * size, images - sign * size
    return torch.where((there >= 0) & (there <= 1), there, back).clamp(0, 1)


def _attacked(
    by: Callable[..., Tensor],
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    targets: Tensor | None,
    generator: torch.Generator,
) -> Tensor:
    parts = [slice(start, start + BATCH) for start in range(0, len(images), BATCH)]
    found = [
        by(
            network,
            images[rows],
            labels[rows],
            targets=None if targets is None else targets[rows],
            generator=generator,
        )
        for rows in parts
    ]
    return torch.cat(found)


def _maps(
    network: nn.Module, method: Any, images: Tensor, classes: Tensor, generator: torch.Generator
) -> Tensor:
    return explain.in_batches(
        lambda some, its: method(network, some, its, generator=generator), images, classes
    )


def _compared(before: Tensor, after: Tensor) -> dict[str, Tensor]:
    """Return overlap, rank correlation, the shift of the centre as a share of the diagonal, and the area's growth."""
    shift = explain.centre_of_mass(after) - explain.centre_of_mass(before)
    return {
        "overlap": explain.overlap(before, after),
        "rank": explain.rank_correlation(before, after),
        "shift": shift.square().sum(1).sqrt() / 2**0.5,
        "growth": explain.area(after) - explain.area(before),
    }
