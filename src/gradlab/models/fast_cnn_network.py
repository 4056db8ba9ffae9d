"""The fast CNN as a torch module, and its first layer, whitened from images."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from gradlab.models._randomness import seeded
from gradlab.models._shape import check_shape
from gradlab.models.fast_cnn import FastCNN
from gradlab.models.initialise import initialise
from gradlab.models.normalise import Normalise
from gradlab.models.tiled_convolution import TiledConv2d
from gradlab.types import UserError

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU}
SMALLEST = 5e-4
"""Added to the variance of a direction in normalised patches, so that noise in weak directions is not blown up."""
PATCHES = 2**17
"""About so many patches at once."""


class PlaceMax(nn.Module):
    """The largest value over all places: (N, C, H, W) to (N, C)."""

    def forward(self, features: Tensor) -> Tensor:
        """Take each channel's maximum."""
        return features.amax((-2, -1))


class FastCNNNetwork(nn.Module):
    """normalise → whiten → stages → largest → head; images (N, C, H, W) in [0, 1] to logits (N, K).

    In train mode smaller images are taken as well, since a recipe may begin with them. In eval mode, where the
    configuration says so, the logits are the mean over the images, moved by a pixel, and their mirror images.
    """

    def __init__(
        self, config: FastCNN, input_shape: tuple[int, ...], classes: int, normalise: Normalise
    ) -> None:
        super().__init__()
        self.config, self.input_shape, self.classes = config, tuple(input_shape), classes
        self.normalise = normalise
        channels = config.stem_channels(input_shape)
        self.whiten = nn.Conv2d(input_shape[0], channels, config.patch)
        self.whiten.requires_grad_(False)
        cast(Tensor, self.whiten.bias).requires_grad_(not config.fixed_stem)
        self.whiten_activation = ACTIVATIONS[config.activation]()
        stages = []
        for width in config.widths:
            stages.append(_stage(config, channels, width))
            channels = width
        self.stages = nn.Sequential(*stages)
        self.largest = PlaceMax()
        self.head = nn.Linear(channels, classes, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, C, H, W) in [0, 1] to logits (N, K)."""
        check_shape(images, self.input_shape, smaller=self.training)
        if self.training or self.config.views == 1:
            return self._logits(images)
        views = [images]
        if self.config.shifted:
            height, width = images.shape[-2:]
            wider = functional.pad(images, (1, 1, 1, 1), mode="reflect")
            views += [wider[..., :height, :width], wider[..., 2:, 2:]]
        if self.config.mirror:
            views += [one.flip(-1) for one in views]
        first, *others = (self._logits(one) for one in views)
        return sum(others, first) / len(views)

    def _logits(self, images: Tensor) -> Tensor:
        features = self.whiten_activation(self.whiten(self.normalise(images)))
        return self.head(self.largest(self.stages(features)))  # type: ignore[no-any-return]

    @property
    def is_whitened(self) -> bool:
        """Whether the first layer has seen images."""
        return bool(self.whiten.weight.any())


def build_fast_cnn(
    config: FastCNN,
    input_shape: tuple[int, ...],
    classes: int,
    *,
    seed: int,
    mean: tuple[float, ...],
    std: tuple[float, ...],
) -> FastCNNNetwork:
    """Build the network that `config` describes, with the initial bits of `seed`, its first layer still zero.

    Each layer draws from a stream of its own.
    """
    if classes < 1:
        raise UserError(f"a fast CNN needs at least one class, got {classes}.")
    config.sizes(input_shape)
    if len(mean) not in (1, input_shape[0]):
        raise UserError(
            f"mean and std need one number, or one per channel, got {len(mean)} for {input_shape[0]} channels."
        )
    with seeded(seed):  # the constructors draw values, which initialise replaces
        network = FastCNNNetwork(config, tuple(input_shape), classes, Normalise(mean, std))
    places = [f"stage {number} convolution {k}" for number in range(len(config.widths)) for k in (0, 1)]
    initialise(network, seed, "default", streams=["whiten", *places, "head"])
    with torch.no_grad():
        for parameter in (network.whiten.weight, cast(Tensor, network.whiten.bias), network.head.weight):
            parameter.zero_()
        for layer in network.stages.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.dirac_(layer.weight[: layer.in_channels])
    return network


def whiten(network: FastCNNNetwork, images: Tensor) -> None:
    """Fill the first layer, in place, with the filters that make the patches of images uncorrelated with variance 1.

    Filter k is eigenvector k of the patches' second moments over the root of its eigenvalue (plus a little), the weakest
    first; its largest number is positive, so that every machine finds the same sign. The second half of the filters are
    the negatives.

    Args:
        network: of `gradlab.models.FastCNN`, of any number format and device.
        images: (N, C, H, W) uint8 of the training part; no label is read.

    Raises:
        UserError: images of another shape, or of no bytes.
    """
    if images.dtype != torch.uint8 or tuple(images.shape[1:]) != network.input_shape or not len(images):
        raise UserError(
            f"whiten reads uint8 images of shape (N, {', '.join(map(str, network.input_shape))}), got {images.dtype} "
            f"{tuple(images.shape)}; pass the images of the training split."
        )
    values, vectors = torch.linalg.eigh(second_moments(network, images))
    largest = vectors.gather(0, vectors.abs().argmax(0, keepdim=True))
    filters = (vectors * largest.sign() / (values + SMALLEST).sqrt()).T
    weight = network.whiten.weight
    with torch.no_grad():
        weight.copy_(torch.cat([filters, -filters]).view(weight.shape))


def second_moments(network: FastCNNNetwork, images: Tensor) -> Tensor:
    """Return the mean of x xᵀ over all patches x of normalised images: (D, D) float64 on the CPU, D = C·patch²."""
    patch, numbers = network.config.patch, network.whiten.weight[0].numel()
    scale, shift = (one.double().cpu() for one in (network.normalise.scale, network.normalise.shift))
    whole, count = torch.zeros(numbers, numbers, dtype=torch.float64), 0
    for part in torch.split(images.cpu(), max(1, PATCHES // images[0, 0].numel())):
        normalised = part.double() / 255 * scale + shift
        patches = normalised.unfold(2, patch, 1).unfold(3, patch, 1).permute(0, 2, 3, 1, 4, 5)
        patches = patches.reshape(-1, numbers)
        whole.addmm_(patches.T, patches)
        count += len(patches)
    return whole / count


def _stage(config: FastCNN, channels: int, width: int) -> nn.Sequential:
    """Two convolutions; the maximum lies before the first norm, where it is cheapest."""
    stage, convolution = nn.Sequential(), TiledConv2d if config.tiled else nn.Conv2d
    for number, inputs in ((1, channels), (2, width)):
        stage.add_module(f"convolution{number}", convolution(inputs, width, 3, padding=1, bias=False))
        if number == 1:
            stage.add_module("pool", nn.MaxPool2d(2))
        norm = nn.BatchNorm2d(width, momentum=config.norm_momentum)
        norm.weight.requires_grad_(False)
        stage.add_module(f"norm{number}", norm)
        stage.add_module(f"activation{number}", ACTIVATIONS[config.activation]())
    return stage
