"""The L-infinity ball inside [0, 1], exact in floating point."""

from __future__ import annotations

from gradlab._torch import torch


def project_linf(adversarial: torch.Tensor, images: torch.Tensor, eps: float) -> torch.Tensor:
    """Return the nearest images that lie in [0, 1] and at most `eps` from `images`, channel by channel.

    Args:
        adversarial: (N, C, H, W) float.
        images: the same shape and type, in [0, 1].
        eps: radius on the [0, 1] pixel scale.
    Returns: the same shape and type; no difference exceeds `eps`, not even by rounding.
    """
    low, high = ball(images, eps)
    return adversarial.clamp(low, high)


def ball(images: torch.Tensor, eps: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the smallest and the largest images in the ball, rounded inwards where they must be rounded.

    Rounding images ± eps to their own type may step out of the ball, so that |result - images| ≤ eps fails by one bit.
    The radius itself is rounded down to that type, so that the difference is not too large in either arithmetic.
    """
    device = "cpu" if images.device.type == "mps" else images.device
    exact = images.to(device, torch.float64)
    radius = _rounded_down(eps, images.dtype).to(device, torch.float64)
    low, high = (exact - radius).clamp_(min=0), (exact + radius).clamp_(max=1)
    low, high = low.to(images.dtype), high.to(images.dtype)
    low = torch.where(exact - low.double() > radius, torch.nextafter(low, torch.ones_like(low)), low)
    high = torch.where(high.double() - exact > radius, torch.nextafter(high, torch.zeros_like(high)), high)
    return low.to(images.device), high.to(images.device)


def _rounded_down(eps: float, dtype: torch.dtype) -> torch.Tensor:
    rounded = torch.tensor(eps, dtype=dtype)
    return torch.nextafter(rounded, torch.zeros_like(rounded)) if float(rounded) > eps else rounded
