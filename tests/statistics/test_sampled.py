import math

import numpy as np
import pytest
from scipy import stats

from gradlab.metrics import auroc_samples
from gradlab.statistics import (
    Contrast,
    Sampled,
    against,
    contrast_values,
    correctness,
    difference,
    difference_of_differences,
    interval,
    judge,
    judge_every,
    ratio,
)
from gradlab.statistics import Part as JudgePart
from gradlab.types import UserError
from tests.statistics.formulas import skewed_ends

SEEDS, IMAGES, FOREIGN = 5, 40, 30


def right(share: float, seed: int, images: int = IMAGES) -> np.ndarray:
    return (np.random.default_rng(seed).random((SEEDS, images)) < share).astype(float)


def losses(seed: int, images: int = IMAGES) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.exponential(size=(1, images)) + 0.5 * rng.exponential(size=(SEEDS, images))


def sampled(axes: dict[str, np.ndarray]) -> Sampled:
    """An arm whose value is the sum of its axes' means; each axis is shifted to have that mean."""
    values = sum((axis.mean(axis=1) for axis in axes.values()), np.zeros(SEEDS))
    shifted = {name: axis - axis.mean(axis=1, keepdims=True) + values[:, None] for name, axis in axes.items()}
    return Sampled(values, shifted)


def variances(d: np.ndarray) -> tuple[float, float]:
    """Sample variance of the mean without the noise of predictions, and that noise, by plain sums."""
    n, samples = d.shape
    columns, rows, grand = d.mean(axis=0), d.mean(axis=1), d.mean()
    noise = sum((d[i, j] - rows[i] - columns[j] + grand) ** 2 for i in range(n) for j in range(samples)) / (
        (n - 1) * (samples - 1)
    )
    return max(0.0, columns.var(ddof=1) / samples - noise / (n * samples)), noise / (n * samples)


@pytest.mark.parametrize(
    "contrast",
    [
        difference("a", "b"),
        against("a", 0.9),
        Contrast({"a": -1.0}, 0.9),
    ],
)
@pytest.mark.parametrize("share", [0.8, 1.0])
def test_one_axis_of_correctness_is_bit_equal_to_plain_numbers(contrast: Contrast, share: float) -> None:
    a, b = right(share, 0), right(share, 1)
    said = contrast_values(contrast, {"a": correctness(a), "b": correctness(b)})
    plain = contrast_values(contrast, {"a": a, "b": b})
    one, other = interval(said, level=0.96), interval(plain, level=0.96)
    assert (one.estimate, one.low, one.high) == (other.estimate, other.low, other.high)
    assert (one.seed_variance, one.sample_variance) == (other.seed_variance, other.sample_variance)
    assert one.flags == other.flags
    found, before = judge(said, delta=0.03, claims=2), judge(plain, delta=0.03, claims=2)
    assert found.as_record() == before.as_record()
    assert (found.estimate, found.low) == (before.estimate, before.low)


def test_one_axis_of_losses_is_bit_equal_to_plain_numbers() -> None:
    a, b = losses(0), losses(1)
    said = contrast_values(
        difference("a", "b"), {"a": Sampled(a.mean(axis=1), {"x": a}), "b": Sampled(b.mean(axis=1), {"x": b})}
    )
    one, other = interval(said), interval(a - b)
    assert (one.estimate, one.low, one.high) == (other.estimate, other.low, other.high)
    assert judge(said, delta=0.1).as_record() == judge(a, b, delta=0.1).as_record()


def test_plain_numbers_keep_the_formula_that_committed_results_rest_on() -> None:
    d = right(0.95, 2) - right(0.9, 3)
    found, (between, noise) = interval(d, level=0.96), variances(d)
    assert found.seed_variance == pytest.approx(d.mean(axis=1).var(ddof=1) / SEEDS)
    assert found.sample_variance == pytest.approx(between)
    t_seeds, t_samples = stats.t.ppf(0.98, SEEDS - 1), stats.t.ppf(0.98, IMAGES - 1)
    squared = t_seeds**2 * found.seed_variance + t_samples**2 * between
    agreement = between / (between + SEEDS * noise)
    columns = d.mean(axis=0) - d.mean()
    weight = t_samples**2 / IMAGES
    for sign, end, room in ((-1, found.low, d.mean() + 1), (1, found.high, 1 - d.mean())):
        unseen = agreement * room
        skew = (sign * np.sum(columns**3) + unseen**3) / (np.sum(columns**2) + unseen**2)
        reached = (weight * skew + math.sqrt((weight * skew) ** 2 + 4 * (1 + weight) * squared)) / (
            2 + 2 * weight
        )
        assert abs(end - d.mean()) == pytest.approx(max(math.sqrt(squared), reached))


def test_two_axes_add_their_variances_and_the_noise_counts_once() -> None:
    one, two = losses(0), losses(1, FOREIGN)
    arm = sampled({"in": one, "out": two})
    found = interval(arm, level=0.96)
    (first, noise_first), (second, noise_second) = variances(one), variances(two)
    seeds = arm.values.var(ddof=1) / SEEDS
    half = math.sqrt(
        stats.t.ppf(0.98, SEEDS - 1) ** 2 * seeds
        + stats.t.ppf(0.98, IMAGES - 1) ** 2 * first
        + stats.t.ppf(0.98, FOREIGN - 1) ** 2 * second
    )
    below, above = skewed_ends([one.mean(axis=0), two.mean(axis=0)], half**2, 0.96)
    assert found.high - found.estimate == pytest.approx(above)
    assert found.estimate - found.low == pytest.approx(below)
    assert max(below, above) > half
    assert found.estimate == pytest.approx(arm.values.mean())
    assert found.samples == IMAGES + FOREIGN
    assert noise_first > 0
    assert noise_second > 0
    assert [axis.name for axis in found.axes] == ["in", "out"]


def test_a_shared_axis_is_paired_and_another_adds_its_own_term() -> None:
    common = losses(0)
    a, b = sampled({"near": common}), sampled({"near": common, "far": losses(1, FOREIGN)})
    d = contrast_values(difference("a", "b"), {"a": a, "b": b})
    assert d.axes["near"] == pytest.approx((a.values - b.values)[:, None] + np.zeros((1, IMAGES)))
    found = interval(d)
    assert found.axes[0].variance == pytest.approx(0, abs=1e-20)
    assert found.axes[1].variance == pytest.approx(variances(b.axes["far"])[0])
    assert d.values == pytest.approx(a.values - b.values)
    apart = contrast_values(difference("a", "b"), {"a": a, "b": sampled({"elsewhere": common})})
    by_axis = {axis.name: axis.variance for axis in interval(apart).axes}
    assert by_axis["near"] == pytest.approx(by_axis["elsewhere"])
    assert by_axis["near"] > 0


def test_correctness_on_two_test_sets_reaches_beyond_the_normal_interval() -> None:
    a, b = np.tile(np.arange(60) < 57, (4, 1)), np.tile(np.arange(80) < 78, (4, 1))
    arms = {"a": correctness(a, "one"), "b": correctness(b, "two")}
    d = contrast_values(difference("a", "b"), arms)
    assert d.range == (-1, 1)
    found = interval(d)
    normal = math.sqrt(sum(stats.t.ppf(0.975, x.samples - 1) ** 2 * x.variance for x in found.axes))
    assert found.estimate - found.low > normal  # a is nearly always right: on other images it may be less so
    assert found.high - found.estimate == pytest.approx(normal)


@pytest.mark.parametrize("share", [0.1, 0.4])
def test_the_score_bound_of_two_like_axes_solves_its_equation(share: float) -> None:
    samples = 50
    one = np.tile(np.arange(samples) < share * samples, (4, 1)).astype(float)
    d = contrast_values(Contrast({"a": 1, "b": 1}), {"a": correctness(one, "x"), "b": correctness(one, "y")})
    found = interval(d)
    t = stats.t.ppf(0.975, samples - 1)
    distance = found.high - found.estimate
    half, axis = distance / 2, found.axes[0]  # each axis makes up one half of the distance
    squared = 2 * (axis.variance + (axis.skew[1] * half - half**2) / samples) * t**2
    assert distance**2 == pytest.approx(squared)


def test_ranges_follow_from_the_weights() -> None:
    arms = {name: correctness(right(0.9, k)) for k, name in enumerate("abce")}
    assert contrast_values(difference("a", "b"), arms).range == (-1, 1)
    assert contrast_values(against("a", 0.9), arms).range == pytest.approx((-0.9, 0.1))
    assert contrast_values(difference_of_differences("a", "b", "c", "e"), arms).range == (-2, 2)
    assert contrast_values(Contrast({"a": -3, "b": 0.5}, 1.0), arms).range == (-2, 1.5)
    unknown = {**arms, "b": Sampled(arms["b"].values)}
    assert contrast_values(difference("a", "b"), unknown).range is None


def test_values_that_look_like_correctness_are_taken_as_they_are_where_nobody_says_so() -> None:
    looks = np.tile(np.arange(50) < 3, (4, 1)).astype(float)
    half = stats.t.ppf(0.975, 49) * stats.sem(looks[0])
    below, above = skewed_ends([looks[0]], half**2, 0.95)
    quiet = interval(Sampled(looks.mean(axis=1), {"x": looks}, range=(0, 1)))
    assert quiet.estimate - below < 0
    assert (quiet.low, quiet.high) == pytest.approx((0, quiet.estimate + above))
    assert interval(correctness(looks)).high != quiet.high  # the whole distribution is known there
    assert quiet.flags == ()


def test_ratio_of_sampled_arms_is_linearised() -> None:
    a, b = losses(0), losses(1)
    arms = {"a": Sampled(a.mean(axis=1), {"x": a}), "b": Sampled(b.mean(axis=1), {"x": b})}
    d = contrast_values(ratio("a", "b"), arms)
    assert d.values == pytest.approx(np.log(a.mean(axis=1) / b.mean(axis=1)))
    step, seed, sample = 1e-6, 2, 7
    nudged = a.copy()
    nudged[seed, sample] += step
    slope = (np.log(nudged[seed].mean()) - np.log(a[seed].mean())) / step * IMAGES
    by_hand = np.log(a[seed].mean()) + slope * (a[seed, sample] - a[seed].mean())
    of_b = np.log(b[seed].mean()) + (b[seed, sample] / b[seed].mean() - 1)
    assert d.axes["x"][seed, sample] == pytest.approx(by_hand - of_b, rel=1e-5)


def test_auroc_enters_with_both_axes() -> None:
    rng = np.random.default_rng(0)
    runs = [auroc_samples(rng.normal(size=IMAGES), 1 + rng.normal(size=FOREIGN)) for _ in range(SEEDS)]
    arm = Sampled(
        np.array([run.value for run in runs]),
        {
            "in": np.stack([run.in_distribution for run in runs]),
            "out": np.stack([run.out_of_distribution for run in runs]),
        },
        range=(0, 1),
    )
    found = judge(contrast_values(against("a", 0.5), {"a": arm}), delta=0.05, unit="fraction")
    assert found.estimate == pytest.approx(arm.values.mean() - 0.5)
    assert found.as_record()["axes"] == {"in": IMAGES, "out": FOREIGN}
    assert f"{IMAGES} of in, {FOREIGN} of out" in str(found)


def test_two_sampled_arms_are_judged_as_their_difference() -> None:
    a, b = correctness(right(0.95, 0)), correctness(right(0.7, 1))
    apart, made = judge(a, b, delta=0.05), contrast_values(difference("a", "b"), {"a": a, "b": b})
    assert apart.as_record() == judge(made, delta=0.05).as_record()
    every = judge_every({"x": JudgePart(a, b, delta=0.05), "y": JudgePart(made, delta=0.05)})
    assert every.parts["x"].as_record() == every.parts["y"].as_record()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Sampled(np.zeros((2, 3))), r"one number per seed, \(seeds,\), got shape \(2, 3\)"),
        (lambda: Sampled(np.zeros(3), {"x": np.zeros((2, 5))}), "axis 'x' must have shape .* with 3 seeds"),
        (lambda: Sampled(np.zeros(2), {"x": np.full((2, 3), 0.5)}, binary=True), "other values than 0 and 1"),
        (lambda: Sampled(np.ones(2), {"x": np.eye(2)}, binary=True), "not the means of the binary axis 'x'"),
        (lambda: Sampled(np.array([0.5, 1.5]), range=(0, 1)), r"outside the measure's range \(0, 1\)"),
        (lambda: Sampled(np.zeros(2), range=(1, 0)), "the smaller first"),
        (lambda: correctness(np.ones(4)), r"shape \(seeds, test samples\), got \(4,\)"),
        (
            lambda: contrast_values(difference("a", "b"), {"a": Sampled(np.ones(3)), "b": np.ones(3)}),  # type: ignore[dict-item]
            r"\['a'\] are Sampled and \['b'\] are not",
        ),
        (
            lambda: contrast_values(
                difference("a", "b"), {"a": correctness(np.ones((2, 3))), "b": correctness(np.ones((2, 4)))}
            ),
            "paired on the samples of 'test samples'.*name an axis by its data and rows",
        ),
        (
            lambda: contrast_values(
                difference("a", "b"), {"a": Sampled(np.ones(3)), "b": Sampled(np.ones(4))}
            ),
            "compared seed by seed",
        ),
        (
            lambda: contrast_values(ratio("a", "b"), {"a": Sampled(np.ones(2)), "b": Sampled(-np.ones(2))}),
            "positive",
        ),
        (lambda: judge(Sampled(np.ones(3)), np.ones(3), delta=1), "must both be Sampled"),
        (lambda: judge(np.ones(3), Sampled(np.ones(3)), delta=1), "must both be Sampled"),
    ],
)
def test_bad_input_is_refused(make, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UserError, match=message):
        make()
