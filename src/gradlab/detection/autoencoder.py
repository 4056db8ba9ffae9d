"""Auto-encoders of images as a configuration: how large, denoising or variational or neither, on a trunk or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from gradlab._configuration import dataclass
from gradlab.types import STRICT, Count, NonNegativeFloat, PositiveFloat

if TYPE_CHECKING:
    from torch import nn

    from gradlab.detection.autoencoder_network import AutoEncoderNetwork


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AutoEncoder:
    """A convolutional auto-encoder: [0, 1] in and out, with the channels of the images.

    Attributes:
        code: numbers that an image is reduced to. widths: channels of the stages, each of which halves height and width.
        noise: standard deviation, on the [0, 1] scale, of normal noise on the training images, which the reconstruction is
            to lack (denoising; Vincent et al., 2008); 0 is without.
        beta: weight of the Kullback-Leibler divergence beside the squared error, both summed over an image: variational
            (Kingma & Welling, 2014, arXiv:1312.6114; a Gaussian decoder of variance beta / 2); left out: not variational.
    """

    kind: Literal["autoencoder"] = "autoencoder"
    code: Count = 32
    widths: Annotated[tuple[Count, ...], Field(min_length=1)] = (16, 32)
    noise: NonNegativeFloat = 0.0
    beta: PositiveFloat | None = None

    def build(
        self, input_shape: tuple[int, int, int], *, seed: int, trunk: nn.Module | None = None
    ) -> AutoEncoderNetwork:
        """Build it with initial weights that depend on the seed alone.

        Args:
            input_shape: (C, H, W) of an image.
            seed: of the initial weights.
            trunk: a classifier; the encoder is then a frozen copy of all that lies before its last linear layer.

        Raises:
            UserError: a trunk without a linear layer, or that cannot read these images.
        """
        from gradlab.detection.autoencoder_network import build_autoencoder

        return build_autoencoder(self, input_shape, seed, trunk)

    def describe(self) -> str:
        """Say it in a few words."""
        parts = [f"code {self.code}", f"widths {', '.join(map(str, self.widths))}"]
        parts += [f"noise {self.noise:g}"] if self.noise else []
        parts += [f"variational, beta {self.beta:g}"] if self.beta is not None else []
        return "; ".join(parts)
