"""Integrated gradients on tokens: in closed form where the score is known, complete everywhere, and the model as it was."""

import copy
import sys

import numpy as np
import pytest
import torch
from torch import nn

from gradlab.explain import token_gradients
from gradlab.types import UserError

IDS = torch.tensor([[1, 4, 5, 6, 2], [1, 7, 3, 2, 0]])
BASELINE = torch.tensor([[1, 9, 9, 9, 2], [1, 9, 9, 2, 0]])
MASK = (IDS != 0).long()


class Bag(nn.Module):
    """Two logits: the square of the sum of all embeddings' numbers, and what a small network makes of their mean."""

    def __init__(self, deep=False):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.words = nn.Embedding(10, 3).double()
            self.unused = nn.Embedding(10, 3).double()
            self.net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
        self.deep = deep

    def get_input_embeddings(self):
        return self.words

    def forward(self, input_ids, attention_mask):
        vectors = self.words(input_ids) * attention_mask[..., None]
        if self.deep:
            return self.net(vectors.sum(1) / attention_mask.sum(1, keepdim=True))
        return torch.stack([vectors.sum((1, 2)).square(), vectors.sum((1, 2))], 1)


def inputs():
    return {"input_ids": IDS, "attention_mask": MASK}


def test_of_a_square_of_a_sum_every_token_gets_its_change_times_the_mean_of_both_sums():
    """d(s²) = 2s ds, and the mean of s on the straight way is (s₀ + s₁)/2; one point of Gauss and Legendre is exact."""
    net = Bag()
    found = token_gradients(net, inputs(), BASELINE, 0, steps=1)
    for row in range(2):
        one, other = (net.words.weight[ids[row]].sum(1) * MASK[row] for ids in (IDS, BASELINE))
        wanted = (one - other) * (one.sum() + other.sum())
        assert torch.allclose(found.values[row], wanted.detach())
        assert found.scores[row].item() == pytest.approx(one.sum().item() ** 2)
        assert found.baseline_scores[row].item() == pytest.approx(other.sum().item() ** 2)
    assert found.gap.abs().max() < 1e-12
    assert (found.values[IDS == BASELINE] == 0).all()  # the ends, and padding


def test_the_values_are_those_of_a_plain_riemann_sum_and_sum_to_the_change_of_the_score():
    net = Bag(deep=True)
    found = token_gradients(net, inputs(), BASELINE, steps=20)
    assert found.gap.abs().max() < 1e-10
    one, other = (net.words(ids).detach() for ids in (IDS, BASELINE))
    classes, points = net(**inputs()).argmax(1), 400
    total = torch.zeros_like(one)
    for place in (np.arange(points) + 0.5) / points:
        at = (other + place * (one - other)).requires_grad_(True)
        mean = (at * MASK[..., None]).sum(1) / MASK.sum(1, keepdim=True)
        total += torch.autograd.grad(net.net(mean)[range(2), classes].sum(), at)[0] / points
    assert torch.allclose(found.values, ((one - other) * total).sum(-1), atol=1e-5)  # of the midpoint rule
    assert found.values.abs().max() > 0.01


def test_targets_are_a_class_one_for_each_or_a_function_and_rows_do_not_depend_on_each_other(monkeypatch):
    net = Bag(deep=True)
    whole = token_gradients(net, inputs(), BASELINE, [1, 0], steps=8)
    for row, target in enumerate((1, lambda logits: logits[:, 0])):
        alone = {name: one[row : row + 1] for name, one in inputs().items()}
        one = token_gradients(net, alone, BASELINE[row : row + 1], target, steps=8)
        assert torch.allclose(one.values[0], whole.values[row])
    for most in (5, 15, 40, 80):  # a point of a text a pass, three, a text, both
        monkeypatch.setattr(sys.modules[token_gradients.__module__], "MOST_TOKENS", most)
        assert torch.allclose(token_gradients(net, inputs(), BASELINE, [1, 0], steps=8).values, whole.values)


def test_the_model_is_left_as_it_was_also_after_an_error():
    net = Bag(deep=True).train()
    before = copy.deepcopy(net.state_dict())
    token_gradients(net, inputs(), BASELINE, steps=2)
    with pytest.raises(UserError, match=r"targets must lie in \[0, 2\)"):
        token_gradients(net, inputs(), BASELINE, 2)
    assert net.training
    assert not net.words._forward_hooks
    assert all(one.grad is None for one in net.parameters())
    assert all(torch.equal(one, net.state_dict()[name]) for name, one in before.items())


def test_what_cannot_be_explained_is_refused():
    net = Bag()
    with pytest.raises(UserError, match=r"same shape \(N, L\), got \(2, 5\) and \(1, 5\)"):
        token_gradients(net, inputs(), BASELINE[:1])
    with pytest.raises(UserError, match="must be at least 1, got 0"):
        token_gradients(net, inputs(), BASELINE, steps=0)
    with pytest.raises(UserError, match="no layer 'word'; did you mean 'words'"):
        token_gradients(net, inputs(), BASELINE, embedding="word")
    with pytest.raises(UserError, match="the embedding ran 0 times"):
        token_gradients(net, inputs(), BASELINE, embedding="unused")
    with pytest.raises(UserError, match="'net' is no embedding but Sequential"):
        token_gradients(net, inputs(), BASELINE, embedding="net")
    with pytest.raises(UserError, match="does not say which layer embeds its tokens"):
        token_gradients(nn.Sequential(nn.Embedding(10, 2)), {"input_ids": IDS}, BASELINE)
