"""The network of an auto-encoder, on its own convolutions or on the frozen trunk of a classifier."""

from __future__ import annotations

import copy
import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional

from gradlab.detection.autoencoder import AutoEncoder
from gradlab.models import initialise
from gradlab.models.find_layer import head_name
from gradlab.types import UserError


class AutoEncoderNetwork(nn.Module):
    """Images (N, C, H, W) in [0, 1] to their reconstructions, likewise."""

    def __init__(
        self, config: AutoEncoder, input_shape: tuple[int, int, int], trunk: nn.Module | None
    ) -> None:
        super().__init__()
        self.config, self.input_shape = config, input_shape
        self.sizes = [input_shape[1:]]
        for _ in config.widths:
            self.sizes.append(tuple(-(-side // 2) for side in self.sizes[-1]))  # type: ignore[arg-type]
        self.small = (config.widths[-1], *self.sizes[-1])
        self.encoder: nn.Module = _stages(input_shape[0], config.widths) if trunk is None else Trunk(trunk)
        codes = config.code * (1 if config.beta is None else 2)
        self.to_code = nn.Linear(_width(self.encoder, input_shape), codes)
        self.from_code = nn.Linear(config.code, self.small[0] * self.small[1] * self.small[2])
        channels = [*reversed(config.widths), input_shape[0]]
        self.decoder = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in itertools.pairwise(channels))

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return codes (N, code), and where variational the logarithm of their variances, likewise."""
        found = self.to_code(self.encoder(images))
        if self.config.beta is None:
            return found, None
        mean, log_variance = found.chunk(2, dim=1)
        return mean, log_variance.clamp(-20, 20)

    def decode(self, codes: Tensor) -> Tensor:
        """Return images (N, C, H, W) in [0, 1] of codes (N, code)."""
        found = functional.relu(self.from_code(codes)).view(-1, *self.small)
        for number, (layer, size) in enumerate(zip(self.decoder, reversed(self.sizes[:-1]), strict=True)):
            found = functional.relu(found) if number else found
            found = layer(functional.interpolate(found, size=size, mode="nearest"))
        return found.sigmoid()

    def reconstruct(self, images: Tensor) -> Tensor:
        """Return the reconstruction from the code, where variational from its mean."""
        return self.decode(self.encode(images)[0])

    def forward(self, images: Tensor) -> Tensor:
        """Return one row an image, as a training reads it: the reconstruction, flattened, and where variational its divergence.

        In train mode noise is added to the images and codes are drawn, by PyTorch's own stream, which training seeds.
        """
        noisy = images
        if self.training and self.config.noise:
            noisy = images + self.config.noise * torch.randn_like(images)
        mean, log_variance = self.encode(noisy)
        if log_variance is None:
            return self.decode(mean).flatten(1)
        drawn = mean + (log_variance / 2).exp() * torch.randn_like(mean) if self.training else mean
        divergence = (mean.square() + log_variance.exp() - 1 - log_variance).sum(1, keepdim=True) / 2
        return torch.cat([self.decode(drawn).flatten(1), divergence], dim=1)


class Trunk(nn.Module):
    """A frozen copy of a classifier up to its last linear layer, always in eval mode."""

    def __init__(self, classifier: nn.Module) -> None:
        super().__init__()
        name = head_name(classifier)
        self.network = copy.deepcopy(classifier).eval().requires_grad_(False)
        owner, _, own = name.rpartition(".")
        setattr(self.network.get_submodule(owner), own, nn.Identity())

    def train(self, mode: bool = True) -> Trunk:  # noqa: ARG002 - of the interface
        """Stay in eval mode."""
        return super().train(False)

    def forward(self, images: Tensor) -> Tensor:
        """Return what the last linear layer would read, flattened."""
        found: Tensor = self.network(images)
        return found.flatten(1)


def build_autoencoder(
    config: AutoEncoder, input_shape: tuple[int, int, int], seed: int, trunk: nn.Module | None
) -> AutoEncoderNetwork:
    """Build the network; see `AutoEncoder.build`."""
    with torch.random.fork_rng(devices=[]):  # the constructors draw values, which initialise replaces
        made = AutoEncoderNetwork(config, input_shape, trunk)
    own = nn.ModuleList([made.to_code, made.from_code, made.decoder])
    if trunk is None:
        own.insert(0, made.encoder)
    initialise(own, seed, "he")
    like = next((one for one in trunk.parameters() if one.is_floating_point()), None) if trunk else None
    return made if like is None else made.to(device=like.device, dtype=like.dtype)


def _stages(channels: int, widths: tuple[int, ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for a, b in zip((channels, *widths), widths, strict=False):
        layers += [nn.Conv2d(a, b, 3, stride=2, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten())


@torch.no_grad()
def _width(encoder: nn.Module, input_shape: tuple[int, int, int]) -> int:
    like = next(encoder.parameters())
    try:
        found = encoder(torch.zeros(1, *input_shape, dtype=like.dtype, device=like.device))
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        raise UserError(
            f"the trunk cannot read images of shape {input_shape} (PyTorch says: {str(error).splitlines()[0]}); take data "
            "of its image shape."
        ) from error
    return int(found.shape[1])
