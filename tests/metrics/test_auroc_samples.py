import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from gradlab.metrics import auroc_samples, average_precision_samples
from gradlab.types import UserError

RNG = np.random.default_rng(0)
TIED = (RNG.integers(0, 6, 25).astype(float), RNG.integers(2, 9, 18).astype(float))
SMOOTH = (RNG.normal(size=25), 1 + RNG.normal(size=18))
PAIRS = [TIED, SMOOTH, (np.zeros(3), np.zeros(4)), (np.zeros(3), np.ones(4))]


def labelled(inside: np.ndarray, outside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.repeat([0, 1], [len(inside), len(outside)]), np.concatenate([inside, outside])


@pytest.mark.parametrize(("inside", "outside"), PAIRS)
def test_auroc_counts_pairs(inside: np.ndarray, outside: np.ndarray) -> None:
    won = np.array([[(o > i) + (o == i) / 2 for o in outside] for i in inside])
    found = auroc_samples(inside, outside)
    assert found.value == pytest.approx(won.mean())
    assert found.value == pytest.approx(roc_auc_score(*labelled(inside, outside)))
    assert found.in_distribution == pytest.approx(won.mean(axis=1))
    assert found.out_of_distribution == pytest.approx(won.mean(axis=0))


def test_variance_of_auroc_is_that_of_many_samples() -> None:
    fresh = [auroc_samples(RNG.normal(size=60), 1.2 + RNG.normal(size=40)) for _ in range(3000)]
    by_samples = [
        one.in_distribution.var(ddof=1) / 60 + one.out_of_distribution.var(ddof=1) / 40 for one in fresh
    ]
    assert np.mean(by_samples) == pytest.approx(np.var([one.value for one in fresh]), rel=0.1)


@pytest.mark.parametrize("positive", ["out", "in"])
@pytest.mark.parametrize(("inside", "outside"), PAIRS)
def test_average_precision_leaves_one_out(inside: np.ndarray, outside: np.ndarray, positive: str) -> None:
    sign = 1 if positive == "out" else -1

    def reference(one: np.ndarray, other: np.ndarray) -> float:
        labels, scores = labelled(one, other)
        return float(average_precision_score(labels if sign > 0 else 1 - labels, sign * scores))

    found = average_precision_samples(inside, outside, positive=positive)  # type: ignore[arg-type]
    assert found.value == pytest.approx(reference(inside, outside))
    of_in = [reference(np.delete(inside, i), outside) for i in range(len(inside))]
    of_out = [reference(inside, np.delete(outside, i)) for i in range(len(outside))]
    for left_out, samples in ((of_in, found.in_distribution), (of_out, found.out_of_distribution)):
        expected = -(len(left_out) - 1) * (np.array(left_out) - np.mean(left_out)) + found.value
        assert samples == pytest.approx(expected)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: auroc_samples([], [1.0]), "in_scores must be one number per sample"),
        (lambda: auroc_samples([1.0], [np.nan]), "out_scores holds a score that is NaN"),
        (lambda: average_precision_samples([1.0], [1.0, 2.0]), "needs two of each, got 1 in- and 2 out"),
    ],
)
def test_bad_scores_are_refused(make, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UserError, match=message):
        make()
