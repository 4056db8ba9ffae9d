"""The data sets that have a name: where each is published and what its labels mean (no torch)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gradlab.data import _names, _names_wordnet

Role = Literal["train", "validation", "test"]
"""What a part of the data may be used for: only train and validation may train or select."""
Holds = Literal["images", "text"]
"""What a data set is made of."""
ROLES: tuple[Role, ...] = ("train", "validation", "test")


LARGE = 128 * 128
"""Pixels from which an image counts as large."""


@dataclass(frozen=True)
class Entry:
    """One named data set.

    Attributes:
        summary: what it is, in a few words.
        class_names: in label order.
        shape: (C, H, W) of one image; () for text.
        counts: images or sentences per published part, before a missing validation part is taken from train.
        hub: its repository on the Hugging Face Hub; None when it needs no files.
        label: the column that holds the labels; None takes the usual names.
        revision: the branch on the Hub that has Parquet files; None for the main one.
        configuration: the folder in its repository that holds it, where there are several.
        local: name of its folder in a data directory, for data that the Hub does not have in this form.
        ids: what its files call the classes, in label order, where they do not use the names.
        tested_on: the published part that is test here, where no test part was published with labels.
        varied: whether its pictures have several sizes; they are resampled to `shape`.
    """

    summary: str
    class_names: tuple[str, ...]
    shape: tuple[int, ...]
    counts: dict[Role, int]
    hub: str | None = None
    label: str | None = None
    revision: str | None = None
    configuration: str | None = None
    local: str | None = None
    ids: tuple[str, ...] = ()
    tested_on: Role | None = None
    varied: bool = False

    @property
    def holds(self) -> Holds:
        """What it is made of."""
        return "images" if self.shape else "text"

    @property
    def is_large(self) -> bool:
        """Whether its images are photographs of many pixels."""
        return bool(self.shape) and self.shape[1] * self.shape[2] >= LARGE

    @property
    def folder(self) -> str | None:
        """Name of its folder in a data directory: the last part of its name on the Hub; None where it needs no files."""
        return self.hub.rsplit("/", 1)[1] if self.hub else self.local


_CONVERTED = "refs/convert/parquet"
"""Where the Hub keeps the Parquet form of data that were published in another one."""

DATASETS: dict[str, Entry] = {
    "digits": Entry(
        "handwritten digits, embedded", _names.DIGITS, (1, 8, 8), {"train": 1437, "test": 360}
    ),
    "mnist": Entry(
        "handwritten digits", _names.DIGITS, (1, 28, 28), {"train": 60_000, "test": 10_000}, "ylecun/mnist"
    ),
    "fashion-mnist": Entry(
        "clothing", _names.FASHION, (1, 28, 28), {"train": 60_000, "test": 10_000},
        "zalando-datasets/fashion_mnist",
    ),
    "cifar10": Entry(
        "small photographs, 10 classes", _names.CIFAR10, (3, 32, 32), {"train": 50_000, "test": 10_000},
        "uoft-cs/cifar10",
    ),
    "cifar100": Entry(
        "small photographs, 100 classes", _names.CIFAR100, (3, 32, 32), {"train": 50_000, "test": 10_000},
        "uoft-cs/cifar100", "fine_label",
    ),
    "cifar100-coarse": Entry(
        "CIFAR-100 with its 20 groups as classes", _names.CIFAR100_COARSE, (3, 32, 32),
        {"train": 50_000, "test": 10_000}, "uoft-cs/cifar100", "coarse_label",
    ),
    "imagenette": Entry(
        "photographs of 10 easy classes", _names_wordnet.IMAGENETTE, (3, 224, 224), {"train": 9469, "test": 3925},
        "frgfm/imagenette", None, _CONVERTED, "320px", ids=_names_wordnet.IMAGENETTE_IDS, tested_on="validation",
        varied=True,
    ),
    "tiny-imagenet": Entry(
        "small photographs, 200 classes", _names_wordnet.TINY_IMAGENET, (3, 64, 64), {"train": 100_000, "test": 10_000},
        "zh-plus/tiny-imagenet", ids=_names_wordnet.TINY_IMAGENET_IDS, tested_on="validation",
    ),
    "textures": Entry(
        "textures of 10 classes", _names.TEXTURES, (3, 160, 160), {"test": 400}, local="dtd_textures"
    ),
    "photos": Entry(
        "patches of two photographs, embedded", _names.PHOTOS, (3, 32, 32), {"test": 520}
    ),
    "planted": Entry(
        "digits with a planted patch, which is the class; embedded", _names.PLANTED, (1, 16, 16),
        {"train": 1437, "test": 360},
    ),
    "coloured-digits": Entry(
        "digits in four colours, digit and colour are the class; embedded", _names.COLOURED, (3, 8, 8),
        {"train": 1437, "test": 360},
    ),
    "noise": Entry("uniform noise, generated", ("noise",), (3, 32, 32), {"test": 2000}),
    "gaussian-noise": Entry("normal noise, generated", ("noise",), (3, 32, 32), {"test": 2000}),
    "rotten-tomatoes": Entry(
        "sentences of film reviews, negative or positive", ("neg", "pos"), (),
        {"train": 8530, "validation": 1066, "test": 1066}, "cornell-movie-review-data/rotten_tomatoes",
    ),
    "sst2": Entry(
        "whole sentences of film reviews, negative or positive", ("negative", "positive"), (),
        {"train": 6920, "validation": 872, "test": 1821}, "stanfordnlp/sst2",
    ),
    "trec": Entry(
        "questions by what they ask for", _names.TREC, (), {"train": 5452, "test": 500}, "CogComp/trec",
        "coarse_label", _CONVERTED,
    ),
    "subj": Entry(
        "sentences of plots (objective) and reviews (subjective)", ("objective", "subjective"), (),
        {"train": 8000, "test": 2000}, "SetFit/subj", None, _CONVERTED,
    ),
}  # fmt: skip
MADE_OF = {"planted": "digits"}
"""Data -> those of whose images they are made; a study that is asked about these may read them instead."""


def normalise(name: str) -> str:
    """Bring a name to the registry's spelling: lower case, `-` for `_`."""
    return name.strip().lower().replace("_", "-")
