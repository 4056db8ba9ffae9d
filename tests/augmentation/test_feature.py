"""Hidden features against the paper's formulas in plain loops."""

import math
from itertools import product

import pytest
import torch
from scipy import stats
from scipy.spatial.distance import cdist

from gradlab.augmentation import FeatureAugmentation
from gradlab.cli._options import field_texts
from gradlab.types import UserError
from tests.augmentation.examples import generator

FEATURES = torch.randn(12, 4, generator=generator())
LABELS = torch.tensor([0, 1, 2, 0, 1, 0, 1, 0, 1, 0, 1, 0])  # class 2 has one row alone
KINDS = ("extrapolation", "interpolation", "noise")


@pytest.mark.parametrize(("kind", "sign"), [("extrapolation", -1), ("interpolation", 1)])
@pytest.mark.parametrize("neighbours", [1, 3, 50])
def test_rows_move_along_the_line_to_one_of_their_nearest(kind, sign, neighbours):
    augmentation = FeatureAugmentation(kind=kind, strength=0.7, neighbours=neighbours, probability=0.8)
    drawn = augmentation.draw(12, 4, generator(1))
    moved = augmentation.apply(FEATURES, LABELS, drawn)
    distances = cdist(FEATURES.numpy(), FEATURES.numpy())
    for i in range(12):
        same = [k for k in range(12) if k != i and LABELS[k] == LABELS[i]]
        nearest = sorted(same, key=lambda k: distances[i, k])[:neighbours]
        expected = FEATURES[i]
        if nearest and drawn[i, 0] == 1:
            other = FEATURES[nearest[math.floor(float(drawn[i, 1]) * len(nearest))]]
            expected = FEATURES[i] + sign * 0.7 * (other - FEATURES[i])
        torch.testing.assert_close(moved[i], expected, atol=1e-6, rtol=0)


def test_interpolation_lies_between_and_extrapolation_beyond():
    features, labels = torch.tensor([[0.0, 0.0], [1.0, 2.0]]), torch.zeros(2, dtype=torch.int64)
    between = FeatureAugmentation(kind="interpolation")(features, labels, generator=generator())
    beyond = FeatureAugmentation(kind="extrapolation")(features, labels, generator=generator())
    assert between.tolist() == [[0.5, 1.0], [0.5, 1.0]]
    assert beyond.tolist() == [[-0.5, -1.0], [1.5, 3.0]]


def test_noise_is_the_formula_on_a_small_batch():
    augmentation = FeatureAugmentation(kind="noise", strength=0.5, probability=0.6)
    drawn = augmentation.draw(12, 4, generator(1))
    expected = FEATURES.numpy() + 0.5 * drawn[:, :1].numpy() * FEATURES.numpy().std(0) * drawn[:, 1:].numpy()
    moved = augmentation.apply(FEATURES, LABELS, drawn)
    torch.testing.assert_close(moved, torch.from_numpy(expected), atol=1e-6, rtol=0)


def test_noise_has_the_stated_part_of_each_feature_s_deviation():
    features = torch.randn(3000, 3, generator=generator()) * torch.tensor([0.1, 1.0, 10.0])
    labels = torch.zeros(3000, dtype=torch.int64)
    noise = (
        FeatureAugmentation(kind="noise", strength=0.25)(features, labels, generator=generator()) - features
    )
    for column, spread in enumerate(features.std(0, correction=0).tolist()):
        assert stats.kstest(noise[:, column].numpy(), stats.norm(0, 0.25 * spread).cdf).pvalue > 0.01


def test_neighbours_are_drawn_alike():
    drawn = FeatureAugmentation(neighbours=3).draw(3000, 4, generator())
    assert stats.kstest(drawn[:, 1].double().numpy(), "uniform").pvalue > 0.01
    assert bool((drawn[:, 0] == 1).all())


@pytest.mark.parametrize("kind", KINDS)
def test_strength_and_probability_zero_are_the_identity(kind):
    for augmentation in (
        FeatureAugmentation(kind=kind, strength=0),
        FeatureAugmentation(kind=kind, probability=0),
    ):
        assert torch.equal(augmentation(FEATURES, LABELS, generator=generator()), FEATURES)


@pytest.mark.parametrize("kind", KINDS)
def test_stacked_seeds_find_their_neighbours_in_their_own_batch(kind):
    augmentation = FeatureAugmentation(kind=kind)
    features = torch.randn(3, 12, 4, generator=generator(5))
    labels = torch.stack([LABELS, LABELS.flip(0), LABELS.roll(3)])
    drawn = torch.stack([augmentation.draw(12, 4, generator(seed)) for seed in range(3)])
    together = augmentation.apply(features, labels, drawn)
    for row in range(3):
        alone = augmentation.apply(features[row], labels[row], drawn[row])
        assert torch.equal(together[row], alone)


@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_is_that_of_the_formula(kind):
    augmentation = FeatureAugmentation(kind=kind, strength=0.3, probability=0.7)
    features = FEATURES.double().requires_grad_()
    drawn = augmentation.draw(12, 4, generator(2))
    weights = torch.randn(12, 4, generator=generator(3), dtype=torch.float64)
    (gradient,) = torch.autograd.grad((augmentation.apply(features, LABELS, drawn) * weights).sum(), features)
    expected = weights.clone()  # of noise: the deviation is a number, as in the paper
    if kind != "noise":
        for row, column in product(range(12), range(4)):
            moved = features.detach().clone()
            moved[row, column] += 1e-6
            change = augmentation.apply(moved, LABELS, drawn) - augmentation.apply(features, LABELS, drawn)
            expected[row, column] = (change.detach() * weights).sum() / 1e-6
    torch.testing.assert_close(gradient, expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_type_and_global_random_state_are_kept(kind):
    state = torch.get_rng_state()
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        after = FeatureAugmentation(kind=kind)(FEATURES.to(dtype), LABELS, generator=generator())
        assert after.dtype == dtype
        assert after.isfinite().all()
    assert torch.equal(torch.get_rng_state(), state)


def test_bad_input_is_refused_in_a_sentence():
    with pytest.raises(UserError, match=r"need labels of the same batch .* got \(12, 4\), \(5,\)"):
        FeatureAugmentation()(FEATURES, LABELS[:5], generator=generator())
    with pytest.raises(UserError, match="flatten the features of an image"):
        FeatureAugmentation().apply(torch.rand(1, 2, 3, 4), torch.zeros(1, 2, 3), torch.rand(1, 2, 3, 2))
    with pytest.raises(UserError, match="strength must lie in"):
        FeatureAugmentation(strength=-1)
    with pytest.raises(UserError, match="extrapolation"):
        FeatureAugmentation(kind="extrapolate")


def test_of_ten_classes_in_a_batch_of_128_ten_neighbours_reach_nearly_as_far_as_the_class_and_three_stay_near():
    features = torch.randn(128, 16, generator=generator(1))
    labels = torch.arange(128) % 10

    def distance(neighbours):
        nearby = FeatureAugmentation(kind="interpolation", strength=1, neighbours=neighbours)
        return float((nearby(features, labels, generator=generator(2)) - features).norm(dim=1).mean())

    apart = [(features[labels == k][:, None] - features[labels == k][None]).norm(dim=2) for k in range(10)]
    whole = float(sum(d.sum(1).mul(1 / (len(d) - 1)).sum() for d in apart)) / 128
    assert distance(3) < 0.9 * whole < 0.93 * whole < distance(10) < 1.02 * whole
    assert "about 3" in field_texts(FeatureAugmentation)["neighbours"]
