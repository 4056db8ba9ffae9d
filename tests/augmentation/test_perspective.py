"""Perspective against PIL's, whose eight coefficients are solved for in the test."""

import numpy as np
import torch
from PIL import Image
from scipy import stats

from gradlab.augmentation import Perspective
from gradlab.augmentation._warp import warp
from tests.augmentation.examples import by_pil, framed, generator

SIGNS = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])


def coefficients(moves, width, height):
    """Those with which PIL shows the corners of the image at the moved corners."""
    corners = (SIGNS + 1) / 2 * [width, height]
    shown = corners - SIGNS * moves * [width / 2, height / 2]
    rows, values = [], []
    for (x, y), (u, v) in zip(shown, corners, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return tuple(np.linalg.solve(np.array(rows), np.array(values)))


def test_perspective_is_pil_s_with_coefficients_solved_from_the_corners():
    batch = framed(count=12)
    height, width = batch.shape[-2:]
    perspective = Perspective(distortion=0.5)
    moves = perspective.draw(len(batch), (2, height, width), generator())

    def change(image, i):
        data = coefficients(moves[i].double().numpy(), width, height)
        return image.transform(image.size, Image.Transform.PERSPECTIVE, data, Image.Resampling.BILINEAR)

    torch.testing.assert_close(perspective.apply(batch, moves), by_pil(batch, change), atol=1e-4, rtol=0)


def test_corners_that_move_alike_scale_the_image():
    half = Perspective().matrix(torch.full((1, 4, 2), 0.5), (1, 8, 12))
    torch.testing.assert_close(half[0], torch.diag(torch.tensor([2.0, 2.0, 1.0], dtype=torch.float64)))


def test_the_hardest_corners_show_the_whole_image_once():
    """Every combination of corners at rest and at their limit: convex, so that no place is shown twice."""
    image = torch.ones(256, 1, 32, 32)
    moves = 0.5 * torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 8).view(256, 4, 2)
    shown = Perspective().apply(image, moves)
    corners = torch.tensor(SIGNS) * (1 - moves) * 16
    x, y = corners.unbind(-1)
    area = 0.5 * (x * y.roll(-1, 1) - x.roll(-1, 1) * y).sum(1)  # the shoelace formula
    assert shown.isfinite().all()
    torch.testing.assert_close(shown.sum((1, 2, 3)), area, rtol=0.03, atol=0)


def test_a_horizon_that_runs_through_pixels_is_black_and_finite():
    matrix = torch.tensor([[[1, 0, 0], [0, 1, 0], [-0.5, 0, 1]]], dtype=torch.float64)  # x = 2 is at infinity
    shown = warp(torch.ones(1, 1, 5, 5), matrix)
    assert shown.isfinite().all()
    assert float(shown[0, 0, 2, 2]) == 1
    assert float(shown[..., 4].abs().max()) == 0


def test_moves_are_uniform_towards_the_centre():
    moves = Perspective(distortion=0.3).draw(600, (1, 8, 8), generator())
    assert stats.kstest(moves.flatten().numpy(), stats.uniform(0, 0.3).cdf).pvalue > 0.01
