"""A tiny CLIP, and pictures in a few colours."""

from functools import cache

import torch

from gradlab.clip import CLIP, SmallCLIP, build_small
from gradlab.data import Dataset, from_tensors
from gradlab.training import Recipe

CONFIG = SmallCLIP(
    patch=4, width=16, layers=1, heads=2, text_width=16, text_layers=1, text_heads=2, embedding=8
)
RECIPE = Recipe(epochs=2, batch_size=16, learning_rate=5e-3)
NAMES = ("dark red", "light red", "dark green", "light green")


@cache
def colours() -> Dataset:
    """Images (N, 3, 8, 8), dark or light, red or green: what the names of their classes say."""
    stream = torch.Generator().manual_seed(0)
    labels = torch.arange(4).repeat(24)
    images = torch.rand(96, 3, 8, 8, generator=stream) * 0.3
    for image, label in zip(images, labels.tolist(), strict=True):
        image[label // 2] += 0.7 if label % 2 else 0.3
    parts = [(images[a:b], labels[a:b]) for a, b in ((0, 48), (48, 72), (72, 96))]
    return from_tensors(*parts[0], validation=parts[1], test=parts[2], class_names=NAMES, name="colours")


@cache
def tiny(seed: int = 0) -> CLIP:
    """A CLIP with fresh weights for these pictures; not to be changed."""
    return build_small(CONFIG, colours(), seed=seed)


def pictures(count: int = 5, size: int = 8, seed: int = 3) -> torch.Tensor:
    """Random images (N, 3, size, size) in [0, 1]."""
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(seed))


def state_of(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Copies of all that a module holds."""
    return {name: value.clone() for name, value in module.state_dict().items()}


def equal(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    """Whether two states are bit-equal."""
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)
