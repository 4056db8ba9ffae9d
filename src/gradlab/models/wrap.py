"""A door for a user's own module: images in [0, 1] outside, the module's normalisation inside."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from gradlab.models.normalise import Normalise
from gradlab.types import UserError


class Wrapped(nn.Module):
    """A user's module behind its own normalisation; images (N, C, H, W) in [0, 1] to logits (N, K)."""

    def __init__(self, module: nn.Module, normalise: Normalise, class_names: tuple[str, ...] | None) -> None:
        super().__init__()
        self.normalise = normalise
        self.module = module
        self.class_names = class_names

    def forward(self, images: Tensor) -> Tensor:
        """Return the module's logits for images in [0, 1]."""
        logits = self.module(self.normalise(images))
        if not isinstance(logits, Tensor):
            raise UserError(
                f"the wrapped module must return one tensor of logits (N, K), got {type(logits).__name__}; "
                "wrap a small module that picks the logits out."
            )
        if self.class_names is not None and logits.shape[-1] != len(self.class_names):
            raise UserError(
                f"the wrapped module returns {logits.shape[-1]} logits, but {len(self.class_names)} class names were given; "
                "give one name per output."
            )
        return logits


def wrap(
    module: nn.Module,
    mean: Sequence[float] = (0.0,),
    std: Sequence[float] = (1.0,),
    class_names: Sequence[str] | None = None,
) -> Wrapped:
    """Bring a module that expects normalised images into a world of images in [0, 1].

    Args:
        module: maps (images - mean) / std, shape (N, C, H, W), to logits (N, K).
        mean: one number per channel, on the [0, 1] pixel scale; one number serves all channels.
        std: likewise, positive.
        class_names: names of the K outputs in their order; checked against the outputs.

    Returns:
        a module on images in [0, 1]; it shares the given module's parameters.

    Raises:
        UserError: the argument is no module, or mean and std do not fit.
    """
    if not isinstance(module, nn.Module):
        raise UserError(
            f"wrap expects a torch.nn.Module, got {type(module).__name__}; pass the module itself."
        )
    try:
        mean, std = tuple(float(value) for value in mean), tuple(float(value) for value in std)
    except TypeError as error:
        raise UserError(
            f"mean and std are one number per channel, such as (0.5,), got {mean!r} and {std!r}."
        ) from error
    if any(not 0 <= value <= 1 for value in mean) or any(value > 1 for value in std):
        raise UserError(
            f"mean and std lie on the [0, 1] pixel scale, got {tuple(mean)} and {tuple(std)}; divide grey levels by 255."
        )
    if isinstance(module, Wrapped):
        raise UserError(
            "this module is wrapped already; pass the inner module (.module) to change its normalisation."
        )
    return Wrapped(
        module, Normalise(tuple(mean), tuple(std)), tuple(class_names) if class_names is not None else None
    )
