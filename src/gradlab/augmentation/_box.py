"""Boxes of whole pixels in a batch of images."""

from __future__ import annotations

import torch
from torch import Tensor


def inside(boxes: Tensor, height: int, width: int) -> Tensor:
    """Say which pixels lie in the box of their image.

    Args:
        boxes: (..., 4) top, left, height, width in whole pixels.
        height: of the images.
        width: of the images.
    Returns: (..., 1, height, width) bool.
    """
    top, left, tall, wide = boxes[..., None, None, None].unbind(-4)
    y = torch.arange(height, device=boxes.device, dtype=boxes.dtype)[:, None]
    x = torch.arange(width, device=boxes.device, dtype=boxes.dtype)
    return ((y >= top) & (y < top + tall)) & ((x >= left) & (x < left + wide))
