"""Reconstruction error of an auto-encoder."""

from __future__ import annotations

from dataclasses import dataclass as plain
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from gradlab._configuration import dataclass
from gradlab._torch import torch
from gradlab.metrics.arrays import Floats
from gradlab.types import STRICT, UserError

if TYPE_CHECKING:
    from gradlab.data import Split


def reconstruction_error(
    autoencoder: torch.nn.Module, images: Split | torch.Tensor, *, batch_size: int | None = None
) -> Floats:
    """Mean squared error between each image and its reconstruction.

    Args:
        autoencoder: has `reconstruct`, or maps images to images; left as it was found.
        images: a part of a data set, or (N, C, H, W): uint8, or floats in [0, 1].
        batch_size: images of one forward pass; up to 1,000 where it is left out.
    Returns: (N,) float64, at least 0; larger = more out-of-distribution.

    Raises:
        UserError: reconstructions of another shape than the images (such as one channel for three), or outside [0, 1].
    """
    from gradlab.training.modes import kept_modes
    from gradlab.training.outputs import batches_for

    run = getattr(autoencoder, "reconstruct", autoencoder)
    found = []
    with kept_modes(autoencoder), torch.no_grad():
        autoencoder.eval()
        for batch in batches_for(autoencoder, images, batch_size):
            made = run(batch)
            _check(made, batch)
            found.append((made.double() - batch.double()).square().flatten(1).mean(1).cpu().numpy())
    return np.concatenate(found)


def psnr(squared_error: Any) -> Floats:
    """Return the peak signal-to-noise ratio in decibels, 10 log10(1 / error), of mean squared errors on the [0, 1] scale."""
    result: Floats = -10 * np.log10(np.asarray(squared_error, dtype=np.float64))
    return result


def _check(made: Any, images: torch.Tensor) -> None:
    if not isinstance(made, torch.Tensor) or made.shape != images.shape:
        got = tuple(made.shape) if isinstance(made, torch.Tensor) else type(made).__name__
        raise UserError(
            f"an auto-encoder returns images like those that it reads, {tuple(images.shape)}, got {got}; give its decoder "
            "as many channels."
        )
    low, high = float(made.min()), float(made.max())
    if not (low >= -1e-3 and high <= 1 + 1e-3):
        raise UserError(
            f"reconstructions must lie in [0, 1] as the images do, got {low:.3g} to {high:.3g}; end the decoder with a sigmoid."
        )


@plain(frozen=True, eq=False)
class FittedReconstruction:
    """The auto-encoder."""

    autoencoder: torch.nn.Module

    def score(self, images: Any) -> Floats:
        """Score images; see `reconstruction_error`."""
        return reconstruction_error(self.autoencoder, images)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Reconstruction:
    """Mean squared error of an auto-encoder's reconstruction."""

    needs: ClassVar[tuple[str, ...]] = ("images",)
    fits: ClassVar[tuple[str, ...]] = ("autoencoder",)
    kind: Literal["reconstruction"] = "reconstruction"

    def fit(self, autoencoder: torch.nn.Module) -> FittedReconstruction:
        """Take the auto-encoder, which was trained before."""
        return FittedReconstruction(autoencoder)
