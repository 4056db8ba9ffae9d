import numpy as np
import pytest
from sklearn.decomposition import PCA

from gradlab.transfer import pca
from gradlab.types import UserError


def test_components_are_those_of_scikit_learn_up_to_their_sign():
    features = np.random.default_rng(0).normal(size=(40, 6)) * np.arange(1, 7)
    ours, theirs = pca(features, 3), PCA(3).fit(features)
    np.testing.assert_allclose(np.abs(ours.coordinates), np.abs(theirs.transform(features)), rtol=1e-8)
    np.testing.assert_allclose(ours.shares, theirs.explained_variance_ratio_, rtol=1e-10)


def test_the_sign_is_fixed_and_a_shift_changes_nothing():
    features = np.random.default_rng(1).normal(size=(30, 4))
    found = pca(features)
    np.testing.assert_allclose(pca(features + 5).coordinates, found.coordinates, atol=1e-12)
    for component in range(2):
        loading = np.linalg.lstsq(features - features.mean(0), found.coordinates[:, component], rcond=None)[0]
        assert loading[np.abs(loading).argmax()] > 0
    np.testing.assert_allclose(pca(np.ones((3, 2))).shares, 0)


@pytest.mark.parametrize(
    ("features", "components", "sentence"),
    [
        ([1.0, 2.0], 2, r"shape \(N, D\)"),
        ([[1.0, np.nan], [0.0, 1.0]], 2, "must be finite"),
        (np.ones((3, 2)), 3, "between 1 and 2"),
        (np.ones((3, 2)), 0, "between 1 and 2"),
    ],
)
def test_what_is_no_features_is_refused(features, components, sentence):
    with pytest.raises(UserError, match=sentence):
        pca(features, components)
