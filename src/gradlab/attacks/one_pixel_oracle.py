"""Every one-pixel change of small images."""

from __future__ import annotations

from collections.abc import Sequence

from gradlab._torch import torch
from gradlab.attacks._goal import prepare
from gradlab.attacks._search import TOGETHER, Search
from gradlab.attacks._undisturbed import undisturbed
from gradlab.attacks.found import Found
from gradlab.types import UserError

MOST = 1_000_000
"""Changes of one image that are tried at most; 32×32 pixels with 9 levels in three channels are 746,496."""


def one_pixel_oracle(
    model: torch.nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    *,
    levels: Sequence[float],
    targets: torch.Tensor | None = None,
) -> Found:
    """Try every pixel with every colour of a grid: what one-pixel attacks can reach at all, up to the grid.

    It tells how many images a search could have fooled. Exhaustive, so for small images: 8×8 grey ones with 17 levels are
    1,088 questions an image.

    Args:
        model: maps images (N, C, H, W) in [0, 1] to logits (N, K); in eval mode, left as it was found.
        images: (N, C, H, W) float in [0, 1]. labels: (N,) int64 in [0, K).
        levels: in [0, 1]; the colours are all combinations of these over the channels.
        targets: (N,) int64, for a targeted attack.

    Returns: a success where there is one, else the change of the largest log odds. Iteration 0 is the image as given; the
        others count blocks of questions.

    Raises:
        UserError: as `fgsm` does, no levels, levels outside [0, 1], or over a million changes of an image.
    """
    values = torch.tensor(sorted(set(levels)), dtype=torch.float64)
    if not len(values) or not bool(((values >= 0) & (values <= 1)).all()):
        raise UserError(
            f"levels must be one or more numbers in [0, 1], such as (0, 0.5, 1), got {tuple(levels)}."
        )
    with undisturbed(model):
        images, goal = prepare(images, labels, targets)
        _, channels, height, width = images.shape
        changes = len(values) ** channels * height * width
        if changes > MOST:
            raise UserError(
                f"{height}×{width} pixels with {len(values)} levels in {channels} channels are {changes:,} changes of "
                f"every image; take fewer levels or smaller images, at most {MOST:,} changes."
            )
        colours = torch.cartesian_prod(*[values] * channels).view(-1, channels).to(images)
        search = Search(model, images, goal)
        for block, numbers in enumerate(torch.split(torch.arange(changes, device=images.device), TOGETHER)):
            rows = search.going
            if not len(rows):
                break
            search.ask(rows, len(numbers), _Changes(images[rows], colours, numbers), 1 + block)
    return search.found


class _Changes:
    """Some of the changes of images (n, C, H, W): number = (colour · H + row) · W + column."""

    def __init__(self, images: torch.Tensor, colours: torch.Tensor, numbers: torch.Tensor) -> None:
        self.images, self.numbers = images, numbers
        pixels = images.shape[2] * images.shape[3]
        self.places, self.colours = numbers % pixels, colours[numbers // pixels]

    def __call__(self, part: torch.Tensor) -> torch.Tensor:
        """Return the changed images (m, len(numbers), C, H, W) of some of the rows."""
        images = self.images[part]
        changed = images[:, None].repeat(1, len(self.numbers), 1, 1, 1).flatten(3)
        changed[:, torch.arange(len(self.numbers)), :, self.places] = self.colours[:, None]
        return changed.view(len(images), len(self.numbers), *images.shape[1:])
