"""The CNN as a torch module: stem, stages of blocks, the mean over all places or a flattening, hidden layers, head."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Iterator

from torch import Tensor, nn

from gradlab.models._randomness import seeded
from gradlab.models._shape import check_shape
from gradlab.models.cnn import CNN
from gradlab.models.cnn_layers import ConvolutionBlock, PlaceMean
from gradlab.models.cnn_plan import BlockPlan, Convolution, Plan, StagePlan, linear_sizes
from gradlab.models.initialise import initialise
from gradlab.models.mlp_network import ACTIVATIONS
from gradlab.models.normalise import Normalise
from gradlab.types import UserError

Named = list[tuple[str, nn.Module]]
"""Layers in the order in which they run, each with its name."""
ENDS = {"torchvision": ("downsample", "fc"), "cifar-resnet": ("shortcut", "linear")}
"""Names of published ResNets -> what they call a projection and the linear layers."""


class CNNNetwork(nn.Module):
    """normalise → stem → blocks → mean → dropout → head; images (N, C, H, W) in [0, 1] to logits (N, K).

    `blocks[s][b]` is block b of stage s, so that a deeper net has the names of the shallower one. Where the
    configuration asks for the names of published networks, the same layers have those. `path` names the layers after
    `normalise` in the order in which they run; the last is the linear layer that gives the logits. In train mode a net
    that ends with the mean takes smaller images as well, since a recipe may begin with them.
    """

    def __init__(self, config: CNN, input_shape: tuple[int, ...], classes: int, normalise: Normalise) -> None:
        super().__init__()
        self.config = config
        self.input_shape = tuple(input_shape)
        self.classes = classes
        self.normalise = normalise
        layers = _layers(config, config.plan(input_shape), classes)
        for name, layer in layers:
            self.add_module(name, layer)
        self.path = tuple(name for name, _ in layers)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, C, H, W) in [0, 1] to logits (N, K)."""
        check_shape(images, self.input_shape, smaller=self.training and self.config.end == "mean")
        features = self.normalise(images)
        for name in self.path:
            features = getattr(self, name)(features)
        return features  # type: ignore[no-any-return]


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
    plan = config.plan(input_shape)
    if len(mean) not in (1, input_shape[0]):
        raise UserError(
            f"mean and std need one number, or one per channel, got {len(mean)} for {input_shape[0]} channels."
        )
    with seeded(seed):  # the constructors draw values, which initialise replaces
        network = CNNNetwork(config, tuple(input_shape), classes, Normalise(mean, std))
    nonlinearity = config.activation.replace("-", "_")
    streams = list(_streams(config, plan))
    initialise(network, seed, config.init, nonlinearity=nonlinearity, streams=streams)
    return network


def _streams(config: CNN, plan: Plan) -> Iterator[str]:
    """Name the random stream of every layer that holds weights, in the order of the modules."""
    if plan.stem:
        yield "stem"
    for number, stage in enumerate(plan.stages):
        layers = itertools.count()
        for place, block in enumerate(stage.blocks):
            for _ in block.convolutions:
                yield f"stage {number} convolution {next(layers)}"
            if block.projection:
                yield f"stage {number} block {place} projection"
    yield from (f"hidden {number}" for number in range(len(config.hidden or ())))
    yield "head"


def _layers(config: CNN, plan: Plan, classes: int) -> Named:
    stem = _stem(config, plan)
    stages = [_stage(config, stage) for stage in plan.stages]
    end = ("mean", PlaceMean()) if config.end == "mean" else ("flatten", nn.Flatten())
    dropout = nn.Dropout(config.dropout) if config.dropout else nn.Identity()
    *hidden, head = [nn.Linear(*sizes) for sizes in linear_sizes(config, plan, classes)]
    if config.names == "numbers":
        whole = nn.Sequential(
            OrderedDict([*stem, *((f"s{i}", stage) for i, stage in enumerate(stages)), end])
        )
        tail = [layer for one in hidden for layer in (one, _activation(config))]
        leaves = [one for one in whole.modules() if not isinstance(one, nn.Sequential | ConvolutionBlock)]
        flat = [*leaves, *tail, dropout, head]
        return [(str(number), layer) for number, layer in enumerate(one for one in flat if not _idle(one))]
    if config.names == "stages":
        tail = [layer for one in hidden for layer in (one, _activation(config))]
        first: Named = [("stem", nn.Sequential(*(layer for _, layer in stem)))] if stem else []
        middle: Named = [("hidden", nn.Sequential(*tail))] if tail else []
        return [
            *first,
            ("blocks", nn.Sequential(*stages)),
            end,
            *middle,
            ("dropout", dropout),
            ("head", head),
        ]
    name = ENDS[config.names][1]
    named: Named = [*stem, *((f"layer{i}", stage) for i, stage in enumerate(stages, 1)), end]
    for number, layer in enumerate(hidden, 1):
        named += [(f"{name}{number}", layer), (f"relu_{name}{number}", _activation(config))]
    return [*named, ("dropout", dropout), (f"{name}{len(hidden) + 1}" if hidden else name, head)]


def _idle(layer: nn.Module) -> bool:
    return isinstance(layer, nn.Identity)


def _stem(config: CNN, plan: Plan) -> Named:
    if plan.stem is None:
        return []
    norm: Named = [("bn1", one) for one in _norm(config, plan.stem.fan_out)]
    pool: Named = [("maxpool", nn.MaxPool2d(3, stride=2, padding=1))] if plan.stem_pooled else []
    return [("conv1", _convolution(config, plan.stem)), *norm, ("relu", _activation(config)), *pool]


def _stage(config: CNN, stage: StagePlan) -> nn.Sequential:
    layers = nn.Sequential(*(_block(config, block) for block in stage.blocks))
    if stage.pooled:
        layers.add_module("pool", nn.MaxPool2d(2) if config.pool == "max" else nn.AvgPool2d(2))
    return layers


def _block(config: CNN, plan: BlockPlan) -> ConvolutionBlock:
    path: Named = []
    for number, layer in enumerate(plan.convolutions, 1):
        path.append((f"conv{number}", _convolution(config, layer)))
        path += [(f"bn{number}", one) for one in _norm(config, layer.fan_out)]
        path.append((f"relu{number}", _activation(config)))
    inside = config.activation_place == "inside"
    path = path if inside else path[:-1]
    first, last = plan.convolutions[0], plan.convolutions[-1]
    return ConvolutionBlock(
        path if config.names in ENDS else [("branch", nn.Sequential(*(layer for _, layer in path)))],
        nn.Identity() if inside else _activation(config),
        residual=plan.skip != "none",
        stride=first.stride,
        extra=last.fan_out - first.fan_in,
        projection=_projection(config, plan),
    )


def _projection(config: CNN, plan: BlockPlan) -> tuple[str, nn.Module] | None:
    if plan.projection is None:
        return None
    name = ENDS[config.names][0] if config.names in ENDS else "projection"
    norm = _norm(config, plan.projection.fan_out)
    return name, nn.Sequential(_convolution(config, plan.projection), *norm)


def _convolution(config: CNN, layer: Convolution) -> nn.Conv2d:
    return nn.Conv2d(
        layer.fan_in,
        layer.fan_out,
        layer.kernel,
        stride=layer.stride,
        padding=layer.padding,
        bias=config.norm == "none",
    )


def _norm(config: CNN, channels: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(channels)] if config.norm == "batch" else []


def _activation(config: CNN) -> nn.Module:
    return ACTIVATIONS[config.activation]()
