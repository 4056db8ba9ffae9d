"""The random changes of the Square attack (Andriushchenko et al., 2020, arXiv:1912.00049, section 3)."""

from __future__ import annotations

from gradlab._torch import torch
from gradlab.attacks._ball import Ball
from gradlab.attacks._inward import within


def stripes(ball: Ball, generator: torch.Generator) -> torch.Tensor:
    """Return images with vertical stripes of ± eps, the first change for L-infinity."""
    count, channels, _, width = ball.images.shape
    return ball.project(ball.images + ball.eps * _signs((count, channels, 1, width), ball, generator))


def squares(now: torch.Tensor, ball: Ball, share: float, generator: torch.Generator) -> torch.Tensor:
    """Return images `now` with one square each at image ± eps, one sign a channel (algorithm 2)."""
    count, channels, height, width = now.shape
    size = min(max(round((share * height * width) ** 0.5), 1), height, width)
    inside = _window(now, size, generator)
    signs = _signs((count, channels, 1, 1), ball, generator)
    return ball.project(torch.where(inside, ball.images + ball.eps * signs, now))


def tiles(ball: Ball, generator: torch.Generator) -> torch.Tensor:
    """Return images with a grid of five by five bumps of random sign, the first change for L2."""
    count, channels, height, width = ball.images.shape
    size = max(1, min(height, width) // 5)
    change = torch.zeros_like(ball.images)
    for top in range((height % size) // 2, height - size + 1, size):
        for left in range((width % size) // 2, width - size + 1, size):
            bump = _bump(size, change, torch.zeros(1, dtype=torch.bool, device=change.device))
            patch = bump * _signs((count, channels, 1, 1), ball, generator)
            change[:, :, top : top + size, left : left + size] += patch
    return _stretched(change, ball)


def bumps(now: torch.Tensor, ball: Ball, share: float, generator: torch.Generator) -> torch.Tensor:
    """Return images `now` with a bump added in one window each, and the change of another window spent on it (algorithm 3)."""
    count, channels, height, width = now.shape
    size = max(round((share * height * width) ** 0.5), 3)
    size = min(size + 1 - size % 2, height, width)
    change = now - ball.images
    here, there = _window(now, size, generator), _window(now, size, generator)
    spent = _norm(change * (here | there)) ** 2
    free = (ball.eps**2 - _norm(change) ** 2).clamp(min=0)
    turned = _draw((count,), ball, generator) < 0.5
    bump = _bump(size, now, turned) * _signs((count, channels, 1, 1), ball, generator)
    flat = here.expand_as(now)
    old = change[flat].view(count, channels, size, size)
    new = bump + old / _of_windows(old).clamp(min=1e-12)
    new = new / _of_windows(new).clamp(min=1e-12) * (free / channels + spent).sqrt()
    change = change.masked_fill(there, 0)
    change[flat] = new.flatten()
    return _stretched(change, ball)


def _draw(shape: tuple[int, ...], ball: Ball, generator: torch.Generator) -> torch.Tensor:
    found = torch.rand(shape, generator=generator, device=generator.device, dtype=ball.images.dtype)
    return found.to(ball.images.device)


def _signs(shape: tuple[int, ...], ball: Ball, generator: torch.Generator) -> torch.Tensor:
    return (_draw(shape, ball, generator) < 0.5).to(ball.images.dtype) * 2 - 1


def _window(images: torch.Tensor, size: int, generator: torch.Generator) -> torch.Tensor:
    """Return (N, 1, H, W) bool: one random square of each image."""
    count, _, height, width = images.shape
    sides = []
    for side in (height, width):
        first = torch.randint(0, side - size + 1, (count, 1), generator=generator, device=generator.device)
        places = torch.arange(side, device=generator.device)
        sides.append(((places >= first) & (places < first + size)).to(images.device))
    return sides[0][:, None, :, None] & sides[1][:, None, None, :]


def _bump(size: int, like: torch.Tensor, turned: torch.Tensor) -> torch.Tensor:
    """Return (n, 1, size, size): a hill over a valley, of length 1, lying on its side where turned (n,) (eq. 2)."""
    upper = size // 2
    rows = [_hill(upper, size), -_hill(size - upper, size)] if upper else [_hill(size, size)]
    bump = torch.cat(rows).to(like)
    bump = bump / bump.norm()
    return torch.where(turned.view(-1, 1, 1), bump.T, bump)[:, None]


def _hill(height: int, width: int) -> torch.Tensor:
    """Return (height, width) float64: rectangles around the middle, the k-th adding 1/k², scaled to length 1."""
    hill = torch.zeros(height, width, dtype=torch.float64)
    middles = height // 2, width // 2
    for ring in range(max(middles) + 1):
        top, left = (max(middle - ring, 0) for middle in middles)
        hill[top : middles[0] + ring + 1, left : middles[1] + ring + 1] += 1 / (ring + 1) ** 2
    hill /= hill.norm()
    return hill


def _norm(change: torch.Tensor) -> torch.Tensor:
    found: torch.Tensor = change.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    return found


def _of_windows(windows: torch.Tensor) -> torch.Tensor:
    found: torch.Tensor = windows.flatten(2).norm(dim=2)[:, :, None, None]
    return found


def _stretched(change: torch.Tensor, ball: Ball) -> torch.Tensor:
    """Return the images changed by as much as the ball allows, clipped to [0, 1] then, as published."""
    longest = within(ball.eps, ball.images)
    return ball.project(ball.images + change * (longest / _norm(change).clamp(min=1e-12)))
