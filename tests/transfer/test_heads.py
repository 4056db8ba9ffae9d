"""Heads against formulas of their own: closed forms, optimality conditions, plain loops."""

from typing import Annotated

import numpy as np
import pytest
import torch
from pydantic import Field, TypeAdapter
from scipy.stats import norm

from gradlab.transfer import (
    HEADS,
    LDA,
    RBFSVM,
    Head,
    LinearSVM,
    LogisticRegression,
    NaiveBayes,
    NearestNeighbours,
    features,
    fit_head,
)
from gradlab.types import UserError
from tests.transfer.examples import bars, mlp

RNG = np.random.default_rng(3)
MEANS = RNG.normal(size=(3, 4)) * 2


def points(count, seed):
    """Three overlapping clouds with scales that differ a thousandfold."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    return (MEANS[labels] + rng.normal(size=(count, 4))) * [1, 10, 100, 1000], labels


TRAIN, VALIDATION, OTHER = points(90, 0), points(60, 1), points(50, 2)


def standard(features):
    return (features - TRAIN[0].mean(0)) / TRAIN[0].std(0)


X, Y, Z = standard(TRAIN[0]), TRAIN[1], standard(OTHER[0])


def fitted(head):
    return fit_head(head, TRAIN, VALIDATION)


def test_six_heads_are_found():
    assert len(HEADS) == 6
    assert {name: kind().kind for name, kind in HEADS.items()} == {name: name for name in HEADS}


@pytest.mark.parametrize("kind", HEADS)
class TestEveryHead:
    def test_is_read_from_its_fields(self, kind):
        adapter = TypeAdapter(Annotated[Head, Field(discriminator="kind")])
        head = HEADS[kind]()
        assert adapter.validate_json(adapter.dump_json(head)) == head

    def test_separates_clouds_and_knows_no_scale(self, kind):
        head = fitted(HEADS[kind]())
        assert (head.predict(OTHER[0]) == OTHER[1]).mean() > 0.8
        scale = np.array([1000.0, 1, 0.01, 5])
        moved = [(one * scale + 7, labels) for one, labels in (TRAIN, VALIDATION, OTHER)]
        other = fit_head(HEADS[kind](), *moved[:2])
        assert other.chosen.setting == head.chosen.setting
        np.testing.assert_array_equal(other.predict(moved[2][0]), head.predict(OTHER[0]))

    def test_is_chosen_on_validation_data_alone_and_stays_as_trained(self, kind):
        head = fitted(HEADS[kind]())
        assert [one.setting for one in head.tried] == HEADS[kind]().settings()
        best = max(one.accuracy for one in head.tried)
        assert head.chosen == next(one for one in head.tried if one.accuracy == best)
        assert head.chosen.accuracy == (head.predict(VALIDATION[0]) == VALIDATION[1]).mean()
        np.testing.assert_allclose(head.mean, TRAIN[0].mean(0))
        np.testing.assert_allclose(head.scale, TRAIN[0].std(0))
        far = (VALIDATION[0] + 1e6, VALIDATION[1])
        np.testing.assert_allclose(fit_head(HEADS[kind](), TRAIN, far).mean, TRAIN[0].mean(0))

    def test_gives_the_same_bits_again_and_rows_do_not_depend_on_each_other(self, kind):
        before = repr(np.random.get_state(legacy=True))
        one, other = fitted(HEADS[kind]()), fitted(HEADS[kind]())
        assert repr(np.random.get_state(legacy=True)) == before
        assert one.scores(OTHER[0]).tobytes() == other.scores(OTHER[0]).tobytes()
        assert one.scores(OTHER[0]).shape == (50, 3)
        np.testing.assert_allclose(one.scores(OTHER[0][7:8])[0], one.scores(OTHER[0])[7], rtol=1e-7)
        assert all(found.converged for found in one.tried)
        assert one.numbers > 0

    def test_two_classes_have_two_scores_and_labels_need_not_start_at_zero(self, kind):
        two = [(one[labels != 1], labels[labels != 1] + 3) for one, labels in (TRAIN, VALIDATION)]
        head = fit_head(HEADS[kind](), *two)
        assert head.classes == (3, 5)
        assert head.scores(OTHER[0]).shape == (50, 2)
        assert set(head.predict(OTHER[0]).tolist()) == {3, 5}

    def test_takes_so_many_images_with_the_shares_of_the_whole(self, kind):
        head = fit_head(HEADS[kind](images=30), TRAIN, VALIDATION)
        assert head.images == 30
        assert fit_head(HEADS[kind](images=500), TRAIN, VALIDATION).images == 90


def test_lda_is_the_closed_form_of_gaussians_with_one_covariance():
    means = np.stack([X[k == Y].mean(0) for k in range(3)])
    covariance = sum((X[k == Y] - means[k]).T @ (X[k == Y] - means[k]) for k in range(3)) / len(X)
    inverse = np.linalg.inv(covariance)
    ours = Z @ inverse @ means.T - 0.5 * np.diag(means @ inverse @ means.T) + np.log(1 / 3)
    np.testing.assert_allclose(fitted(LDA(shrinkage=(0.0,))).scores(OTHER[0]), ours, rtol=1e-6, atol=1e-8)


def test_naive_bayes_multiplies_one_normal_density_a_feature():
    scores = [
        norm.logpdf(Z, X[k == Y].mean(0), np.sqrt(X[k == Y].var(0) + 1e-9)).sum(1) + np.log(1 / 3)
        for k in range(3)
    ]
    found = fitted(NaiveBayes(smoothing=(1e-9,))).scores(OTHER[0])
    np.testing.assert_allclose(found, np.stack(scores, axis=1), rtol=1e-6)


def test_nearest_neighbours_are_those_of_a_plain_loop():
    head = fitted(NearestNeighbours(k=(5,)))
    for row, vote in zip(Z, head.scores(OTHER[0]), strict=True):
        near = Y[np.argsort(((X - row) ** 2).sum(1))[:5]]
        np.testing.assert_allclose(vote, np.bincount(near, minlength=3) / 5)


def test_logistic_regression_stands_where_its_gradient_vanishes():
    head = fitted(LogisticRegression(c=(0.5,)))
    scores = head.scores(TRAIN[0])
    shares = np.exp(scores - scores.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    residual = shares - np.eye(3)[Y]
    weights = head.estimator.coef_
    np.testing.assert_allclose(0.5 * residual.T @ X + weights, 0, atol=0.02)  # of a sum over 90 images
    np.testing.assert_allclose(X @ weights.T + head.estimator.intercept_, scores)


def test_the_linear_svm_minimises_its_squared_hinge_loss():
    head = fitted(LinearSVM(c=(0.1,)))
    for k in range(3):
        side = np.where(k == Y, 1.0, -1.0)
        weights, bias = head.estimator.coef_[k], head.estimator.intercept_[k]
        slack = np.maximum(0, 1 - side * (X @ weights + bias))
        gradient = weights - 2 * 0.1 * X.T @ (slack * side)
        at_zero = -2 * 0.1 * X.T @ side
        assert np.linalg.norm(gradient) < 0.01 * np.linalg.norm(at_zero)  # LIBLINEAR's own rule
        np.testing.assert_allclose(head.scores(OTHER[0])[:, k], Z @ weights + bias)


def test_the_gaussian_kernel_is_as_wide_as_a_multiple_of_one_over_the_number_of_features():
    two = [(one[labels != 1], labels[labels != 1]) for one, labels in (TRAIN, VALIDATION)]
    head = fit_head(RBFSVM(c=(1.0,), gamma=(2.0,)), *two)
    vectors = head.estimator.support_vectors_
    rows = (OTHER[0] - two[0][0].mean(0)) / two[0][0].std(0)
    kernel = np.exp(-2.0 / 4 * ((rows[:, None] - vectors[None]) ** 2).sum(2))
    own = kernel @ head.estimator.dual_coef_[0] + head.estimator.intercept_[0]
    np.testing.assert_allclose(head.scores(OTHER[0])[:, 1], own, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(head.scores(OTHER[0])[:, 0], -own, rtol=1e-6, atol=1e-9)


def test_numbers_are_what_a_prediction_needs():
    assert fitted(LinearSVM()).numbers == fitted(LogisticRegression()).numbers == 3 * (4 + 1)
    assert fitted(LDA()).numbers == 3 * (4 + 1) + 0
    assert fitted(NaiveBayes()).numbers == 2 * 3 * 4 + 3
    assert fitted(NearestNeighbours()).numbers == 90 * 4


def test_features_of_an_untrained_network_hold_something_of_the_classes():
    data, network = bars(), mlp(4)
    pairs = [(features(network, part), part.labels) for part in (data.train, data.validation)]
    head = fit_head(LogisticRegression(), *pairs)
    right = head.predict(features(network, data.test)) == data.test.labels.numpy()
    assert right.mean() > 0.6  # of four classes


def test_test_features_choose_and_fit_nothing():
    data, network = bars(), mlp(4)
    train, test = ((features(network, part), part.labels) for part in (data.train, data.test))
    for pairs in ((train, test), (test, train)):
        with pytest.raises(UserError, match="got the test split of 'bars'"):
            fit_head(LDA(), *pairs)


@pytest.mark.parametrize(
    ("train", "validation", "sentence"),
    [
        ((TRAIN[0][0], Y), VALIDATION, r"train features must be numbers of shape \(N, D\)"),
        ((TRAIN[0] * np.nan, Y), VALIDATION, "must be finite"),
        ((TRAIN[0], Y[:-1]), VALIDATION, "90 train features need labels"),
        ((TRAIN[0], Y * 1.0), VALIDATION, "an integer type"),
        ((TRAIN[0], Y * 0), VALIDATION, "of one class only"),
        ((TRAIN[0][:, :2], Y), VALIDATION, "2 columns and validation features 4"),
        ((TRAIN[0], np.minimum(Y, 1)), VALIDATION, "class 2 of the validation features has no training"),
    ],
)
def test_pairs_that_cannot_be_fitted_are_refused(train, validation, sentence):
    with pytest.raises(UserError, match=sentence):
        fit_head(LDA(), train, validation)


def test_settings_that_make_no_sense_are_refused_in_a_sentence():
    with pytest.raises(UserError, match="all numbers of neighbours"):
        fitted(NearestNeighbours(k=(500,)))
    assert [one.setting["k"] for one in fitted(NearestNeighbours(k=(500, 3))).tried] == [3]
    with pytest.raises(UserError, match=r"c\[0\] must be greater than 0"):
        LinearSVM(c=(0.0,))
    with pytest.raises(UserError, match="there is no setting 'C'; did you mean 'c'"):
        LogisticRegression(C=(1.0,))


def test_a_solver_that_gives_up_is_marked(monkeypatch):
    monkeypatch.setattr("gradlab.transfer.heads.MOST_STEPS", 1)
    assert not fitted(LogisticRegression(c=(100.0,))).chosen.converged


def test_labels_and_features_may_be_tensors():
    tensors = [(torch.tensor(one), torch.tensor(labels)) for one, labels in (TRAIN, VALIDATION)]
    found = fit_head(LDA(), *tensors)
    np.testing.assert_array_equal(found.predict(torch.tensor(OTHER[0])), fitted(LDA()).predict(OTHER[0]))
