import pytest
import torch
from torch import nn

from gradlab.attacks import PGD, Square
from gradlab.attacks._ball import Ball
from gradlab.attacks._square_patches import _hill, bumps, squares, stripes
from tests.attacks.examples import EPS, generator, images, labels_of, linear, small


def test_stripes_are_one_sign_a_column_and_channel():
    batch = images(8) * 0.5 + 0.25
    change = stripes(Ball.around(batch, EPS, "linf"), generator()) - batch
    torch.testing.assert_close(change.abs(), torch.full_like(change, EPS))
    assert (change.sign() == change.sign()[:, :, :1]).all()
    assert (change > 0).double().mean() == pytest.approx(0.5, abs=0.2)


def test_a_square_changes_one_window_of_each_image_and_nothing_else():
    batch = images(600, shape=(3, 8, 9)) * 0.5 + 0.25
    found = squares(batch, Ball.around(batch, EPS, "linf"), 9 / 72, generator())
    changed = (found != batch).any(1)
    assert (changed.flatten(1).sum(1) == 9).all()
    assert (changed.any(2).sum(1) == 3).all()
    assert (changed.any(1).sum(1) == 3).all()
    corners = {tuple(one.nonzero()[0].tolist()) for one in changed}
    assert len(corners) == 6 * 7  # every place was drawn


def test_a_bump_keeps_the_whole_radius_and_a_hill_is_highest_in_the_middle():
    batch = images(30, shape=(3, 16, 16)) * 0.2 + 0.4
    ball = Ball.around(batch, 0.5, "l2")
    now = batch
    for seed in range(4):
        now = bumps(now, ball, 0.1, generator(seed))
        torch.testing.assert_close(
            (now - batch).flatten(1).norm(dim=1), torch.full((30,), 0.5).double(), rtol=1e-5, atol=0
        )
    hill = _hill(5, 5)
    assert hill.argmax() == 12
    assert float(hill.norm()) == pytest.approx(1)


class Steps(nn.Module):
    """Quantised pixels: no gradient, and a change of 0.1 still shows."""

    def forward(self, batch):
        return (batch * 50).round() / 50


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_it_needs_no_gradient(norm):
    model, batch = nn.Sequential(Steps(), linear(shape=(2, 8, 8), classes=3)), images(60, shape=(2, 8, 8))
    labels, eps = labels_of(model, batch), 0.1 if norm == "linf" else 1.5
    attack = Square(eps=eps, norm=norm, queries=300)
    fooled = attack.explore(model, batch, labels, generator=generator()).iterations >= 0
    blind = PGD(eps=eps, norm=norm, random_start=False)(model, batch, labels)
    assert torch.equal(blind, batch)
    assert int(fooled.sum()) > 15


def test_more_queries_fool_more_and_no_more_are_spent_than_allowed():
    model, batch = small(), images(100)
    labels = labels_of(model, batch)
    seen = []
    model.register_forward_pre_hook(lambda _model, inputs: seen.append(len(inputs[0])))
    found = [
        Square(eps=0.05, queries=count).explore(model, batch, labels, generator=generator())
        for count in (5, 100)
    ]
    few, many = (int((one.iterations >= 0).sum()) for one in found)
    assert few < many
    assert int(found[0].queries.max()) == 5
    assert sum(seen) == int(found[0].queries.sum() + found[1].queries.sum())
