"""Small images and references that share no code with the package."""

import numpy as np
import torch
from PIL import Image

from gradlab.augmentation import AUGMENTATION_SETS, AUGMENTATIONS

KEEPING = [kind for kind, config in AUGMENTATIONS.items() if hasattr(config, "apply")]
MIXING = [kind for kind, config in AUGMENTATIONS.items() if hasattr(config, "mix")]
GEOMETRIC = [kind for kind, config in AUGMENTATIONS.items() if hasattr(config, "matrix")]
SETS = list(AUGMENTATION_SETS)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def images(count=6, channels=3, height=10, width=12, seed=0):
    """Random images; every pixel differs from its neighbours, so that half a pixel of drift shows."""
    return torch.rand(count, channels, height, width, generator=generator(seed))


def framed(count=6, channels=2, height=11, width=14, border=3, seed=0):
    """Random images in a frame of zeros: inside and outside look alike at the border of the whole."""
    inner = images(count, channels, height, width, seed)
    return torch.nn.functional.pad(inner, (border,) * 4)


def by_pil(batch, change):
    """Apply a change of a PIL image in 32-bit floats to every channel of the image number i."""
    planes = [
        [np.asarray(change(Image.fromarray(plane.numpy(), mode=None), i)) for plane in image]
        for i, image in enumerate(batch)
    ]
    return torch.from_numpy(np.array(planes))


def by_array(batch, change):
    """Apply a change of a numpy array (H, W) to every channel of the image number i."""
    planes = [[change(plane.double().numpy(), i) for plane in image] for i, image in enumerate(batch)]
    return torch.from_numpy(np.array(planes)).float()
