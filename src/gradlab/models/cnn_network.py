"""The CNN as a torch module: stem, stages of blocks, the mean over all places, head."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from gradlab.models._randomness import seeded
from gradlab.models.cnn import CNN, KERNEL, Convolution
from gradlab.models.initialise import initialise
from gradlab.models.mlp_network import ACTIVATIONS
from gradlab.models.normalise import Normalise
from gradlab.types import UserError


class ConvolutionBlock(nn.Module):
    """shortcut(x) + f(x), or f(x) for the plain twin; `after` acts on the sum."""

    def __init__(
        self, branch: nn.Sequential, after: nn.Module, *, residual: bool, stride: int, extra: int
    ) -> None:
        super().__init__()
        self.branch = branch
        self.after = after
        self.residual = residual
        self.stride = stride
        self.extra = extra

    def forward(self, features: Tensor) -> Tensor:
        """Map features (N, C, H, W) to (N, C + extra, ⌈H / stride⌉, ⌈W / stride⌉)."""
        output = self.branch(features)
        if self.residual:
            output = shortcut(features, self.stride, self.extra) + output
        return self.after(output)  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        """Show whether there is a skip."""
        return f"residual={self.residual}"


def sides(extra: int) -> tuple[int, int]:
    """Split the new channels of a shortcut into those before and those after the old ones."""
    return extra // 2, extra - extra // 2


def shortcut(features: Tensor, stride: int, extra: int) -> Tensor:
    """Take every `stride`-th place of features (N, C, H, W), with `extra` channels of zeros around the old ones."""
    if stride > 1:
        features = features[..., ::stride, ::stride]
    return functional.pad(features, (0, 0, 0, 0, *sides(extra))) if extra else features


class PlaceMean(nn.Module):
    """The mean over all places: (N, C, H, W) to (N, C)."""

    def forward(self, features: Tensor) -> Tensor:
        """Average each channel."""
        return features.mean((-2, -1))


class CNNNetwork(nn.Module):
    """normalise → stem → blocks → mean → dropout → head; images (N, C, H, W) in [0, 1] to logits (N, K).

    `blocks[s][b]` is block b of stage s, so that a deeper net has the names of the shallower one.
    """

    def __init__(self, config: CNN, input_shape: tuple[int, ...], classes: int, normalise: Normalise) -> None:
        super().__init__()
        self.config = config
        self.input_shape = tuple(input_shape)
        layers = config.convolutions(input_shape)
        self.normalise = normalise
        self.stem = nn.Sequential(
            _convolution(config, layers[0]), *_norm(config, layers[0]), _activation(config)
        )
        size = config.layers_per_block
        blocks = [_block(config, layers[start : start + size]) for start in range(1, len(layers), size)]
        self.blocks = nn.Sequential(
            *(
                nn.Sequential(*blocks[start : start + config.blocks])
                for start in range(0, len(blocks), config.blocks)
            )
        )
        self.mean = PlaceMean()
        self.dropout = nn.Dropout(config.dropout) if config.dropout else nn.Identity()
        self.head = nn.Linear(config.widths[-1], classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, C, H, W) in [0, 1] to logits (N, K)."""
        if tuple(images.shape[1:]) != self.input_shape:
            raise UserError(
                f"this network reads images of shape (N, {', '.join(map(str, self.input_shape))}), got {tuple(images.shape)}; "
                "resize the images or build the network for their shape."
            )
        features = self.mean(self.blocks(self.stem(self.normalise(images))))
        return self.head(self.dropout(features))  # type: ignore[no-any-return]


def build_cnn(
    config: CNN,
    input_shape: tuple[int, ...],
    classes: int,
    *,
    seed: int,
    mean: tuple[float, ...],
    std: tuple[float, ...],
) -> CNNNetwork:
    """Build the network that `config` describes, with the initial bits of `seed`.

    Each convolution draws from the stream of its stage and its number there, so that nets of blocks of one and of two
    layers start equal, and a deeper net starts with the layers of the shallower one.
    """
    if classes < 1:
        raise UserError(f"a CNN needs at least one class, got {classes}.")
    convolutions = config.convolutions(input_shape)
    if len(mean) not in (1, input_shape[0]):
        raise UserError(
            f"mean and std need one number, or one per channel, got {len(mean)} for {input_shape[0]} channels."
        )
    with seeded(seed):  # the constructors draw values, which initialise replaces
        network = CNNNetwork(config, tuple(input_shape), classes, Normalise(mean, std))
    number = config.blocks * config.layers_per_block
    places = [divmod(place, number) for place in range(len(convolutions) - 1)]
    streams = ["stem", *(f"stage {stage} convolution {layer}" for stage, layer in places), "head"]
    initialise(network, seed, config.init, nonlinearity=config.activation.replace("-", "_"), streams=streams)
    return network


def _block(config: CNN, layers: Sequence[Convolution]) -> ConvolutionBlock:
    branch: list[nn.Module] = []
    for layer in layers:
        branch += [_convolution(config, layer), *_norm(config, layer), _activation(config)]
    inside = config.activation_place == "inside"
    return ConvolutionBlock(
        nn.Sequential(*(branch if inside else branch[:-1])),
        nn.Identity() if inside else _activation(config),
        residual=config.residual,
        stride=layers[0].stride,
        extra=layers[-1].fan_out - layers[0].fan_in,
    )


def _convolution(config: CNN, layer: Convolution) -> nn.Conv2d:
    return nn.Conv2d(
        layer.fan_in,
        layer.fan_out,
        KERNEL,
        stride=layer.stride,
        padding=KERNEL // 2,
        bias=config.norm == "none",
    )


def _norm(config: CNN, layer: Convolution) -> list[nn.Module]:
    return [nn.BatchNorm2d(layer.fan_out)] if config.norm == "batch" else []


def _activation(config: CNN) -> nn.Module:
    return ACTIVATIONS[config.activation]()
