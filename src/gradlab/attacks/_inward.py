"""Rounding towards the image that is attacked, so that no radius is exceeded by one bit."""

from __future__ import annotations

from gradlab._torch import torch


def exact(images: torch.Tensor) -> torch.Tensor:
    """Return images in float64 and flat, (N, D); on the CPU where the device has no float64."""
    device = "cpu" if images.device.type == "mps" else images.device
    return images.detach().to(device, torch.float64).flatten(1)


def inward(change: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    """Return images + change (float64, (N, D)) in the type and shape of the images, each number rounded towards its image.

    So rounding moves no number away from its image, and no norm of the change grows.
    """
    centre = exact(images)
    rounded = (centre + change).to(images.dtype)
    back = torch.nextafter(rounded, centre.to(images.dtype))
    away = (rounded.double() - centre).abs() > change.abs()
    return torch.where(away, back, rounded).view(images.shape).to(images.device)


def shortened(sizes: torch.Tensor, longest: float, order: int) -> torch.Tensor:
    """Return sizes (n, D) of changes, scaled down where rounding left their norm of this order above `longest`."""
    norm = torch.linalg.vector_norm(sizes, order, dim=1, keepdim=True)
    return torch.where(norm > longest, sizes * (longest / norm), sizes)


def within(eps: float, images: torch.Tensor) -> float:
    """Return a radius that stays below eps also when the norm is summed up in the images' own type."""
    return eps * (1 - min(16 * torch.finfo(images.dtype).eps, 2e-6))
