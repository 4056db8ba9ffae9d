"""The data sets that need no files: embedded ones, and noise, which is drawn at the size that is asked for."""

from __future__ import annotations

import numpy as np

from gradlab.data import _describe
from gradlab.data._coloured import coloured
from gradlab.data._derive import derive_images
from gradlab.data._digits import digits
from gradlab.data._divide import divide
from gradlab.data._noise import gaussian_noise, uniform_noise
from gradlab.data._partition import stratified
from gradlab.data._photos import photo_patches
from gradlab.data._planted import planted
from gradlab.data.contents import Arrays, Part
from gradlab.data.derivation import Derivation
from gradlab.data.registry import DATASETS, Role

MADE = {"digits": digits, "coloured-digits": coloured, "planted": planted}
NOISES = {"noise": uniform_noise, "gaussian-noise": gaussian_noise}


def embedded(name: str, derivation: Derivation) -> Arrays:
    """Make a registered data set that needs no files, and what is derived from it."""
    entry = DATASETS[name]
    if name in NOISES:
        return _drawn(name, derivation)
    if name == "photos":
        parts: dict[Role, Part] = {"test": Part(*photo_patches())}
    else:
        images, labels = MADE[name]()
        chosen = stratified(labels, entry.counts["test"])
        parts = {
            "train": Part(images[~chosen], labels[~chosen]),
            "test": Part(images[chosen], labels[chosen]),
        }
    whole = _describe.images(name, divide(parts, [], own=False), entry.class_names, [])
    return derive_images(whole, derivation) if derivation else whole


def _drawn(name: str, derivation: Derivation) -> Arrays:
    """Draw noise: resampled, it would turn grey."""
    entry = DATASETS[name]
    channels = {"grey": 1, "rgb": 3}.get(derivation.channels or "", entry.shape[0])
    shape = (channels, *(derivation.size or entry.shape[1:]))
    images = NOISES[name](entry.counts["test"], shape)
    noise: dict[Role, Part] = {"test": Part(images, np.zeros(len(images), dtype=np.int64))}
    drawn = derivation.size or derivation.channels
    notes = [f"The noise was drawn at {'×'.join(map(str, shape))}, not resampled."] if drawn else []
    whole = _describe.images(name, noise, entry.class_names, notes)
    rest = Derivation(derivation.classes, derivation.per_class)
    made = derive_images(whole, rest) if rest else whole
    return made.renamed(f"{name}{derivation}")
