"""Images changed by an attack, by noise of its size and by its reverse, and how far maps move."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gradlab import explain
from gradlab.lab.records.columns import Columns
from gradlab.procedures._explaining import BATCH, SHOWN, encoded, logits_of_images
from gradlab.procedures._predictions import usable_logits

WIDE = ("overlap", "rank", "shift", "growth", "empty", "linf", "l2")
"""Columns with a row for every change and target: (changes · targets, N)."""
ROUNDS = 5
"""Times that a change is lengthened; what the ends of [0, 1] cut off is made up by the other pixels."""


def moved(
    network: nn.Module,
    method: Any,
    by: Callable[..., Tensor],
    images: Tensor,
    generator: Callable[..., torch.Generator],
    *,
    shown: bool = False,
) -> dict[str, Tensor]:
    """Return how maps of N images move: (changes · targets, N) each, and logits (N, K) before and under attack.

    The attack leaves the predicted class, whether that is the label or not.

    Args:
        method: configuration of the maps. by: of the attack. generator: names -> stream of random numbers.
        shown: whether to add pictures of the first images that the attack fools, n of them: "shown" (changes, n, 3, H', W'),
            their images "plain", "shown_rows" (n,), and what is predicted: "shown_before" (n,), "shown_classes" (changes, n).
    """
    clean = logits_of_images(network, images)
    before, runner_up = clean.topk(2, dim=1).indices.unbind(1)
    attacked = _attacked(by, network, images, before, None, generator("start"))
    changed = {
        "attack": attacked,
        "noise": same_size_noise(images, attacked, generator("noise")),
        "reversed": as_far(
            images, _attacked(by, network, images, runner_up, before, generator("start")), attacked
        ),
    }
    plain = _maps(network, method, images, before, generator("maps"))
    rows: list[dict[str, Tensor]] = []
    classes_after = {name: logits_of_images(network, one).argmax(1) for name, one in changed.items()}
    fooled = (classes_after["attack"] != before).nonzero().flatten()[:SHOWN]
    pictures: list[Tensor] = []
    for name, one in changed.items():
        after = classes_after[name]
        distance = (one - images).flatten(1)
        sizes = {"linf": distance.abs().amax(1), "l2": distance.square().sum(1).sqrt()}
        maps = [_maps(network, method, one, classes, generator("maps")) for classes in (after, before)]
        rows += [_compared(plain, its) | sizes for its in maps]
        if shown:
            pictures.append(_squares(images[fooled], plain[fooled], one[fooled], maps[0][fooled]))
    found = {name: torch.stack([row[name].float() for row in rows]) for name in rows[0]}
    if shown:
        found |= {"shown": torch.stack(pictures), "plain": images[fooled].cpu(), "shown_rows": fooled.cpu()}
        found["shown_before"] = before[fooled].cpu()
        found["shown_classes"] = torch.stack([after[fooled].cpu() for after in classes_after.values()])
    return found | {"logits": logits_of_images(network, attacked), "clean_logits": clean}


def _squares(images: Tensor, maps: Tensor, changed: Tensor, after: Tensor) -> Tensor:
    """Return (N, 3, 2H + gap, 2W + gap) in [0, 1] on the CPU: map before, map after, changed image, difference of the maps."""
    seen = changed.expand(-1, 3, -1, -1) if changed.shape[1] == 1 else changed
    four = (
        explain.overlay(images, maps),
        explain.overlay(changed, after),
        seen,
        explain.difference(maps, after),
    )
    gap = max(1, images.shape[3] // 16)
    padded = [nn.functional.pad(one.cpu(), (0, gap, 0, gap), value=1.0) for one in four]
    whole = torch.cat([torch.cat(padded[:2], 3), torch.cat(padded[2:], 3)], 2)
    return whole[..., :-gap, :-gap]


def moved_tables(
    changes: Sequence[str],
    targets: Sequence[str],
    rows: np.ndarray,
    labels: np.ndarray,
    found: Mapping[str, np.ndarray],
) -> dict[str, Columns]:
    """Return a row for every image, and a row for every change, target and image; `found` is of `moved`."""
    count, times = len(rows), len(changes) * len(targets)
    before, after = (usable_logits(found[name]).argmax(1) for name in ("clean_logits", "logits"))
    attacked = {
        "index": rows.astype(np.int32),
        "label": labels.astype(np.int16),
        "clean": before.astype(np.int16),
        "prediction": after.astype(np.int16),
    }
    for prefix, name in (("logit_", "logits"), ("clean_logit_", "clean_logits")):
        attacked |= {f"{prefix}{k}": found[name][:, k] for k in range(found[name].shape[1])}
    moved = {
        "change": np.repeat(np.array(changes, dtype=str), len(targets) * count),
        "target": np.tile(np.repeat(np.array(targets, dtype=str), count), len(changes)),
        "index": np.tile(rows, times).astype(np.int32),
        "fooled": np.tile(before != after, times).astype(np.int8),
    }
    moved |= {name: found[name].reshape(-1).astype(np.float32) for name in WIDE}
    moved["empty"] = moved["empty"].astype(np.int8)
    return {"attacked": attacked, "moved": moved}


def pictures_table(
    changes: Sequence[str], found: Mapping[str, Tensor] | None, rows: np.ndarray, labels: np.ndarray
) -> Columns:
    """Return a row for each change and each image shown: what it shows, and the image itself, PNG in base64.

    Args:
        found: of `moved`, with pictures; None for none. rows, labels: of its images, as they stand in the data.
    """
    times = len(changes)
    if found is None:
        none = np.array([], dtype=str)
        numbers = {name: np.array([], dtype=np.int16) for name in ("index", "label", "clean", "prediction")}
        return {"change": none, **numbers, "png": none, "plain": none}
    which = found["shown_rows"].numpy()
    plain = [encoded(one) for one in found["plain"]]
    return {
        "change": np.repeat(np.array(changes, dtype=str), len(which)),
        "index": np.tile(rows[which], times).astype(np.int32),
        "label": np.tile(labels[which], times).astype(np.int16),
        "clean": np.tile(found["shown_before"].numpy(), times).astype(np.int16),
        "prediction": found["shown_classes"].numpy().reshape(-1).astype(np.int16),
        "png": np.array([encoded(one) for one in found["shown"].flatten(0, 1)], dtype=str),
        "plain": np.array(plain * times, dtype=str),
    }


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


def as_far(images: Tensor, changed: Tensor, attacked: Tensor) -> Tensor:
    """Return images changed in the direction of `changed`, by the L2 norm of the attack's change as far as [0, 1] allows.

    A radius of the attack may be left by a little. An image that `changed` leaves as it is stays so.

    Args:
        images, changed, attacked: (N, C, H, W) in [0, 1].
    """
    way = changed - images
    wanted = _norm(attacked - images)
    found = changed
    for _ in range(ROUNDS):
        size = _norm(found - images)
        way = way * torch.where(size > 0, wanted / size.clamp(min=1e-12), 1.0)
        found = (images + way).clamp(0, 1)
    return found


def _norm(change: Tensor) -> Tensor:
    found: Tensor = torch.linalg.vector_norm(change, dim=(1, 2, 3), keepdim=True)
    return found


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
    """Return overlap, rank correlation, shift of the centre as a share of the diagonal, the area's growth, and who is empty.

    A map is empty where it is the same at all pixels, such as Grad-CAM with no positive evidence: it marks no place, so that
    nothing can be said of its overlap with another one.
    """
    shift = explain.centre_of_mass(after) - explain.centre_of_mass(before)
    return {
        "overlap": explain.overlap(before, after),
        "rank": explain.rank_correlation(before, after),
        "shift": shift.square().sum(1).sqrt() / 2**0.5,
        "growth": explain.area(after) - explain.area(before),
        "empty": explain.is_empty(before) | explain.is_empty(after),
    }
