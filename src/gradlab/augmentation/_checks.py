"""What the public doors of augmentation refuse, in one sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from gradlab.types import UserError

AXES = {4: "(N, C, H, W)", 5: "(S, B, C, H, W)"}


def check_images(images: Tensor, ranks: tuple[int, ...] = (4,)) -> None:
    """Refuse what is no batch of float images in [0, 1].

    Raises:
        UserError: another type, rank or range, with what to do.
    """
    if not isinstance(images, Tensor) or not images.is_floating_point():
        kind = images.dtype if isinstance(images, Tensor) else type(images).__name__
        raise UserError(
            f"images must be a float tensor in [0, 1], got {kind}; turn grey levels 0..255 into images.float() / 255."
        )
    check_rank(images, ranks)
    if images.numel() == 0:
        return
    low, high = (float(value) for value in images.aminmax())
    if not (low >= 0 and high <= 1):  # NaN fails as well
        raise UserError(f"images must lie in [0, 1], got {low:.3g} to {high:.3g}{_remedy(low, high)}")


def check_rank(images: Tensor, ranks: tuple[int, ...]) -> None:
    """Refuse images of another number of axes."""
    if images.dim() not in ranks:
        expected = " or ".join(AXES[rank] for rank in ranks)
        hint = "; add the batch with images[None]" if images.dim() == 3 else ""
        raise UserError(f"images must have shape {expected}, got {tuple(images.shape)}{hint}.")


def check_drawn(images: Tensor, drawn: Tensor) -> None:
    """Refuse images without a batch, and draws of another number of rows."""
    check_rank(images, (4,))
    if len(drawn) != len(images):
        raise UserError(
            f"{len(images)} images need as many rows of draws, got {len(drawn)}; draw with count={len(images)}."
        )


def listed(generators: object) -> list[torch.Generator]:
    """Return one generator or several as a list.

    Raises:
        UserError: something else, such as a seed.
    """
    found: list[Any] = list(generators) if isinstance(generators, Iterable) else [generators]
    for one in found:
        if not isinstance(one, torch.Generator):
            seed = one if isinstance(one, int) else 0
            raise UserError(
                f"generators must be one torch.Generator, or one for each seed, got {one!r}; "
                f"write torch.Generator().manual_seed({seed:d})."
            )
    return found


def check_generators(generators: Sequence[torch.Generator], stacked: int) -> None:
    """Refuse generators that are not one for each seed on the CPU."""
    if len(generators) != stacked:
        raise UserError(f"images of {stacked} seeds need one generator each, got {len(generators)}.")
    for generator in listed(generators):
        if generator.device.type != "cpu":
            raise UserError(
                f"augmentation draws on the CPU, so that every device augments alike, got a generator on "
                f"{generator.device}; pass torch.Generator()."
            )


def _remedy(low: float, high: float) -> str:
    if low != low:
        return "; remove the NaN."
    if low >= 0 and high <= 255:
        return "; divide them by 255."
    return (
        ", which looks normalised; augment before normalisation, and let the model normalise with "
        "gradlab.models.wrap(module, mean, std)."
    )
