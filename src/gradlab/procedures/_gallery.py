"""The most confident errors of a run, kept with their images."""

from __future__ import annotations

import base64
import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gradlab.data import Split
from gradlab.lab.records.columns import Columns
from gradlab.metrics import worst_errors

WORST = 10
"""How many a record keeps."""


def most_confident_errors(logits: np.ndarray, test: Split) -> Columns:
    """Return index, label, prediction, confidence and image (PNG in base64) of the most confident errors.

    Args:
        logits: (N, K) of the test images. test: those images.
    """
    worst = worst_errors(logits, test.labels, WORST)
    return {
        "index": worst.indices.astype(np.int64),
        "label": worst.labels.astype(np.int16),
        "prediction": worst.predictions.astype(np.int16),
        "confidence": worst.confidences.astype(np.float64),
        "png": np.array([png_base64(test.images[int(index)]) for index in worst.indices], dtype=str),
    }


def png_base64(image: Tensor) -> str:
    """Encode one image (C, H, W) uint8, grey or RGB, as PNG in base64."""
    pixels = image.cpu().numpy()
    picture = Image.fromarray(pixels[0] if pixels.shape[0] == 1 else pixels[:3].transpose(1, 2, 0))
    stream = io.BytesIO()
    picture.save(stream, format="PNG", optimize=True)
    return base64.b64encode(stream.getvalue()).decode()


def before_and_after(images: Tensor, attacked: Tensor) -> Tensor:
    """Return every image beside the attacked one and their difference, (N, C, H, 3W + 2 gaps) uint8 on the CPU.

    The difference is 0 at middle grey; the largest of each image is black or white, so that small ones are seen.

    Args:
        images: (N, C, H, W) float in [0, 1]. attacked: of the same shape.
    """
    first, second = images.detach().float().cpu(), attacked.detach().float().cpu()
    change = second - first
    largest = change.abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-12) if len(change) else change
    return side_by_side(first, second, 0.5 + 0.5 * change / largest)


def side_by_side(*images: Tensor) -> Tensor:
    """Return images beside each other with white gaps, (N, C, H, all widths and gaps) uint8 on the CPU.

    Args:
        images: (N, C, H, W) float in [0, 1] each.
    """
    parts = [one.detach().float().cpu() for one in images]
    gap = torch.ones(*parts[0].shape[:3], max(1, parts[0].shape[3] // 16))
    whole = torch.cat([one for part in parts for one in (gap, part)][1:], 3)
    return (whole * 255).round().to(torch.uint8)
