"""Scores of features, each against SciPy, scikit-learn, or its definition image by image."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from scipy.special import logsumexp
from sklearn.covariance import EmpiricalCovariance
from sklearn.neighbors import NearestNeighbors

from gradlab.data.guard import TEST_MARK
from gradlab.detection import (
    ASH,
    DETECTORS,
    KNN,
    Mahalanobis,
    ReAct,
    RelativeMahalanobis,
    ViM,
    head_of,
    react,
)
from gradlab.detection.ash import shaped
from gradlab.detection.mahalanobis import BLOCK
from gradlab.types import UserError
from tests.detection.examples import foreign, head, labelled, net

FEATURES, LABELS = labelled()
OTHERS = foreign()


def distances(points, means, covariance):
    return cdist(points, means, metric="mahalanobis", VI=np.linalg.inv(covariance)) ** 2


def of_classes():
    means = np.stack([FEATURES[k == LABELS].mean(0) for k in range(3)])
    apart = FEATURES - means[LABELS]
    return means, EmpiricalCovariance(assume_centered=True).fit(apart).covariance_


def test_mahalanobis_is_that_of_scipy_to_the_nearest_mean():
    found = Mahalanobis().fit(FEATURES, LABELS).score(OTHERS)
    np.testing.assert_allclose(found, distances(OTHERS, *of_classes()).min(1), rtol=1e-8)


def test_relative_mahalanobis_takes_off_the_distance_to_all():
    whole = EmpiricalCovariance().fit(FEATURES)
    expected = distances(OTHERS, *of_classes()).min(1) - whole.mahalanobis(OTHERS)
    np.testing.assert_allclose(
        RelativeMahalanobis().fit(FEATURES, LABELS).score(OTHERS), expected, rtol=1e-7, atol=1e-9
    )


def test_directions_without_spread_count_as_by_the_pseudo_inverse():
    flat = np.hstack([FEATURES, FEATURES[:, :1] * 2, np.full((len(FEATURES), 1), 3.0)])
    other = np.hstack([OTHERS, OTHERS[:, :1] * 2, np.full((len(OTHERS), 1), 3.0)])
    means = np.stack([flat[k == LABELS].mean(0) for k in range(3)])
    apart = flat - means[LABELS]
    inverse = np.linalg.pinv(apart.T @ apart / len(flat), rcond=1e-10)
    by_hand = np.min([np.einsum("nd,de,ne->n", other - m, inverse, other - m) for m in means], axis=0)
    np.testing.assert_allclose(Mahalanobis().fit(flat, LABELS).score(other), by_hand, rtol=1e-6)


def test_class_numbers_may_have_gaps_and_blocks_change_nothing():
    plain = Mahalanobis().fit(FEATURES, LABELS).score(OTHERS)
    np.testing.assert_allclose(Mahalanobis().fit(FEATURES, LABELS * 7 + 2).score(OTHERS), plain, rtol=1e-12)
    many = np.tile(OTHERS, (BLOCK // len(OTHERS) + 2, 1))
    np.testing.assert_allclose(
        Mahalanobis().fit(FEATURES, LABELS).score(many)[-len(OTHERS) :], plain, rtol=1e-12
    )


@pytest.mark.parametrize("k", [1, 7, 120])
def test_knn_is_the_distance_that_scikit_learn_finds(k, monkeypatch):
    def unit(values):
        return values / np.linalg.norm(values, axis=1, keepdims=True)

    search = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(unit(FEATURES))
    expected = search.kneighbors(unit(OTHERS))[0][:, -1]
    np.testing.assert_allclose(KNN(k=k).fit(FEATURES).score(OTHERS), expected, rtol=1e-6)
    monkeypatch.setattr("gradlab.detection.knn.BLOCK_NUMBERS", 3 * len(FEATURES))  # blocks of three images
    np.testing.assert_allclose(KNN(k=k).fit(FEATURES).score(OTHERS), expected, rtol=1e-6)


@pytest.mark.parametrize(("spread", "count"), [(1e-4, 2_500), (1e-2, 1_500), (0.0, 300)])
@pytest.mark.parametrize("k", [1, 50])
def test_knn_ranks_in_float64_what_float32_cannot_tell_apart(spread, count, k):
    stream = np.random.default_rng(0)
    bank, queries = (1 + spread * stream.normal(size=(n, 16)) for n in (count, 20))
    fitted = KNN(k=k).fit(bank)
    unit = queries / np.linalg.norm(queries, axis=1, keepdims=True)
    by_hand = np.sort(cdist(unit, fitted.bank.astype(np.float64)), axis=1)[:, k - 1]
    np.testing.assert_allclose(fitted.score(queries), by_hand, rtol=1e-9, atol=1e-15)


def test_knn_of_a_training_image_itself_is_zero_and_of_zeros_one():
    fitted = KNN(k=1).fit(FEATURES)
    assert fitted.score(FEATURES[3:4])[0] < 1e-6
    assert fitted.score(np.zeros((1, 5)))[0] == pytest.approx(1, abs=1e-6)


def test_react_cuts_at_the_quantile_of_all_features():
    fitted = ReAct(quantile=0.8).fit(FEATURES, head())
    threshold = np.sort(FEATURES.ravel())
    assert fitted.threshold == pytest.approx(
        np.interp(0.8 * (len(threshold) - 1), range(len(threshold)), threshold)
    )
    by_hand = [-logsumexp(head().weight @ np.minimum(row, fitted.threshold) + head().bias) for row in OTHERS]
    np.testing.assert_allclose(fitted.score(OTHERS), by_hand, rtol=1e-9)
    np.testing.assert_allclose(react(OTHERS, head(), np.inf), -logsumexp(head().logits(OTHERS), axis=1))


@pytest.mark.parametrize("variant", ["s", "b"])
@pytest.mark.parametrize("share", [0.0, 0.4, 0.9])
def test_ash_keeps_the_largest_features_and_reshapes_them(variant, share):
    made = shaped(OTHERS, share, variant)
    for row, other in zip(OTHERS, made, strict=True):
        kept = max(1, 5 - round(5 * share))
        largest = np.argsort(row)[-kept:]
        before, after = row.sum(), row[largest].sum()
        expected = np.zeros(5)
        expected[largest] = row[largest] * np.exp(before / after) if variant == "s" else before / kept
        np.testing.assert_allclose(other, expected, rtol=1e-12)
    fitted = ASH(share=share, variant=variant).fit(head())
    np.testing.assert_allclose(fitted.score(OTHERS), -logsumexp(head().logits(made), axis=1), rtol=1e-12)


def test_ash_takes_an_image_without_any_activation_and_no_negative_ones():
    assert (shaped(np.zeros((1, 5)), 0.9, "s") == 0).all()
    with pytest.raises(UserError, match="not negative, as after a ReLU"):
        shaped(-OTHERS, 0.9, "s")


def test_vim_is_the_scaled_residual_with_the_energy():
    """Written out as in the paper: SVD of the centred features, alpha from training, then eq. 6 up to its rising softmax."""
    fitted = ViM(dimension=2).fit(FEATURES, head())
    origin = -np.linalg.lstsq(head().weight, head().bias, rcond=None)[0]
    _, _, directions = np.linalg.svd(FEATURES - origin, full_matrices=True)
    residual = directions[2:].T

    def virtual(points):
        return np.linalg.norm((points - origin) @ residual, axis=1)

    alpha = head().logits(FEATURES).max(1).mean() / virtual(FEATURES).mean()
    assert fitted.scale == pytest.approx(alpha, rel=1e-9)
    logits = head().logits(OTHERS)
    extended = np.hstack([logits, alpha * virtual(OTHERS)[:, None]])
    probability = np.exp(extended[:, -1] - logsumexp(extended, axis=1))
    found = fitted.score(OTHERS)
    np.testing.assert_allclose(
        1 / (1 + np.exp(-found)), probability, rtol=1e-8
    )  # the virtual class's softmax
    assert ViM().fit(FEATURES, head()).residual.shape == (5, 3)
    assert (
        ViM().fit(np.random.default_rng(0).normal(size=(900, 768)), head(width=768)).residual.shape[1] == 256
    )


def test_the_head_is_the_last_linear_layer_in_float64():
    network = net()
    found = head_of(network)
    hidden = torch.rand(4, 5)
    np.testing.assert_allclose(found.logits(hidden), network.head(hidden).detach().numpy(), rtol=1e-5)
    network.head.bias = None
    assert (head_of(network).bias == 0).all()
    with pytest.raises(UserError, match="no linear layer"):
        head_of(torch.nn.Sequential(torch.nn.Flatten()))


@pytest.mark.parametrize("kind", [kind for kind in DETECTORS if "features" in DETECTORS[kind].fits])
def test_nothing_is_fitted_to_test_images_or_to_none(kind):
    given = {"features": torch.tensor(FEATURES), "labels": LABELS, "head": head()}
    given = {name: given[name] for name in DETECTORS[kind].fits}
    setattr(given["features"], TEST_MARK, "digits")
    with pytest.raises(UserError, match="got the test split of 'digits'"):
        DETECTORS[kind]().fit(**given)
    with pytest.raises(UserError, match="there are none"):
        DETECTORS[kind]().fit(**(given | {"features": np.zeros((0, 5))}))
    if "labels" in given:
        with pytest.raises(UserError, match=r"120 features need labels of shape \(120,\)"):
            DETECTORS[kind]().fit(FEATURES, LABELS[:-1])


def test_settings_that_leave_nothing_are_refused():
    with pytest.raises(UserError, match="50-th nearest of 20 training images does not exist"):
        KNN().fit(FEATURES[:20])
    with pytest.raises(UserError, match="less than the 5 features"):
        ViM(dimension=5).fit(FEATURES, head())


LARGE = """
import resource, sys
import numpy as np
from gradlab.detection import KNN, Mahalanobis
stream = np.random.default_rng(0)
bank = stream.normal(size=(50_000, 512)).astype(np.float32)
fitted = KNN().fit(bank) if sys.argv[1] == "knn" else Mahalanobis().fit(bank, np.arange(50_000) % 10)
fitted.score(bank[:2_000])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["knn", "mahalanobis"])
def test_fifty_thousand_features_fit_into_two_gigabytes(kind):
    done = subprocess.run([sys.executable, "-c", LARGE, kind], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 2_000
