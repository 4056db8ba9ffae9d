"""The augmentations and sets of augmentations that a recipe can name."""

from __future__ import annotations

from gradlab.augmentation.blur import Blur
from gradlab.augmentation.crop import Crop
from gradlab.augmentation.cutmix import CutMix
from gradlab.augmentation.elastic import Elastic
from gradlab.augmentation.erasing import Erasing
from gradlab.augmentation.flip import Flip
from gradlab.augmentation.mixup import Mixup
from gradlab.augmentation.noise import Noise
from gradlab.augmentation.perspective import Perspective
from gradlab.augmentation.rotation import Rotation
from gradlab.augmentation.scale import Scale
from gradlab.augmentation.shear import Shear
from gradlab.augmentation.shift import Shift
from gradlab.types import UserError, did_you_mean

Augmentation = Crop | Flip | Rotation | Shift | Scale | Shear | Perspective | Elastic | Blur | Noise | Erasing
"""What changes images and keeps their labels; the discriminator is `kind`."""
Mixing = Mixup | CutMix
"""What mixes images with their labels; the discriminator is `kind`."""

AUGMENTATIONS: dict[str, type[Augmentation] | type[Mixing]] = {
    "crop": Crop,
    "flip": Flip,
    "rotation": Rotation,
    "shift": Shift,
    "scale": Scale,
    "shear": Shear,
    "perspective": Perspective,
    "elastic": Elastic,
    "blur": Blur,
    "noise": Noise,
    "erasing": Erasing,
    "mixup": Mixup,
    "cutmix": CutMix,
}

AUGMENTATION_SETS: dict[str, tuple[Augmentation, ...]] = {
    "light": (
        Rotation(degrees=10),
        Shift(fraction=0.05),
        Scale(smallest=0.95, largest=1.05),
        Blur(probability=0.3),
    ),
    "heavy": (
        Rotation(degrees=25),
        Shift(fraction=0.1),
        Scale(smallest=0.8, largest=1.2),
        Shear(degrees=10),
        Perspective(distortion=0.2, probability=0.5),
        Elastic(alpha=34, sigma=4, probability=0.5),
        Blur(probability=0.3),
        Erasing(largest=0.2, fill="black", probability=0.3),
    ),
}


def named(name: str) -> tuple[Augmentation, ...]:
    """Return the augmentations of a set, or one augmentation with its defaults.

    >>> named("flip")
    (Flip(kind='flip', probability=0.5, vertical=0.0, alternate=False),)

    Raises:
        UserError: no set and no augmentation that keeps the label has this name.
    """
    if name in AUGMENTATION_SETS:
        return AUGMENTATION_SETS[name]
    found = AUGMENTATIONS.get(name)
    if found is None:
        known = [*AUGMENTATION_SETS, *AUGMENTATIONS]
        raise UserError(f"there is no augmentation '{name}'; {did_you_mean(name, known)}")
    if found is Mixup or found is CutMix:
        raise UserError(
            f"{name} mixes labels as well; call gradlab.augmentation.mix(images, labels, {found.__name__}(), …)."
        )
    return (found(),)  # type: ignore[return-value]
