"""Filling coordinates at given rates up to their limits, until a total is reached: projections rest on it."""

from __future__ import annotations

from gradlab._torch import torch


def fill(
    weights: torch.Tensor, rates: torch.Tensor, limits: torch.Tensor, total: torch.Tensor
) -> torch.Tensor:
    """Return the s ≥ 0 at which Σᵢ weightsᵢ · min(s · ratesᵢ, limitsᵢ) = total, exact up to rounding.

    The sum is piecewise linear and concave in s, so that Newton's steps from the left never go too far: each solves the
    piece it is on, and a few of them, instead of sorting the corners, end on the piece that holds the total.

    Args:
        weights, rates, limits: (N, D) float64, at least 0. total: (N,) float64, at least 0.

    Returns: (N,) float64; infinite where even all limits together do not reach the total.
    """
    slopes, most = weights * rates, weights * limits
    found = torch.zeros_like(total)
    for _ in range(rates.shape[1] + 1):
        full = found[:, None] * rates >= limits
        rest = total - torch.where(full, most, 0.0).sum(1)
        slope = torch.where(full, 0.0, slopes).sum(1)
        ahead = torch.where(slope > 0, rest / slope, torch.where(rest > 0, torch.inf, found))
        if not (ahead > found).any():
            break
        found = torch.maximum(found, ahead)
    return found
