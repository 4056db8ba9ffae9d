"""SmoothGrad (Smilkov et al., 2017): the mean gradient of noisy copies of an image."""

from __future__ import annotations

from typing import ClassVar, Literal

from gradlab._configuration import dataclass
from gradlab._torch import torch
from gradlab.explain._checks import checked
from gradlab.explain._network import input_gradient, logits, parts, undisturbed
from gradlab.explain.method import Method
from gradlab.explain.scaled import finished, wide
from gradlab.explain.targets import Targets, choose, rows_of
from gradlab.models.light import light
from gradlab.types import STRICT, Count, Fraction, UserError


def smooth_grad(
    model: torch.nn.Module,
    images: torch.Tensor,
    targets: Targets = None,
    *,
    samples: int = 25,
    noise: float = 0.15,
    generator: torch.Generator | None = None,
    raw: bool = False,
) -> torch.Tensor:
    """SmoothGrad (Smilkov et al., 2017, arXiv:1706.03825): the gradient averaged over noisy copies; then as saliency.

    Args: as `saliency`. The target is chosen on the image without noise; noisy copies are not clipped to [0, 1].
        samples: noisy copies of each image, at least 1.
        noise: standard deviation, as a share of the image's range of values.
        generator: of the noise, on the images' device; left out, that of seed 0.
        raw: return the mean gradient, (N, C, H, W).

    Returns: (N, H, W) in [0, 1].

    Raises:
        UserError: as `saliency`, or fewer than one sample.
    """
    if samples < 1:
        raise UserError(f"samples counts noisy copies and must be at least 1, got {samples}.")
    model, images = checked(model, images)
    generator = generator or torch.Generator(images.device).manual_seed(0)
    with undisturbed(model, gradient=False):
        chosen = choose(logits(model, images), targets)
        spread = noise * (images.amax((1, 2, 3), keepdim=True) - images.amin((1, 2, 3), keepdim=True))
        mean = torch.zeros_like(wide(images))
    with undisturbed(model, gradient=True):
        quick = light(model, images)
        for _ in range(samples):
            drawn = torch.randn(images.shape, generator=generator, dtype=images.dtype, device=images.device)
            for rows in parts(len(images)):
                noisy = images[rows] + spread[rows] * drawn[rows]
                mean[rows] += wide(input_gradient(quick, noisy, rows_of(chosen, rows))) / samples
    return mean if raw else finished(mean.abs().amax(1), images, raw=False)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SmoothGrad(Method):
    """SmoothGrad: the mean gradient of noisy copies of an image.

    Attributes:
        samples: noisy copies of each image. noise: standard deviation, as a share of the image's range of values.
    """

    explain: ClassVar = staticmethod(smooth_grad)
    is_random: ClassVar = True
    kind: Literal["smooth-grad"] = "smooth-grad"
    samples: Count = 25
    noise: Fraction = 0.15
