"""What CLIP does to images before its first layer, as a module: one resampling, a crop and its own normalisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from gradlab.models.normalise import Normalise
from gradlab.types import UserError

BICUBIC = 3
"""As Pillow and preprocessors number it."""
STEPS = ("do_resize", "do_center_crop", "do_rescale", "do_normalize")
ROUNDING = 1e-3
"""How far a rescale factor may be from 1/255, as a share of it: some files hold a rounded one."""


class Preprocessing(nn.Module):
    """Images (N, C, H, W) in [0, 1] of any size to what the image tower reads, (N, 3, size, size).

    The shorter side is resampled once, antialiased and bicubic, to `size`, the middle is cut out, grey becomes three equal
    channels, and each channel is normalised. Images of that size are not resampled. Gradients reach the images.
    """

    def __init__(self, size: int, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.size, self.mean, self.std = size, tuple(mean), tuple(std)
        self.normalise = Normalise(mean, std)

    def forward(self, images: Tensor) -> Tensor:
        """Prepare images.

        Raises:
            UserError: neither one channel nor three.
        """
        if images.dim() != 4 or images.shape[1] not in (1, 3):
            raise UserError(
                f"CLIP reads images (N, C, H, W) of one channel or three, got {tuple(images.shape)}; write NAME:rgb for "
                "data of other channels."
            )
        height, width = images.shape[2:]
        if min(height, width) != self.size:
            short = min(height, width)
            shape = [int(self.size * side / short) for side in (height, width)]
            images = functional.interpolate(images, shape, mode="bicubic", antialias=True).clamp(0, 1)
        top, left = ((side - self.size) // 2 for side in images.shape[2:])
        images = images[:, :, top : top + self.size, left : left + self.size]
        return self.normalise(images.expand(-1, 3, -1, -1))  # type: ignore[no-any-return]

    def settings(self) -> dict[str, Any]:
        """Return what `preprocessor_config.json` holds, as CLIP's own preprocessors read and write it."""
        return {
            "image_processor_type": "CLIPImageProcessor",
            "do_resize": True,
            "size": {"shortest_edge": self.size},
            "resample": BICUBIC,
            "do_center_crop": True,
            "crop_size": {"height": self.size, "width": self.size},
            "do_rescale": True,
            "rescale_factor": 1 / 255,
            "do_normalize": True,
            "image_mean": list(self.mean),
            "image_std": list(self.std),
            "do_convert_rgb": True,
        }


def preprocessing_of(settings: Mapping[str, Any], size: int) -> Preprocessing:
    """Return the preprocessing that a `preprocessor_config.json` names.

    Args:
        settings: its content. size: that the image tower reads.

    Raises:
        UserError: it names no normalisation, another size or another resampling, or leaves a step out.
    """
    mean, std = settings.get("image_mean"), settings.get("image_std")
    if not _are_three(mean) or not _are_three(std):
        raise UserError(
            "preprocessor_config.json must name image_mean and image_std, three numbers each; take the file that belongs "
            "to the model."
        )
    told = settings.get("crop_size") or settings.get("size") or size
    if isinstance(told, Mapping):
        told = told.get("height") or told.get("shortest_edge")
    if told != size or settings.get("resample", BICUBIC) != BICUBIC:
        raise UserError(
            f"preprocessor_config.json asks for {told} pixels and resampling {settings.get('resample', BICUBIC)}, but the image "
            f"tower reads {size} pixels, resampled bicubically ({BICUBIC}); take the file that belongs to the model."
        )
    off = [name for name in STEPS if settings.get(name) is False]
    if off or abs(float(settings.get("rescale_factor") or 1 / 255) * 255 - 1) > ROUNDING:
        asked = f"no {off[0].removeprefix('do_')}" if off else "another rescale_factor than 1/255"
        raise UserError(
            f"preprocessor_config.json asks for {asked}, but images are resized, cropped, divided by 255 and normalised here, as "
            "CLIP's authors do; take the file that belongs to the model."
        )
    return Preprocessing(size, mean, std)  # type: ignore[arg-type]


def _are_three(values: Any) -> bool:
    return (
        isinstance(values, list) and len(values) == 3 and all(isinstance(one, int | float) for one in values)
    )
