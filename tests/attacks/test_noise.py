"""Noise of a size: how it is distributed, and that more draws fool more."""

import pytest
import torch

from gradlab.attacks import Noise, noise
from gradlab.types import UserError
from tests.attacks.examples import generator, images, labels_of, small


def test_in_the_l_infinity_ball_it_is_uniform():
    model, batch = small(), torch.full((100, 2, 4, 5), 0.5, dtype=torch.float64)
    batch += (
        torch.arange(100)[:, None, None, None] * 1e-9
    )  # images that are not equal have streams of their own
    change = (Noise(eps=0.1)(model, batch, labels_of(model, batch)) - batch).flatten() / 0.1
    assert float(change.abs().max()) <= 1
    assert abs(float(change.mean())) < 4 * (1 / 3 / 4000) ** 0.5
    assert abs(float((change**2).mean()) - 1 / 3) < 4 * (4 / 45 / 4000) ** 0.5


def test_in_l2_it_lies_on_the_sphere_and_no_direction_is_preferred():
    model, batch = small(), torch.full((200, 2, 4, 5), 0.5, dtype=torch.float64)
    batch += torch.arange(200)[:, None, None, None] * 1e-9
    change = (Noise(eps=0.6, norm="l2")(model, batch, labels_of(model, batch)) - batch).flatten(1)
    norms = change.norm(dim=1)
    assert (norms <= 0.6).all()
    torch.testing.assert_close(norms, torch.full_like(norms, 0.6))
    assert float(change.mean(0).norm()) < 3 * 0.6 / 200**0.5
    spread = change.T @ change / 200 * 40 / 0.36  # the identity, up to 1/√200
    assert float((spread - torch.eye(40)).abs().max()) < 0.4


def test_more_draws_fool_more_images_and_stop_at_the_first_success():
    model, batch = small(), images(60)
    labels = labels_of(model, batch)
    one, many = (noise(model, batch, labels, eps=0.1, norm="linf", draws=draws) for draws in (1, 30))
    first, some = one.iterations >= 0, many.iterations >= 0
    assert (some >= first).all()
    assert some.sum() > first.sum()
    assert torch.equal(one.images[first], many.images[first])
    assert torch.equal(many.queries, 1 + torch.where(some, many.iterations, 30))
    assert torch.equal(labels_of(model, many.images) != labels, some)


def test_of_several_draws_without_success_the_worst_is_kept():
    model, batch = small(), images(20)
    labels = labels_of(model, batch)
    model.eval()

    def sure(found):
        return model(found).detach().log_softmax(1).gather(1, labels[:, None])[:, 0]

    kept = [noise(model, batch, labels, eps=0.02, norm="linf", draws=draws) for draws in (1, 8)]
    still = kept[1].iterations < 0
    assert still.sum() > 10
    assert (sure(kept[1].images) <= sure(kept[0].images))[still].all()
    assert (sure(kept[1].images) < sure(kept[0].images))[still].any()
    assert torch.equal(
        kept[0].images,
        noise(model, batch, labels, eps=0.02, norm="linf", draws=1, generator=generator()).images,
    )


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"draws": 0}, "draws must be at least 1"),
        ({"eps": 8}, "8/255"),
        ({"norm": "l2", "eps": -1}, "from 0 up"),
        ({"norm": "l0"}, "norm must be"),
    ],
)
def test_settings_that_make_no_sense_are_refused(fields, sentence):
    with pytest.raises(UserError, match=sentence):
        Noise(**fields)
    model, batch = small(), images(2)
    known = {"eps": 0.1, "norm": "linf", "draws": 1}
    with pytest.raises(UserError, match=sentence):
        noise(model, batch, labels_of(model, batch), **(known | fields))
