"""Random numbers of every image from a stream of its own, so that no image's result depends on the others in its batch."""

from __future__ import annotations

import hashlib

from gradlab._torch import torch
from gradlab.attacks._checks import stream_of
from gradlab.types import derive_seed


class Draws:
    """One stream an image, named by the generator's seed and by the image itself.

    Neither the order of the images, nor how they are divided into batches, nor what was drawn before matters.
    """

    def __init__(self, images: torch.Tensor, generator: torch.Generator | None) -> None:
        self.device = images.device
        seed = stream_of(generator).initial_seed()
        kept = images.detach().to("cpu", torch.float64).contiguous().numpy()
        digests = [hashlib.sha256(image.tobytes()).hexdigest() for image in kept]
        self.streams = [torch.Generator().manual_seed(derive_seed(seed, one)) for one in digests]

    def uniform(self, rows: torch.Tensor, *shape: int) -> torch.Tensor:
        """Return the next numbers in [0, 1) of these images, (len(rows), *shape) float32."""
        drawn = [torch.rand(shape, generator=self.streams[row]) for row in rows.tolist()]
        return torch.stack(drawn).to(self.device)

    def normal(self, rows: torch.Tensor, *shape: int) -> torch.Tensor:
        """Return the next standard normal numbers of these images, (len(rows), *shape) float32."""
        drawn = [torch.randn(shape, generator=self.streams[row]) for row in rows.tolist()]
        return torch.stack(drawn).to(self.device)
