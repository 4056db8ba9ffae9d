"""Whether images have the shape that a network reads."""

from __future__ import annotations

from torch import Tensor

from gradlab.types import UserError


def check_shape(images: Tensor, input_shape: tuple[int, ...], *, smaller: bool = False) -> None:
    """Refuse images (N, C, H, W) of another shape.

    Args:
        input_shape: (C, H, W) for which the network was built.
        smaller: take smaller ones as well, since a training may begin with them.

    Raises:
        UserError: they have another shape.
    """
    found = tuple(images.shape[1:])
    if found == input_shape:
        return
    fits = len(found) == len(input_shape) == 3 and found[0] == input_shape[0]
    if not (smaller and fits and all(a <= b for a, b in zip(found, input_shape, strict=True))):
        raise UserError(
            f"this network reads images of shape (N, {', '.join(map(str, input_shape))}), got {tuple(images.shape)}; "
            "resize the images or build the network for their shape."
        )
