"""Noise: normal, independent, cut to the range of pixels."""

import torch
from scipy import stats

from gradlab.augmentation import Noise
from tests.augmentation.examples import generator, images


def test_noise_is_added_and_cut():
    batch = images()
    noise = Noise(strength=0.4)
    drawn = noise.draw(len(batch), (3, 10, 12), generator())
    expected = torch.tensor(
        [
            min(1.0, max(0.0, a + b))
            for a, b in zip(batch.flatten().tolist(), drawn.flatten().tolist(), strict=True)
        ]
    ).view(batch.shape)
    torch.testing.assert_close(noise.apply(batch, drawn), expected, atol=1e-7, rtol=0)


def test_noise_is_normal_of_the_stated_strength_in_every_channel_by_itself():
    drawn = Noise(strength=0.1).draw(30, (3, 10, 10), generator())
    assert stats.kstest(drawn.flatten().numpy(), stats.norm(0, 0.1).cdf).pvalue > 0.01
    assert abs(stats.pearsonr(drawn[:, 0].flatten(), drawn[:, 1].flatten()).statistic) < 0.06
