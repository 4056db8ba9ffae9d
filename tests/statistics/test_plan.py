import math

import numpy as np
import pytest
from scipy import stats

from gradlab.statistics import interval, plan
from gradlab.types import UserError


def t_test_power(effect: float, delta: float, sd: float, n: int, level: float) -> float:
    """P(low end > delta) by scipy's noncentral t."""
    shift = (effect - delta) * math.sqrt(n) / sd
    return float(stats.nct.sf(stats.t.ppf(0.5 + level / 2, n - 1), n - 1, shift))


@pytest.mark.parametrize("n", [2, 3, 6, 20])
@pytest.mark.parametrize("claims", [1, 8])
def test_detectable_effect_has_the_planned_power_by_the_noncentral_t(n: int, claims: int) -> None:
    made = plan(sd=0.02, delta=0.01, seeds=n, claims=claims)
    assert made.level == 1 - 0.04 / claims
    assert t_test_power(made.effect[0], 0.01, 0.02, n, made.level) == pytest.approx(0.8, abs=1e-4)


@pytest.mark.parametrize("effect", [0.02, 0.03, 0.08])
def test_needed_seeds_are_the_fewest_that_reach_the_power(effect: float) -> None:
    made = plan(sd=0.015, delta=0.01, effect=effect, power=0.9)
    n = made.seeds[0]
    assert n is not None
    assert t_test_power(effect, 0.01, 0.015, n, 0.96) == pytest.approx(made.power[0])
    assert made.power[0] >= 0.9
    if n > 2:
        assert t_test_power(effect, 0.01, 0.015, n - 1, 0.96) < 0.9


def test_seeds_and_effect_give_the_power() -> None:
    made = plan(sd=1.0, effect=2.0, delta=0.5, seeds=6, look=2)
    assert made.power[0] == pytest.approx(t_test_power(2.0, 0.5, 1.0, 6, 0.995))
    assert made.seeds == (6, 6)


def test_effect_and_seeds_are_inverse() -> None:
    made = plan(sd=1.0, delta=0.5, seeds=9)
    assert plan(sd=1.0, delta=0.5, effect=made.effect[0] + 1e-9).seeds == (9, 9)


def test_no_sample_variance_is_the_limit_of_a_small_one() -> None:
    alone, small = plan(sd=1.0, seeds=6), plan(sd=1.0, seeds=6, sample_sd=1e-6, samples=360)
    assert small.effect[0] == pytest.approx(alone.effect[0], rel=1e-4)


def test_power_with_samples_holds_in_simulation_of_the_interval_itself() -> None:
    n, samples, rng = 5, 60, np.random.default_rng(0)
    made = plan(sd=0.5, delta=0.2, seeds=n, sample_sd=3.0, samples=samples)
    hits = 0
    for _ in range(1500):
        d = made.effect[0] + 0.5 * rng.normal(size=(n, 1)) + 3.0 * rng.normal(size=(1, samples))
        hits += interval(np.broadcast_to(d, (n, samples)), level=made.level).low > 0.2
    assert hits / 1500 == pytest.approx(0.8, abs=0.04)  # four standard errors


def test_range_of_sd_gives_a_range() -> None:
    made, low, high = (plan(sd=sd, effect=0.03, delta=0.01) for sd in ((0.01, 0.02), 0.01, 0.02))
    assert made.seeds == (low.seeds[0], high.seeds[0])
    assert made.power == (low.power[0], high.power[0])
    assert made.text.startswith(
        f"{made.seeds[0]} to {made.seeds[1]} paired seeds show a true difference of 0.03"
    )


def test_range_of_sample_sd_goes_with_that_of_sd() -> None:
    made = plan(sd=(0.01, 0.02), sample_sd=(0.1, 0.2), samples=2000, seeds=6, delta=0.01)
    low = plan(sd=0.01, sample_sd=0.1, samples=2000, seeds=6, delta=0.01)
    high = plan(sd=0.02, sample_sd=0.2, samples=2000, seeds=6, delta=0.01)
    assert made.effect == (low.effect[0], high.effect[0])
    assert made.sample_sd == (0.1, 0.2)
    assert low.sample_sd == (0.1, 0.1)
    assert plan(sd=0.01, seeds=6).sample_sd is None


def test_every_part_needs_the_root_of_the_power() -> None:
    one, four = plan(sd=1.0, delta=0.5, seeds=6), plan(sd=1.0, delta=0.5, seeds=6, parts=4)
    assert four.effect[0] > one.effect[0]
    assert t_test_power(four.effect[0], 0.5, 1.0, 6, 0.96) ** 4 == pytest.approx(0.8, abs=1e-4)
    assert "above 0.5 in all of 4 parts with probability 80 %" in four.text
    rng = np.random.default_rng(0)
    d = four.effect[0] + rng.normal(size=(2000, 4, 6))
    low = d.mean(-1) - stats.t.ppf(0.98, 5) * stats.sem(d, axis=-1)
    assert np.mean((low > 0.5).all(axis=1)) == pytest.approx(0.8, abs=0.036)  # four standard errors


def test_seeds_for_every_part_are_the_fewest_and_the_power_is_of_all() -> None:
    made = plan(sd=0.02, effect=0.05, delta=0.01, parts=3)
    n = made.seeds[0]
    assert n is not None
    assert t_test_power(0.05, 0.01, 0.02, n, 0.96) ** 3 == pytest.approx(made.power[0])
    assert t_test_power(0.05, 0.01, 0.02, n - 1, 0.96) ** 3 < 0.8 <= made.power[0]


def test_test_samples_that_are_too_few_leave_no_number_of_seeds() -> None:
    made = plan(sd=0.01, effect=0.03, delta=0.01, sample_sd=0.2, samples=360)
    assert made.seeds == (None, None)
    assert made.power[0] < 0.8
    assert "more test samples" in made.text


def test_an_end_of_the_range_without_an_answer_says_so() -> None:
    made = plan(sd=(0.01, 50.0), effect=0.03, delta=0.01)
    assert made.seeds[0] is not None
    assert made.seeds[1] is None
    assert "no practical number" in made.text


def test_a_negative_effect_is_planned_as_its_mirror_image() -> None:
    assert plan(sd=0.01, effect=-0.03, delta=0.01) == plan(sd=0.01, effect=0.03, delta=0.01)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sd": 1.0}, "needs seeds.*or effect.*got neither"),
        ({"sd": 0.0, "seeds": 6}, "sd must be a positive number"),
        ({"sd": (2.0, 1.0), "seeds": 6}, "low <= high"),
        ({"sd": 1.0, "seeds": 1}, "at least 2, got 1: one seed shows no spread"),
        ({"sd": 1.0, "effect": 0.01, "delta": 0.01}, "no number of seeds shows an effect of 0.01"),
        ({"sd": 1.0, "seeds": 6, "delta": -1}, "delta must be 0 or a positive number"),
        ({"sd": 1.0, "seeds": 6, "power": 80}, "power must lie strictly between 0 and 1"),
        ({"sd": 1.0, "seeds": 6, "samples": 360}, "sample_sd .* and samples .* together"),
        ({"sd": 1.0, "seeds": 6, "sample_sd": 1.0, "samples": 1}, "sample_sd .* and samples .* together"),
        ({"sd": 1.0, "seeds": 6, "sample_sd": (2.0, 1.0), "samples": 9}, "sample_sd must be .* low <= high"),
        ({"sd": 1.0, "seeds": 6, "parts": 0}, "parts must be a whole number"),
        ({"sd": 1.0, "seeds": 6, "claims": 0}, "claims must be a whole number"),
        ({"sd": 1.0, "seeds": 6, "look": 0}, "look must be a whole number"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict, message: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(UserError, match=message):
        plan(**arguments)


def simulated(
    kind: str, effect: float, n: int, sd: float, delta: float, level: float, repeats: int = 4000
) -> float:
    d = effect + sd * np.random.default_rng(0).normal(size=(repeats, n))
    half = stats.t.ppf(0.5 + level / 2, n - 1) * stats.sem(d, axis=1)
    low, high = d.mean(axis=1) - half, d.mean(axis=1) + half
    held = {"same": (low > -delta) & (high < delta), "not less": low > -delta}[kind]
    return float(held.mean())


@pytest.mark.parametrize("n", [4, 6, 12])
def test_same_plans_the_largest_difference_that_is_still_shown_to_be_none(n: int) -> None:
    made = plan(sd=0.003, delta=0.01, kind="same", seeds=n)
    effect = made.effect[0]
    assert effect is not None
    assert 0 < effect < 0.01
    assert simulated("same", effect, n, 0.003, 0.01, made.level) == pytest.approx(
        0.8, abs=0.026
    )  # four errors
    assert simulated("same", -effect, n, 0.003, 0.01, made.level) == pytest.approx(0.8, abs=0.026)
    assert f"true difference of at most {effect:.3g} to be within ±0.01" in made.text


def test_same_counts_both_ends_of_the_interval() -> None:
    made = plan(sd=0.005, delta=0.01, kind="same", seeds=6, effect=0.002)
    assert made.power[0] == pytest.approx(simulated("same", 0.002, 6, 0.005, 0.01, 0.96, 100_000), abs=0.006)
    assert made.power == plan(sd=0.005, delta=0.01, kind="same", seeds=6, effect=-0.002).power


def test_same_says_where_not_even_equal_arms_would_be_shown_to_be() -> None:
    made = plan(sd=0.02, delta=0.01, kind="same", seeds=6)
    assert made.effect == (None, None)
    assert made.power[0] == pytest.approx(simulated("same", 0.0, 6, 0.02, 0.01, 0.96), abs=0.02)
    assert made.text.startswith("6 paired seeds cannot show two equal arms to be the same within 0.01")
    wide = plan(sd=(0.003, 0.02), delta=0.01, kind="same", seeds=6)
    assert "(or none at all)" in wide.text


def test_seeds_for_equal_arms_are_the_fewest() -> None:
    made = plan(sd=0.01, delta=0.01, kind="same", effect=0.0)
    n = made.seeds[0]
    assert n is not None
    assert simulated("same", 0.0, n, 0.01, 0.01, 0.96) >= 0.8 - 0.026
    assert simulated("same", 0.0, n - 1, 0.01, 0.01, 0.96) <= 0.8 + 0.026


def test_not_less_is_more_than_the_mirrored_boundary() -> None:
    less, more = plan(sd=0.01, delta=0.01, kind="not less", seeds=6), plan(sd=0.01, delta=0.01, seeds=6)
    assert less.effect[0] == pytest.approx(more.effect[0] - 0.02)  # type: ignore[operator]
    assert "to be above -0.01" in less.text
    made = plan(sd=0.01, delta=0.01, kind="not less", effect=0.0)
    assert made.seeds == plan(sd=0.01, delta=0.01, effect=0.02).seeds
    assert made.power[0] == pytest.approx(
        simulated("not less", 0.0, made.seeds[0] or 0, 0.01, 0.01, 0.96), abs=0.026
    )


def test_test_samples_count_for_every_kind() -> None:
    n, samples, rng = 5, 60, np.random.default_rng(0)
    made = plan(sd=0.1, delta=0.6, kind="same", seeds=n, sample_sd=1.0, samples=samples)
    effect, hits = made.effect[0], 0
    assert effect is not None
    for _ in range(1500):
        d = effect + 0.1 * rng.normal(size=(n, 1)) + rng.normal(size=(1, samples))
        found = interval(np.broadcast_to(d, (n, samples)), level=made.level)
        hits += found.low > -0.6 and found.high < 0.6
    assert hits / 1500 == pytest.approx(0.8, abs=0.05)  # four errors, and a little for the skewness by chance


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "same", "effect": 0.02, "delta": 0.01}, "to be within 0.01; give a smaller effect"),
        ({"kind": "not less", "effect": -0.02, "delta": 0.01}, "to be above -0.01; give a larger effect"),
        ({"kind": "same", "seeds": 6}, "delta must be a positive number"),
        ({"kind": "less", "seeds": 6}, "kind must be one of"),
    ],
)
def test_effects_outside_the_region_are_refused(arguments: dict, message: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(UserError, match=message):
        plan(sd=1.0, **arguments)
