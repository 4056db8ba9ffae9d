"""Explainers that are to be believed, and those that are not, told apart; and the check with randomised weights."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import utils
from torch.nn.utils import prune

from gradlab.explain import GradCAM, Saliency, cascade, edge_maps, faithfulness, randomise, restored
from gradlab.explain.faithfulness import _finding, _over_draws
from gradlab.explain.randomised import layers_with_weights
from gradlab.statistics import Interval, Sampled, interval
from gradlab.types import UserError
from tests.explain.examples import averaging, generator, images, snapshot


class Spot(nn.Module):
    """Finds the one bright spot of 3×3: the class is the colour in which it is bright."""

    def __init__(self):
        super().__init__()
        self.see = nn.Conv2d(3, 3, 3, padding=1, bias=False)
        self.head = nn.Linear(3, 3, bias=False)
        with torch.no_grad():
            self.see.weight.zero_()
            for k in range(3):
                self.see.weight[k, k] = 1 / 9
            self.head.weight.copy_(40 * torch.eye(3))

    def forward(self, batch):
        return self.head((self.see(batch) - 0.5).relu().mean((2, 3)) * 12)


@pytest.fixture(scope="module")
def spots():
    """Spots in noise with strong edges elsewhere; images, classes and masks."""
    count, stream = 60, generator(3)
    batch = torch.rand(count, 3, 16, 16, generator=stream) * 0.2
    classes = torch.arange(count) % 3
    masks = torch.zeros(count, 16, 16, dtype=torch.bool)
    batch[:, :, :, 13] = 0
    batch[:, :, ::2, 14] = 1  # stripes of single pixels: edges, which the network does not see
    for row, k in enumerate(classes.tolist()):
        top, left = torch.randint(0, 9, (2,), generator=stream).tolist()
        batch[row, k, top : top + 4, left : left + 4] = 0.9
        masks[row, top : top + 4, left : left + 4] = True
    return batch, classes, masks


def test_a_map_of_what_the_network_uses_is_faithful(spots):
    batch, classes, masks = spots
    model = Spot()
    found = faithfulness(model, GradCAM(model, layer="see"), batch, classes, masks=masks, draws=20)
    assert found.finding == "faithful"
    assert found.scores["pointing"]["map"].mean() > 0.95
    assert list(found.stages) == [0.5, 1.0]
    text = str(found)
    assert text.startswith("faithful (60 images, a difference of 0.05 matters)")
    assert "minus edges: +" in text


@pytest.mark.slow
def test_edges_as_an_explainer_fail_the_check_with_randomised_weights(spots):
    batch, classes, masks = spots
    found = faithfulness(Spot(), edge_maps, batch, classes, masks=masks)
    assert found.finding == "fails the sanity check"
    assert found.similarity.estimate == pytest.approx(1)
    assert found.differences["pointing"]["edges"].estimate == 0


@pytest.mark.slow
def test_maps_that_change_with_the_weights_but_know_nothing_are_no_better_than_edges(spots):
    batch, classes, masks = spots
    model = Spot()

    def arbitrary(some):
        """Edges, and noise for any other weights than these."""
        if torch.equal(model.head.weight, Spot().head.weight):
            return edge_maps(some)
        return torch.rand(some.shape[0], 16, 16, generator=generator())

    found = faithfulness(model, arbitrary, batch, classes, masks=masks)
    assert found.finding == "no better than edges"
    assert abs(found.similarity.estimate) < 0.1


def test_an_untrained_network_does_not_pass(spots):
    batch, _, masks = spots
    model = averaging(dtype=torch.float32)
    randomise(model, seed=5)
    found = faithfulness(model, GradCAM(model), batch, masks=masks)
    assert found.finding != "faithful"
    assert found.scores["pointing"]["map"].mean() < 0.4


def test_scores_and_intervals_are_those_of_the_images(spots):
    batch, classes, _ = spots
    model = Spot()
    found = faithfulness(model, GradCAM(model, layer="see"), batch, classes, level=0.9)
    scores = found.scores["insertion minus deletion"]
    gap = scores["map"] - scores["random"]
    shown = found.differences["insertion minus deletion"]["random"]
    assert shown.estimate == pytest.approx(gap.mean())
    assert shown.level == pytest.approx(1 - 0.1 / 3)  # two differences and the check
    assert shown.low < gap.mean() < shown.high
    assert shown.high - shown.low > 4 * gap.std(ddof=1) / np.sqrt(gap.size)
    assert set(found.scores) == {
        "insertion minus deletion",
        "deletion",
        "insertion",
        "ROAD",
        "average drop",
        "increase",
    }


def test_the_cascade_goes_from_the_last_layer_to_the_first_and_gives_every_bit_back():
    model, batch = averaging(), images()
    before, seen = snapshot(model), []

    def explain(some):
        seen.append({name: value.clone() for name, value in model.named_parameters()})
        return Saliency()(model, some, 1)

    shares, found = cascade(model, explain, batch, stages=2, seed=1)
    assert shares == [0.5, 1]
    assert found.shape == (2, 1, 6)
    names = layers_with_weights(model)
    assert names == ["0", "1", "4", "9"]
    changed = [
        [name for name in names if not torch.equal(one[f"{name}.weight"], seen[0][f"{name}.weight"])]
        for one in seen
    ]
    assert changed == [[], ["4", "9"], ["0", "1", "4", "9"]]
    assert str(snapshot(model)) == str(before)


def test_weights_come_back_also_when_the_explainer_raises():
    model = averaging()
    before = snapshot(model)

    def explain(_):
        randomise(model, 0)
        raise RuntimeError("of its own")

    def judge():
        with restored(model):
            explain(None)

    with pytest.raises(RuntimeError, match="of its own"):
        judge()
    assert str(snapshot(model)) == str(before)


def test_randomised_weights_depend_on_seed_and_name_alone():
    class Tokens(nn.Module):
        def __init__(self):
            super().__init__()
            self.positions, self.head = nn.Parameter(torch.randn(50, 40) * 3 + 1), nn.Linear(3, 2)

    first, second, other = (Tokens() for _ in range(3))
    second.load_state_dict(first.state_dict())
    state = torch.get_rng_state()
    for model, seed in ((first, 1), (second, 1), (other, 2)):
        randomise(model, seed)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first.positions, second.positions)
    assert torch.equal(first.head.weight, second.head.weight)
    assert not torch.equal(first.head.weight, other.head.weight)
    assert abs(float(first.positions.detach().std()) - 3) < 0.2


PRUNE = partial(prune.l1_unstructured, name="weight", amount=0.3)


@pytest.mark.parametrize("reparametrise", [utils.weight_norm, utils.spectral_norm, PRUNE])
@pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated")
def test_weights_that_are_computed_before_every_pass_are_randomised_and_given_back(reparametrise):
    layer = nn.Linear(12, 12)
    reparametrise(layer)
    model = nn.Sequential(layer).eval()
    batch = torch.rand(3, 12, generator=generator())
    before = model(batch).detach()
    with restored(model):
        layer.bias.data.zero_()
        without_bias = model(batch).detach()
        randomise(model, seed=0)
        layer.bias.data.zero_()
        after = model(batch).detach()
    assert not torch.allclose(after, without_bias, atol=0.05)
    assert torch.equal(model(batch), before)


def test_a_similarity_whose_interval_holds_the_bound_is_open():
    """Two draws: one leaves the maps as they are, one changes them wholly."""
    apart = {"gap": {other: Interval(0.5, 0.4, 0.6, 0.95, 1, 0.0, 0) for other in ("random", "edges")}}
    alike = [Interval(at, at - 0.2, at + 0.2, 0.95, 5, 0.0, 4) for at in (0.1, 0.4, 0.9)]
    assert [_finding(apart, one, 0.05) for one in alike] == ["faithful", "open", "fails the sanity check"]
    mixed = np.array([[1.0] * 6, [0.0] * 6, [np.nan] * 6])
    found = _over_draws(mixed, 0.95)
    assert (found.estimate, found.low, found.high) == (
        0.5,
        -1,
        1,
    )  # t with one degree of freedom, within [-1, 1]
    assert np.isnan(_over_draws(mixed[2:], 0.95).estimate)


def test_the_similarity_counts_draws_and_images():
    values = np.random.default_rng(0).normal([[0.1], [0.3], [0.2], [0.0]], 0.05, (4, 30))
    found = _over_draws(values, 0.95)
    expected = interval(Sampled(values.mean(1), {"images": values}), level=0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.high - found.low > 2 * 3.18 * values.mean(1).std(ddof=1) / 2  # t of 3 degrees of freedom


@pytest.mark.parametrize("count", [3, 12])
def test_intervals_of_pointing_leave_room_for_images_not_seen_and_stay_in_the_range(spots, count):
    batch, classes, masks = (one[:count] for one in spots)
    model = Spot()
    found = faithfulness(model, GradCAM(model, layer="see"), batch, classes, masks=masks, draws=2)
    for other in ("random", "edges"):
        shown = found.differences["pointing"][other]
        assert -1 <= shown.low < shown.estimate <= shown.high <= 1
    assert found.differences["pointing"]["edges"].estimate == 1  # right in all, edges in none


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda m: faithfulness(m, edge_maps, images(1)), "2 draws of random weights and a delta between 0 and 1, got 1"),
        (lambda m: faithfulness(m, edge_maps, images(), delta=5), "got 6, 5 and 5"),
        (lambda m: faithfulness(m, lambda x: x, images()), r"a tensor of shape \(6, 12, 10\), got \(6, 3, 12, 10\)"),
        (lambda m: cascade(m, edge_maps, images(), stages=0), "got 4 layers with parameters, 0 stages and 1 draws"),
        (lambda _: cascade(nn.Flatten(), edge_maps, images()), "needs a model with parameters"),
    ],
)  # fmt: skip
def test_what_cannot_be_judged_is_refused(call, sentence):
    with pytest.raises(UserError, match=sentence):
        call(averaging())
