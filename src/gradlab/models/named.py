"""Networks that have a name: those of published labs, of He et al. and of the verification benchmarks; no torch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gradlab.models.cnn import CNN
from gradlab.models.fast_cnn import FastCNN
from gradlab.models.vit import ViT
from gradlab.types import UserError, did_you_mean

if TYPE_CHECKING:
    from gradlab.models.cnn_network import CNNNetwork
    from gradlab.models.fast_cnn_network import FastCNNNetwork
    from gradlab.models.vit_network import ViTNetwork

    Network = CNNNetwork | ViTNetwork | FastCNNNetwork

IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Mean and standard deviation of each channel over ImageNet, on the [0, 1] scale."""


@dataclass(frozen=True)
class Net:
    """A configuration with a name.

    Attributes:
        summary: what it is, in a few words. config: of the network.
        input_shape: (C, H, W) for which it was published; other shapes can be asked for.
        classes: likewise. mean, std: of its normalisation, on the [0, 1] scale; None where the data decide.
    """

    summary: str
    config: CNN | ViT | FastCNN
    input_shape: tuple[int, int, int] = (3, 32, 32)
    classes: int = 10
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None


def _pool_flatten(convolutions: int) -> CNN:
    """Convolutions that double the channels, a maximum after every second one, one hidden layer; no norm."""
    return CNN(
        widths=tuple(32 * 2**number for number in range(convolutions)), layers_per_block=1, stride=1, stem=0,
        norm="none", pool="max", pool_after=tuple(range(2, convolutions + 1, 2)), end="flatten", hidden=(128,),
        dropout=0.2,
    )  # fmt: skip


def _two_stage(blocks: int) -> CNN:
    """Two stages at full resolution; a skip only where input and output have as many channels."""
    return CNN(widths=(16, 32), blocks=blocks, stride=1, norm="none", residual=True, shortcut="equal")


def _constant(width: int, blocks: int, dropout: float = 0.0) -> CNN:
    """One stage of constant width at full resolution."""
    return CNN(widths=(width,), blocks=blocks, residual=True, dropout=dropout)


def _four_stage(*blocks: int) -> CNN:
    """Four stages with projections, as ResNet-18 and -34, with a stem for small images."""
    return CNN(widths=(64, 128, 256, 512), stage_blocks=blocks, residual=True, shortcut="projection")


def _he(blocks: int) -> CNN:
    """The net of He et al. (2016, arXiv:1512.03385), section 4.2, with 6·blocks + 2 layers."""
    return CNN(blocks=blocks, residual=True, names="cifar-resnet")


def _two_convolutions(width: int) -> CNN:
    """Two 4×4 convolutions with stride 2 and one hidden layer of 100 units, named as in `nn.Sequential`."""
    return CNN(
        widths=(width, 2 * width), layers_per_block=1, strides=(2, 2), stem=0, kernel=4, norm="none",
        end="flatten", hidden=(100,), names="numbers",
    )  # fmt: skip


def _three_stage() -> CNN:
    return CNN(widths=(32, 64, 128), stem=0, stride=1, pool="max", end="flatten", hidden=(256,), dropout=0.5)


def _simple() -> CNN:
    return CNN(
        widths=(32, 64), stem=0, layers_per_block=1, stride=1, norm="none", pool="max", end="flatten", hidden=(128,)
    )  # fmt: skip


def _lenet() -> CNN:
    return CNN(
        widths=(6, 16), stem=0, layers_per_block=1, stride=1, kernel=5, padding="none", norm="none", pool="max",
        end="flatten", hidden=(120, 84),
    )  # fmt: skip


def _strided() -> CNN:
    return CNN(
        widths=(32, 64, 128, 128, 256), stem=0, layers_per_block=1, strides=(1, 1, 1, 2, 2), norm="none",
        end="flatten", hidden=(256, 128),
    )  # fmt: skip


def _resnet_b() -> CNN:
    return CNN(
        widths=(16,), blocks=2, strides=(2,), stem=8, stem_stride=2, norm="none", residual=True, end="flatten",
        shortcut="projection", hidden=(100,), names="cifar-resnet",
    )  # fmt: skip


_RESNET18 = replace(_four_stage(2, 2, 2, 2), names="torchvision")
_CIFAR = (0.4914, 0.4822, 0.4465)

NETS: dict[str, Net] = {
    **{f"pool-flatten-{n}": Net(f"{n} convolutions, pooling, one hidden layer", _pool_flatten(n)) for n in (2, 3, 4, 6)},
    "simple-cnn": Net("two convolutions, pooling, one hidden layer", _simple()),
    "three-stage": Net("three stages of two convolutions with norm and pooling, one hidden layer", _three_stage()),
    **{
        f"two-stage-{n}": Net(f"{n} + {n} blocks at full resolution without norm", _two_stage(n))
        for n in (1, 2, 4, 5, 7)
    },
    "lenet": Net("two 5×5 convolutions, pooling, two hidden layers (LeNet)", _lenet()),
    "four-stage-2": Net("2 + 2 + 2 + 2 blocks with projections", _four_stage(2, 2, 2, 2)),
    "four-stage-3": Net("3 + 4 + 6 + 3 blocks with projections", _four_stage(3, 4, 6, 3)),
    "strided-cnn": Net("five convolutions without pooling, two hidden layers; 4.76 million parameters", _strided()),
    **{
        f"constant-64-{n}": Net(f"{n} blocks of width 64 at full resolution", _constant(64, n))
        for n in (2, 3, 5, 6, 10, 15)
    },
    "constant-32-4": Net("4 blocks of width 32 at full resolution", _constant(32, 4, dropout=0.2)),
    **{
        f"resnet{6 * n + 2}": Net(
            f"ResNet-{6 * n + 2} for CIFAR (He et al., 2016, section 4.2)", _he(n), (3, 32, 32), 10, *IMAGENET
        )
        for n in (3, 5, 7, 9)
    },
    "resnet18": Net("ResNet-18 with a 3×3 stem for small images", _RESNET18),
    "resnet18-imagenet": Net(
        "ResNet-18 in the layout of ImageNet", replace(_RESNET18, stem_kernel=7, stem_stride=2, stem_pool=True),
        (3, 224, 224), 1000, *IMAGENET,
    ),
    "cnn-a": Net(
        "two convolutions of a verification benchmark, for CIFAR-10", _two_convolutions(16), (3, 32, 32), 10,
        _CIFAR, (0.2023, 0.1994, 0.201),
    ),
    "cnn-a-mnist": Net(
        "two convolutions of a verification benchmark, for MNIST", _two_convolutions(16), (1, 28, 28), 10,
        (0.0,), (1.0,),
    ),
    "oval": Net(
        "the smallest net of the OVAL verification benchmark", _two_convolutions(8), (3, 32, 32), 10,
        IMAGENET[0], (0.225, 0.225, 0.225),
    ),
    "resnet-b": Net(
        "two residual blocks without norm, of a verification benchmark", _resnet_b(), (3, 32, 32), 10,
        _CIFAR, (0.2471, 0.2435, 0.2616),
    ),
    "vit-tiny": Net("a vision transformer for small images", ViT()),
    "fast-cnn": Net("six convolutions after a whitening layer, made to train fast without a GPU", FastCNN()),
    "fast-cnn-mirror": Net(
        "fast-cnn with a fixed first layer, and the mean over an image and its mirror image",
        FastCNN(fixed_stem=True, mirror=True),
    ),
    "fast-cnn-wide-views": Net(
        "fast-cnn-mirror with 64, 256 and 256 channels, shifts by a pixel in the mean as well, and a faster step in bf16",
        FastCNN(widths=(64, 256, 256), fixed_stem=True, mirror=True, shifted=True, tiled=True),
    ),
    "fast-cnn-widest-views": Net(
        "fast-cnn-wide-views with 128, 384 and 384 channels",
        FastCNN(widths=(128, 384, 384), fixed_stem=True, mirror=True, shifted=True, tiled=True),
    ),
}  # fmt: skip
"""Name -> network; `-` and `_` are alike."""


def net(name: str) -> Net:
    """Return the network of that name.

    Raises:
        UserError: there is none; names the nearest.
    """
    found = NETS.get(name.strip().lower().replace("_", "-"))
    if found is None:
        raise UserError(f"there is no network '{name}'; {did_you_mean(name.strip().lower(), list(NETS))}")
    return found


def build(
    name: str,
    *,
    seed: int = 0,
    input_shape: tuple[int, int, int] | None = None,
    classes: int | None = None,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
) -> Network:
    """Build the network of that name, with the initial bits of `seed`.

    Args:
        name: one of `NETS`; `-` and `_` are alike.
        seed: of the initial values.
        input_shape: (C, H, W) of the images; that of the publication where not given.
        classes: likewise.
        mean: of the normalisation, one number per channel on the [0, 1] scale; that of the publication where not
            given, else 0. std: likewise, else 1.

    Returns: the network, from images (N, C, H, W) in [0, 1] to logits (N, K).

    Raises:
        UserError: no such name, or a shape that the network cannot read.
    """
    one = net(name)
    return one.config.build(
        input_shape or one.input_shape,
        classes or one.classes,
        seed=seed,
        mean=mean or one.mean or (0.0,),
        std=std or one.std or (1.0,),
    )
