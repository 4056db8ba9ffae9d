"""The grid pointing game (Böhle et al., 2021): whether a map lies on the one image of a mosaic that it explains."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gradlab._torch import torch
from gradlab.types import UserError

CELLS = 4
"""Images of a mosaic, two by two."""


def mosaics(
    images: torch.Tensor, classes: torch.Tensor, *, generator: torch.Generator | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Put each image into a 2×2 mosaic with three images of other classes (Böhle et al., 2021, arXiv:2104.00032, sec. 4).

    There, a map of the image's class should lie on its own cell; a map that knows nothing has a quarter of itself there.
    The three are of three different classes where there are as many. Böhle et al. take images that the network classifies
    correctly and surely; which are taken here is the caller's choice.

    Args:
        images: (N, C, H, W). classes: (N,) integers, two or more different ones. generator: of the places and the other images.

    Returns: (N, C, 2H, 2W), and each image's own cell, (N,) int64: 0 above left, 1 above right, 2 below left, 3 below right.

    Raises:
        UserError: all images are of one class.
    """
    if not bool((classes != classes[0]).any()):
        raise UserError(
            "A mosaic needs images of two or more classes, and all of these have one; take more images."
        )
    cells = torch.randint(CELLS, (len(images),), generator=generator)
    order = torch.argsort(torch.rand(len(images), len(images), generator=generator), 1).to(classes.device)
    taken = torch.stack([_others(row, classes, int(own)) for row, own in zip(order, classes, strict=True)])
    own = torch.arange(len(images), device=taken.device)[:, None]
    rows = torch.cat([own, taken], 1)  # the image itself is first; turned round until it lies in its cell
    turned = (torch.arange(CELLS) - cells[:, None]) % CELLS
    four = images[rows.gather(1, turned.to(rows.device)).to(images.device)]
    above, below = torch.cat([four[:, 0], four[:, 1]], 3), torch.cat([four[:, 2], four[:, 3]], 3)
    return torch.cat([above, below], 2), cells.to(images.device)


def _others(order: torch.Tensor, classes: torch.Tensor, own: int) -> torch.Tensor:
    """Return the first three images in a drawn order that are of other classes, of different ones as long as there are."""
    known, first, again = {own}, list[int](), list[int]()
    for row in order.tolist():
        label = int(classes[row])
        if label == own:
            continue
        (again if label in known else first).append(row)
        known.add(label)
        if len(first) == CELLS - 1:
            break
    found = (first + again)[: CELLS - 1]
    return torch.tensor([found[place % len(found)] for place in range(CELLS - 1)], device=classes.device)


def share_in_cell(maps: torch.Tensor, cells: torch.Tensor) -> torch.Tensor:
    """Return which share of each map lies on its image's own cell (Böhle et al., 2021, eq. 6).

    Args:
        maps: (N, 2H, 2W) of mosaics, not negative. cells: (N,) as `mosaics` returns them.

    Returns: (N,) float64 in [0, 1]; 1/4 where the map is 0 everywhere.
    """
    high, wide = maps.shape[1] // 2, maps.shape[2] // 2
    sums = maps.double().reshape(len(maps), 2, high, 2, wide).sum((2, 4)).flatten(1)
    whole = sums.sum(1)
    own = sums.gather(1, cells[:, None])[:, 0]
    return torch.where(whole > 0, own / torch.where(whole > 0, whole, 1.0), 1 / CELLS)


@contextmanager
def taking(network: torch.nn.Module, shape: tuple[int, ...]) -> Iterator[None]:
    """Let a network of gradlab take images (C, H, W) of another size meanwhile: one that averages over places can.

    Networks of others say themselves what they take.
    """
    before = getattr(network, "input_shape", None)
    if before is not None:
        network.input_shape = shape  # type: ignore[assignment]  # a tuple, no module
    try:
        yield
    finally:
        if before is not None:
            network.input_shape = before
