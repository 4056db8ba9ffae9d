"""Augmentation of training batches: images of several seeds at once, mixing with labels, hidden features."""

from typing import TYPE_CHECKING

from gradlab._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "AUGMENTATIONS": "registry",
        "AUGMENTATION_SETS": "registry",
        "Augmentation": "registry",
        "Blur": "blur",
        "Crop": "crop",
        "CutMix": "cutmix",
        "Elastic": "elastic",
        "Erasing": "erasing",
        "FeatureAugmentation": "feature",
        "Flip": "flip",
        "Mixing": "registry",
        "Mixup": "mixup",
        "Noise": "noise",
        "Perspective": "perspective",
        "Rotation": "rotation",
        "Scale": "scale",
        "Shear": "shear",
        "Shift": "shift",
        "augment": "augment",
        "mix": "augment",
        "named": "registry",
    },
)

if TYPE_CHECKING:
    from gradlab.augmentation.augment import augment as augment
    from gradlab.augmentation.augment import mix as mix
    from gradlab.augmentation.blur import Blur as Blur
    from gradlab.augmentation.crop import Crop as Crop
    from gradlab.augmentation.cutmix import CutMix as CutMix
    from gradlab.augmentation.elastic import Elastic as Elastic
    from gradlab.augmentation.erasing import Erasing as Erasing
    from gradlab.augmentation.feature import FeatureAugmentation as FeatureAugmentation
    from gradlab.augmentation.flip import Flip as Flip
    from gradlab.augmentation.mixup import Mixup as Mixup
    from gradlab.augmentation.noise import Noise as Noise
    from gradlab.augmentation.perspective import Perspective as Perspective
    from gradlab.augmentation.registry import AUGMENTATION_SETS as AUGMENTATION_SETS
    from gradlab.augmentation.registry import AUGMENTATIONS as AUGMENTATIONS
    from gradlab.augmentation.registry import Augmentation as Augmentation
    from gradlab.augmentation.registry import Mixing as Mixing
    from gradlab.augmentation.registry import named as named
    from gradlab.augmentation.rotation import Rotation as Rotation
    from gradlab.augmentation.scale import Scale as Scale
    from gradlab.augmentation.shear import Shear as Shear
    from gradlab.augmentation.shift import Shift as Shift
