"""The MLP as a torch module whose layers work on any leading dimensions, so that seeds can be stacked."""

from __future__ import annotations

import itertools
import math

from torch import Tensor, nn

from gradlab.models._randomness import seeded
from gradlab.models.initialise import initialise
from gradlab.models.mlp import MLP
from gradlab.models.normalise import Normalise
from gradlab.types import UserError

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "leaky-relu": nn.LeakyReLU,
    "gelu": nn.GELU,
}


class Block(nn.Module):
    """x + f(x), or f(x) for the plain twin; `after` acts on the sum."""

    def __init__(self, branch: nn.Sequential, after: nn.Module, *, residual: bool) -> None:
        super().__init__()
        self.branch = branch
        self.after = after
        self.residual = residual

    def forward(self, features: Tensor) -> Tensor:
        """Map (..., width) to (..., width)."""
        output = self.branch(features)
        return self.after(features + output if self.residual else output)  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        """Show whether there is a skip."""
        return f"residual={self.residual}"


class MLPNetwork(nn.Module):
    """normalise → stem → blocks → head; images (..., C, H, W) in [0, 1] to logits (..., K)."""

    def __init__(self, config: MLP, input_shape: tuple[int, ...], classes: int, normalise: Normalise) -> None:
        super().__init__()
        self.config = config
        self.input_shape = tuple(input_shape)
        self.classes = classes
        hidden = config.hidden
        self.normalise = normalise
        self.stem = nn.Sequential(nn.Linear(math.prod(input_shape), hidden[0]))
        if config.stem_activation:
            self.stem.extend(_tail(config, hidden[0], ends_block=False))
        step = config.layers_per_block
        self.blocks = nn.Sequential(
            *(_block(config, hidden[start : start + step + 1]) for start in range(0, len(hidden) - 1, step))
        )
        self.head = nn.Linear(hidden[-1], classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (..., C, H, W) in [0, 1] to logits (..., K)."""
        if tuple(images.shape[-3:]) != self.input_shape:
            raise UserError(
                f"this network reads images of shape (N, {', '.join(map(str, self.input_shape))}), got {tuple(images.shape)}; "
                "resize the images or build the network for their shape."
            )
        return self.body(self.prepare(images))

    def prepare(self, images: Tensor) -> Tensor:
        """Normalise and flatten images (..., C, H, W) to features (..., C·H·W); the same for every seed and step."""
        return self.normalise(images).flatten(-3)  # type: ignore[no-any-return]

    def body(self, features: Tensor) -> Tensor:
        """Map features (..., C·H·W) to logits (..., K)."""
        return self.head(self.blocks(self.stem(features)))  # type: ignore[no-any-return]


def build_mlp(
    config: MLP,
    input_shape: tuple[int, ...],
    classes: int,
    *,
    seed: int,
    mean: tuple[float, ...],
    std: tuple[float, ...],
) -> MLPNetwork:
    """Build the network that `config` describes, with the initial bits of `seed`."""
    if len(input_shape) != 3 or classes < 1:
        raise UserError(
            f"an MLP needs an input shape (C, H, W) and at least one class, got {input_shape} and {classes}."
        )
    if len(mean) not in (1, input_shape[0]):
        raise UserError(
            f"mean and std need one number, or one per channel, got {len(mean)} for {input_shape[0]} channels."
        )
    with seeded(seed):  # the constructors draw values, which initialise replaces
        network = MLPNetwork(config, tuple(input_shape), classes, Normalise(mean, std))
    initialise(network, seed, config.init, nonlinearity=config.activation.replace("-", "_"))
    return network


def _tail(config: MLP, width: int, *, ends_block: bool) -> list[nn.Module]:
    """What follows a linear layer: norm, activation, dropout."""
    return [*_norm(config, width), ACTIVATIONS[config.activation](), *_dropout(config, ends_block=ends_block)]


def _norm(config: MLP, width: int) -> list[nn.Module]:
    if config.norm == "none":
        return []
    return [nn.BatchNorm1d(width) if config.norm == "batch" else nn.LayerNorm(width)]


def _dropout(config: MLP, *, ends_block: bool) -> list[nn.Module]:
    wanted = config.dropout and (ends_block or config.dropout_place == "every-layer")
    return [nn.Dropout(config.dropout)] if wanted else []


def _block(config: MLP, widths: tuple[int, ...]) -> Block:
    pairs = list(itertools.pairwise(widths))
    layers: list[nn.Module] = []
    for number, (fan_in, fan_out) in enumerate(pairs, 1):
        layers.append(nn.Linear(fan_in, fan_out))
        ends_block = number == len(pairs)
        if ends_block and config.activation_place == "after-sum":
            layers += [*_norm(config, fan_out), *_dropout(config, ends_block=True)]
        else:
            layers += _tail(config, fan_out, ends_block=ends_block)
    after = ACTIVATIONS[config.activation]() if config.activation_place == "after-sum" else nn.Identity()
    return Block(nn.Sequential(*layers), after, residual=config.residual)
