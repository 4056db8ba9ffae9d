"""Mixup: weighted means with partners of the own batch."""

import pytest
import torch
from scipy import stats

from gradlab.augmentation import Mixup
from gradlab.types import UserError
from tests.augmentation.examples import generator, images

LABELS = torch.tensor([3, 1, 4, 1, 5, 9])


def test_each_image_is_the_weighted_mean_that_the_weights_say():
    batch, mixup = images(), Mixup(alpha=1)
    drawn = mixup.draw(6, (3, 10, 12), generator())
    mixed, others, weights = mixup.mix(batch, LABELS, drawn)
    for i, (partner, weight) in enumerate(drawn.tolist()):
        expected = weight * batch[i] + (1 - weight) * batch[int(partner)]
        torch.testing.assert_close(mixed[i], expected, atol=1e-6, rtol=0)
        assert int(others[i]) == int(LABELS[int(partner)])
        assert float(weights[i]) == pytest.approx(weight)


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_weights_follow_the_beta_distribution(alpha):
    weights = Mixup(alpha=alpha).draw(3000, (1, 4, 4), generator())[:, 1]
    assert stats.kstest(weights.double().numpy(), stats.beta(alpha, alpha).cdf).pvalue > 0.01


def test_partners_are_a_permutation():
    drawn = Mixup().draw(50, (1, 4, 4), generator())
    assert sorted(drawn[:, 0].tolist()) == list(range(50))


def test_alpha_and_probability_zero_keep_images_and_weights_bit_for_bit():
    batch = images()
    for mixup in (Mixup(alpha=0), Mixup(probability=0)):
        mixed, _, weights = mixup(batch, LABELS, generator=generator())
        assert torch.equal(mixed, batch)
        assert torch.equal(weights, torch.ones(6))


def test_labels_of_another_batch_are_refused():
    with pytest.raises(
        UserError, match=r"need labels and draws of the same batch, got \(6, 3, 10, 12\), \(5,\)"
    ):
        Mixup()(images(), LABELS[:5], generator=generator())
