"""Differential evolution over pixels: its budget, its steps, and what it finds against all one-pixel changes."""

import numpy as np
import pytest
import torch
from torch import nn

from gradlab.attacks import FewPixel, few_pixel, one_pixel_oracle
from gradlab.attacks._draws import Draws
from gradlab.attacks.few_pixel import _Evolution
from gradlab.types import UserError
from tests.attacks.examples import generator, images, labels_of, linear, margin, small

QUICK = {"population": 40, "generations": 10}


def changed(found, batch):
    """Pixels that changed in any channel, (N,)."""
    return (found != batch).any(1).flatten(1).sum(1)


@pytest.mark.parametrize("pixels", [1, 3])
@pytest.mark.parametrize("eps", [0.05, 1])
def test_at_most_so_many_pixels_change_and_none_by_more_than_eps(pixels, eps):
    model, batch = small(), images(30)
    found = FewPixel(pixels=pixels, eps=eps, **QUICK)(model, batch, labels_of(model, batch))
    assert int(changed(found, batch).max()) == pixels
    assert float((found - batch).abs().max()) <= eps
    assert float((found - batch).abs().max()) > 0.8 * eps
    assert 0 <= float(found.min()) <= float(found.max()) <= 1


@pytest.mark.parametrize("shape", [(1, 5, 4), (2, 4, 5)])
def test_on_a_linear_model_it_comes_near_the_closed_form(shape):
    """The best change of one pixel moves each channel to the end of the range that its weight asks for."""
    model, batch = linear(shape), images(20, shape)
    labels = labels_of(model, batch)
    slope = (model[1].weight[1] - model[1].weight[0]).detach().view(1, *shape)
    slope = slope * (1 - 2 * labels).view(-1, 1, 1, 1)
    gain = (torch.where(slope > 0, 1 - batch, -batch) * slope).sum(1).flatten(1).amax(1)
    found = FewPixel(population=100, generations=30)(model, batch, labels)
    reached = margin(model, batch, labels) - margin(model, found, labels)
    assert (reached <= gain + 1e-9).all()
    still = labels_of(model, found) == labels  # the others stopped at their first success
    assert still.sum() > 5
    assert (reached[still] > 0.97 * gain[still]).all()
    best = (margin(model, batch, labels) - gain < 0) == ~still
    assert best.double().mean() >= 0.95


def test_every_count_is_of_whole_populations_and_a_success_ends_an_image():
    model, batch = small(), images(60)
    labels = labels_of(model, batch)
    labels[:5] = (labels[:5] + 1) % 4  # wrong from the beginning
    seen = []
    model.register_forward_pre_hook(lambda _model, inputs: seen.append(len(inputs[0])))
    found = FewPixel(**QUICK).explore(model, batch, labels)
    assert found.queries.sum() == sum(seen)
    reached = labels_of(model, found.images) != labels
    assert torch.equal(found.iterations >= 0, reached)
    assert found.iterations[:5].tolist() == [0] * 5
    assert found.queries[:5].tolist() == [1] * 5
    assert torch.equal(found.images[:5], batch[:5])
    assert torch.equal(found.queries[reached], 1 + 40 * found.iterations[reached])
    assert (found.queries[~reached] == 1 + 40 * 11).all()
    assert 0 < reached[5:].sum() < 55


def test_more_generations_fool_more_and_never_lose_ground():
    model, batch = small(), images(40)
    labels = labels_of(model, batch)
    before = None
    for generations in (1, 4, 16):
        found = few_pixel(model, batch, labels, pixels=1, eps=1, population=20, generations=generations)
        reached = found.iterations >= 0
        if before is not None:
            assert (reached >= before).all()
            assert reached.sum() >= before.sum()
        before = reached


class _Watched:
    """Draws whose numbers are known: the middle of the range."""

    def __init__(self, count):
        self.count = count

    def uniform(self, _rows, *shape):
        return torch.full((self.count, *shape), 0.5)

    normal = uniform


def test_children_follow_the_papers_formula_and_what_leaves_the_image_is_drawn_anew():
    batch = images(1, (1, 4, 4), dtype=torch.float32)
    evolution = _Evolution(batch, 1, 1, 5, _Watched(1))
    members = torch.rand(1, 5, 1, 3, generator=generator())
    first, second, third = (numbers[0].tolist() for numbers in evolution._three(torch.tensor([0])))
    expected = (members[0, first] + 0.5 * (members[0, second] - members[0, third]))[:, 0]
    position, colour = expected[:, :2], expected[:, 2:].clamp(0, 1)
    position = torch.where((position < 0) | (position >= 1), torch.tensor(0.5), position)
    children = evolution.children(torch.tensor([0]), members)[0, :, 0]
    torch.testing.assert_close(children, torch.cat([position, colour], 1))


def test_the_three_parents_are_different_and_all_are_as_likely():
    batch = images(2, (1, 4, 4))
    evolution = _Evolution(batch, 1, 1, 6, Draws(batch, None))
    rows = torch.arange(2)
    drawn = torch.cat([torch.stack(evolution._three(rows), -1).flatten(0, 1) for _ in range(400)]).numpy()
    assert all(len(set(three)) == 3 for three in drawn.tolist())
    for place in range(3):
        counts = np.bincount(drawn[:, place], minlength=6)
        expected = len(drawn) / 6
        assert (abs(counts - expected) < 5 * (expected * 5 / 6) ** 0.5).all()


def test_the_first_population_is_uniform_in_place_and_normal_in_colour():
    batch = images(1, (2, 8, 8))
    first = _Evolution(batch, 1, 2, 4000, Draws(batch, None)).first(torch.tensor([0]))[0]
    assert first.shape == (4000, 2, 4)
    assert abs(float(first[..., :2].mean()) - 0.5) < 5 * (1 / 12 / 16000) ** 0.5
    colours = first[..., 2:]
    inside = colours[(colours > 0) & (colours < 1)]
    assert len(inside) / colours.numel() == pytest.approx(0.6827, abs=0.02)  # within one standard deviation
    assert 0 <= float(colours.min()) <= float(colours.max()) <= 1


def test_two_pixels_that_meet_are_one_and_the_later_wins():
    batch = torch.zeros(1, 1, 2, 2)
    evolution = _Evolution(batch, 1, 2, 1, _Watched(1))
    painted = evolution._paint(torch.tensor([0]), torch.tensor([[[[0.6, 0.1, 0.3], [0.9, 0.4, 0.7]]]]))
    assert painted[0, 0, 0].tolist() == [[0, 0], [pytest.approx(0.7), 0]]


class Blind(nn.Module):
    """Predicts class 0 whatever it sees."""

    def forward(self, batch):
        return torch.tensor([[1.0, 0.0]]).expand(len(batch), 2)


def test_a_model_that_never_changes_its_mind_keeps_within_the_budget():
    batch, labels = images(3), torch.zeros(3, dtype=torch.int64)
    found = FewPixel(**QUICK).explore(Blind(), batch, labels)
    assert (found.iterations == -1).all()
    assert (changed(found.images, batch) <= 1).all()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"population": 3}, "population must be at least 4, got 3"),
        ({"pixels": 0}, "pixels must be at least 1"),
        ({"generations": 0}, "generations must be at least 1"),
        ({"eps": 8}, "8/255"),
    ],
)
def test_settings_that_make_no_sense_are_refused(fields, sentence):
    with pytest.raises(UserError, match=sentence):
        FewPixel(**fields)
    model, batch = small(), images(2)
    known = {"pixels": 1, "eps": 1, "population": 8, "generations": 1}
    with pytest.raises(UserError, match=sentence):
        few_pixel(model, batch, labels_of(model, batch), **(known | fields))


def test_more_pixels_than_there_are_is_refused():
    model, batch = small(), images(2)
    with pytest.raises(UserError, match="an image has 20 pixels, got pixels=21"):
        FewPixel(pixels=21)(model, batch, labels_of(model, batch))


def digits_net():
    """A small CNN trained on digits, 100 test images and their labels."""
    from gradlab.data import load
    from gradlab.models import CNN
    from gradlab.training import Recipe, fit

    data = load("digits")
    network = CNN(widths=(8, 16)).build((1, 8, 8), 10, seed=0)
    network = fit(network, data, Recipe(epochs=5, learning_rate=0.01), seed=0, progress=False).model
    return network, data.test.images[:100].float() / 255, data.test.labels[:100]


@pytest.mark.slow
def test_it_finds_what_the_exhaustive_search_finds_on_100_digits():
    network, batch, labels = digits_net()
    levels = torch.linspace(0, 1, 17).tolist()
    oracle = one_pixel_oracle(network, batch, labels, levels=levels)
    found = FewPixel(population=100, generations=50).explore(network, batch, labels)
    by_oracle, by_search = oracle.iterations >= 0, found.iterations >= 0
    assert by_oracle.sum() > 20
    assert (by_search & by_oracle).sum() >= 0.97 * by_oracle.sum()
    assert (by_search & ~by_oracle).sum() <= 3  # a colour between two levels of the grid
