"""Both conventions of the FPR on a hand-made example, and the coverage of the interval by simulation."""

import numpy as np
import pytest
from scipy.stats import beta, norm

from gradlab.detection.table import auroc_ends, row_of


def test_a_row_by_hand():
    """Twenty known images score 0 to 19, four foreign ones 15.5, 18, 18.5 and 30."""
    row = row_of("a", "b", np.arange(20.0), np.array([15.5, 18, 18.5, 30]))
    assert row.auroc == pytest.approx((16 + 18.5 + 19 + 20) / 80)
    assert row.fpr95_in == 0.5  # 19 known images are accepted up to 18, and with them 15.5 and 18
    assert row.fpr95_out == 0.2  # from 15.5 on all foreign ones are found, and four known images are rejected
    assert row.detection_error == pytest.approx(0.1)
    assert row.low <= row.auroc <= row.high <= 1


@pytest.mark.slow
@pytest.mark.parametrize(("shift", "known", "foreign"), [(1.0, 150, 40), (2.0, 60, 200)])
def test_the_interval_holds_the_true_auroc_in_about_95_of_100_samples(shift, known, foreign):
    """The AUROC of two normal distributions at a distance is known: Φ(distance / √2)."""
    stream, truth = np.random.default_rng(0), norm.cdf(shift / np.sqrt(2))
    held = 0
    for _ in range(400):
        row = row_of("a", "b", stream.normal(size=known), stream.normal(shift, size=foreign))
        held += row.low <= truth <= row.high
    assert 0.925 <= held / 400 <= 0.995  # three standard errors below 95 %; the interval is a little wide


@pytest.mark.parametrize(("shift", "known", "foreign", "least"), [(3.3, 30, 15, 0.95), (4.0, 300, 40, 0.9)])
def test_the_interval_holds_an_auroc_near_one_of_few_images_as_well(shift, known, foreign, least):
    """Of means and variances alone it held 73 and 84 in 100: of most such samples hardly an image is out of order."""
    stream, truth = np.random.default_rng(0), norm.cdf(shift / np.sqrt(2))
    held = 0
    for _ in range(300):
        low, high = auroc_ends(stream.normal(size=known), stream.normal(shift, size=foreign))
        held += low <= truth <= high
    assert held / 300 >= least


def test_sets_that_are_perfectly_apart_still_have_an_interval():
    """Ten pairs in order: at least so many happen with a chance of 2.5 % where the AUROC is 0.025^(1/10)."""
    apart = auroc_ends(np.arange(40.0), np.arange(50.0, 60))
    assert apart == (pytest.approx(beta.ppf(0.025, 10, 1)), 1.0)
    assert auroc_ends(np.arange(50.0, 60), np.arange(40.0)) == (0.0, pytest.approx(beta.ppf(0.975, 1, 10)))
    assert auroc_ends(np.arange(3.0), np.array([1.5])) == (
        0.0,
        1.0,
    )  # one foreign image tells nothing of others
