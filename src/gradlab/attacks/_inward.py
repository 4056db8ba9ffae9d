"""Rounding towards the image that is attacked, so that no radius is exceeded by one bit."""

from __future__ import annotations

from gradlab._torch import torch


def exact(images: torch.Tensor) -> torch.Tensor:
    """Return images in float64 and flat, (N, D); on the CPU where the device has no float64."""
    device = "cpu" if images.device.type == "mps" else images.device
    return images.detach().to(device, torch.float64).flatten(1)


def inward(points: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    """Round float64 points (N, D) to the type and shape of the images, each number towards the image's.

    So no number moves away from its image by rounding, and no norm of the change grows.
    """
    centre = exact(images)
    rounded = points.to(images.dtype)
    back = torch.nextafter(rounded, centre.to(images.dtype))
    away = (rounded.double() - centre).abs() > (points - centre).abs()
    return torch.where(away, back, rounded).view(images.shape).to(images.device)


def within(eps: float, images: torch.Tensor) -> float:
    """Return a radius that stays below eps also when the norm is summed up in the images' own type."""
    return eps * (1 - min(16 * torch.finfo(images.dtype).eps, 2e-6))
