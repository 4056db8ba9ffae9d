"""Filling coordinates at given rates up to their limits, until a total is reached: projections rest on it."""

from __future__ import annotations

from gradlab._torch import torch


def fill(
    weights: torch.Tensor, rates: torch.Tensor, limits: torch.Tensor, total: torch.Tensor
) -> torch.Tensor:
    """Return the s ≥ 0 at which Σᵢ weightsᵢ · min(s · ratesᵢ, limitsᵢ) = total, exact up to rounding.

    The sum is piecewise linear and rises with s; its corners are sorted, and the piece that holds the total is solved.

    Args:
        weights, rates, limits: (N, D) float64, at least 0. total: (N,) float64, at least 0.

    Returns: (N,) float64; infinite where even all limits together do not reach the total.
    """
    moves = rates > 0
    corners = torch.where(moves, limits / rates, 0.0)
    corners, order = corners.sort(dim=1)
    full = (weights * torch.where(moves, limits, 0.0)).gather(1, order).cumsum(1)
    slopes = (weights * rates).gather(1, order)
    still = slopes.flip(1).cumsum(1).flip(1)  # the slope before each corner
    after = torch.cat([still[:, 1:], torch.zeros_like(still[:, :1])], 1)
    reached = full + corners * after
    piece = (reached < total[:, None]).sum(1, keepdim=True)
    inside = piece.clamp(max=full.shape[1] - 1)
    before = torch.where(inside > 0, full.gather(1, (inside - 1).clamp(min=0)), 0.0)
    tiny = torch.finfo(full.dtype).tiny
    solution = (total[:, None] - before).clamp(min=0) / still.gather(1, inside).clamp(min=tiny)
    return torch.where(piece < full.shape[1], solution, torch.inf)[:, 0]
