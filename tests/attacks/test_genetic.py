"""GenAttack: its budget, its selection, its crossover and mutation, and that evolution beats drawing at random."""

import pytest
import torch

from gradlab.attacks import Genetic, genetic
from gradlab.attacks._draws import Draws
from gradlab.attacks.genetic import _Breeding
from gradlab.types import UserError
from tests.attacks.examples import images, labels_of, linear, margin, small

PLAIN = {
    "eps": 0.1,
    "population": 6,
    "generations": 10,
    "mutation_probability": 0.05,
    "mutation_range": 1.0,
    "temperature": 0.1,
}


def breeding(batch, **changed):
    known = {
        "low": batch - 0.1,
        "high": batch + 0.1,
        "eps": 0.1,
        "probability": 0.0,
        "reach": 0.1,
        "temperature": 0.1,
    }
    return _Breeding(images=batch, draws=Draws(batch, None), **(known | changed))


def test_it_comes_near_the_closed_form_of_a_linear_model_where_random_points_stay_far():
    """Worst margin = m - eps·‖w1 - w0‖₁; a random point of the ball moves it by a few per cent of that."""
    model, batch = linear(), images(8) * 0.5 + 0.25
    labels = labels_of(model, batch)
    model[1].bias.data[:] += 1000 * torch.nn.functional.one_hot(
        labels[0], 2
    )  # nobody succeeds: all go to the end
    kept = labels == labels[0]
    batch, labels = batch[kept], labels[kept]
    reach = float(0.1 * (model[1].weight[1] - model[1].weight[0]).abs().sum().detach())
    gains = []
    for generations in (1, 150):
        found = Genetic(eps=0.1, generations=generations)(model.double(), batch, labels)
        gains.append(((margin(model, batch, labels) - margin(model, found, labels)) / reach).mean())
    assert gains[0] < 0.5
    assert 0.6 < gains[1] <= 1 + 1e-9


def test_counts_are_those_of_the_model_and_the_fittest_is_not_asked_twice():
    model, batch = small(), images(40)
    labels = labels_of(model, batch)
    seen = []
    model.register_forward_pre_hook(lambda _model, inputs: seen.append(len(inputs[0])))
    found = Genetic(eps=0.05, generations=8).explore(model, batch, labels)
    assert found.queries.sum() == sum(seen)
    reached = labels_of(model, found.images) != labels
    assert torch.equal(found.iterations >= 0, reached)
    assert 0 < reached.sum() < 40
    assert (found.queries[~reached] == 1 + 6 + 8 * 5).all()
    late = reached & (found.iterations >= 1)
    assert torch.equal(found.queries[late], 2 + 5 * found.iterations[late])


def test_parents_are_drawn_with_the_softmax_of_their_fitness():
    """Without mutation a child of two constant parents holds numbers of both, in the ratio of their probabilities."""
    batch = torch.full((1, 1, 20, 20), 0.5)
    members = torch.stack([torch.full((1, 20, 20), value) for value in (0.41, 0.5, 0.59)] * 100)[None]
    fitness = torch.tensor([0.0, 0.1, 0.2] * 100)[None]
    children = breeding(batch).children(torch.tensor([0]), members, fitness)[0]
    assert children.shape == (299, 1, 20, 20)
    shares = [float((children - value).abs().lt(1e-6).float().mean()) for value in (0.41, 0.5, 0.59)]
    odds = torch.tensor([0.0, 1.0, 2.0])
    picked = odds.softmax(0)
    ratio = (odds[:, None] - odds).sigmoid()  # of parent i over parent j
    expected = [float(sum(2 * picked[i] * picked[j] * ratio[i, j] for j in range(3))) for i in range(3)]
    assert shares == pytest.approx(expected, abs=0.08)  # 299 children: a standard deviation of 0.02
    assert sum(expected) == pytest.approx(1)


def test_mutations_are_as_frequent_and_as_large_as_asked():
    batch = torch.full((1, 1, 30, 30), 0.5)
    members = batch[:, None].repeat(1, 7, 1, 1, 1)
    children = breeding(batch, probability=0.2, reach=0.05).children(
        torch.tensor([0]), members, torch.zeros(1, 7)
    )
    change = (children - 0.5).flatten()
    count = len(change)
    assert float(change.abs().max()) <= 0.05 + 1e-6
    assert abs(float((change != 0).float().mean()) - 0.2) < 5 * (0.16 / count) ** 0.5
    assert abs(float((change**2).mean()) - 0.2 * 0.05**2 / 3) < 0.2 * 0.05**2 / 3 * 0.2


def test_children_stay_in_the_ball_though_mutations_are_long():
    model, batch = small(), images(10)
    found = Genetic(eps=0.05, generations=4, mutation_range=9.0, mutation_probability=0.5)(
        model, batch, labels_of(model, batch)
    )
    assert float((found - batch).abs().max()) <= 0.05


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"population": 1}, "population must be at least 2, got 1"),
        ({"generations": 0}, "generations must be at least 1"),
        ({"eps": 8}, "8/255"),
    ],
)
def test_settings_that_make_no_sense_are_refused(fields, sentence):
    with pytest.raises(UserError, match=sentence):
        Genetic(**fields)
    model, batch = small(), images(2)
    with pytest.raises(UserError, match=sentence):
        genetic(model, batch, labels_of(model, batch), **(PLAIN | fields))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [({"temperature": 0}, "greater than 0"), ({"mutation_probability": 2}, "at most 1")],
)
def test_chances_that_are_none_are_refused(fields, sentence):
    with pytest.raises(UserError, match=sentence):
        Genetic(**fields)
