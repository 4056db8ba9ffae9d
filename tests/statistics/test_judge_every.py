import numpy as np
import pytest

from gradlab.statistics import Part, judge, judge_every
from gradlab.types import UserError

NOISE = np.array([-0.010, 0.006, 0.002, -0.004, 0.008, -0.002])


def part(effect: float, delta: float = 0.01, spread: float = 1.0) -> Part:
    return Part(effect + spread * NOISE, delta=delta)


def test_supported_where_every_part_is_without_correction() -> None:
    parts = {f"depth {k}": part(0.018 + 0.001 * k) for k in range(20)}
    found = judge_every(parts)
    assert found.verdict == "supported"
    assert found.level == 0.96
    assert (
        judge(parts["depth 0"].a, delta=0.01, level=1 - 0.04 / 20).verdict == "inconclusive"
    )  # would not survive one
    assert found.weakest == "depth 0"
    assert (found.low, found.high) == (found.parts["depth 0"].low, found.parts["depth 0"].high)
    assert found.explanation.startswith(
        "Above its smallest difference in each of 20 parts; the weakest is depth 0: The 96 % interval"
    )
    assert found.is_settled


def test_one_open_part_leaves_it_open() -> None:
    found = judge_every({"depth 2": part(0.05), "depth 8": part(0.012)})
    assert found.verdict == "inconclusive"
    assert "see depth 8 (inconclusive)" in found.explanation
    assert found.weakest == "depth 8"
    assert found.more_seeds is not None
    assert found.more_seeds.text.startswith("depth 8: ")


def test_parts_that_are_settled_but_not_alike_need_no_seeds() -> None:
    found = judge_every({"depth 2": part(0.05), "depth 8": part(0.0)})
    assert found.verdict == "inconclusive"
    assert found.more_seeds is None
    assert found.is_settled
    assert found.as_record()["is_settled"] is True
    assert found.explanation.startswith(
        "Settled, but not alike: depth 2 is supported, depth 8 is equivalent; so it does not hold in every part, "
        "and no number of seeds changes that; depth 8: The 98 % interval"
    )
    assert found.weakest == "depth 8"
    assert found.level == found.parts["depth 8"].level == pytest.approx(0.98)  # what decided is what is shown


def test_equivalent_at_the_claims_level_only_leaves_it_open() -> None:
    loose = part(0.0, delta=0.0077)
    assert judge(loose.a, delta=loose.delta).verdict == "equivalent"
    parts = {"depth 8": loose, **{f"depth {k}": part(0.05) for k in range(20, 40)}}
    found = judge_every(parts)
    assert (found.verdict, found.is_settled) == ("inconclusive", False)
    strict = judge(loose.a, delta=loose.delta, claims=len(parts))
    assert strict.more_seeds is not None
    assert found.more_seeds is not None
    assert found.more_seeds.text == f"depth 8: {strict.more_seeds.text}"


def test_to_settle_parts_that_are_not_alike_the_easiest_is_enough() -> None:
    parts = {"near": part(0.0, delta=0.0077), "nearer": part(0.0, delta=0.0080)}
    parts |= {f"depth {k}": part(0.05) for k in range(20, 60)}
    needs = {
        label: judge(parts[label].a, delta=parts[label].delta, claims=42) for label in ("near", "nearer")
    }
    lows = [one.more_seeds.low or 0 for one in needs.values() if one.more_seeds is not None]
    assert lows[1] < lows[0]
    found = judge_every(parts)
    assert found.more_seeds is not None
    assert found.more_seeds.low == lows[1]


def test_a_part_refuted_at_the_claims_level_waits_for_seeds_beside_an_equivalent_one() -> None:
    parts = {"equivalent": part(0.0, spread=0.1), "refuted": part(-0.018)}
    parts |= {f"depth {k}": part(0.05) for k in range(18)}
    found = judge_every(parts)
    assert (found.verdict, found.is_settled) == ("inconclusive", False)
    assert found.more_seeds is not None
    assert found.more_seeds.text.startswith("refuted: ")


def test_one_open_part_is_not_settled_beside_an_equivalent_one() -> None:
    found = judge_every({"depth 2": part(0.012), "depth 8": part(0.0)})
    assert (found.verdict, found.is_settled) == ("inconclusive", False)
    assert found.explanation.startswith("It does not hold in depth 8, the rest is not settled in every part")


def test_settled_falsely_no_more_often_than_the_claims_error_rate() -> None:
    """All parts lie at +delta and above: none is equivalent, so "not in every part" would be false."""
    rng = np.random.default_rng(1)
    false = 0
    for _ in range(200):
        noise = 0.2 * rng.normal(size=(3, 6))
        found = judge_every({str(k): Part(1 + x, delta=1.0) for k, x in enumerate(noise)})
        false += found.verdict == "refuted" or (found.verdict == "inconclusive" and found.is_settled)
    assert false <= 0.045 * 200  # 2 % on this side, plus two and a half standard errors


def test_one_refuted_part_refutes_at_the_corrected_level() -> None:
    found = judge_every({"depth 2": part(0.05), "depth 8": part(-0.05)}, claims=4)
    assert found.verdict == "refuted"
    assert found.level == pytest.approx(1 - 0.04 / 4 / 2)
    assert found.estimate == pytest.approx(-0.05)
    assert found.high < -0.01
    assert found.parts["depth 8"].level == found.level  # what decided is what is shown
    assert found.parts["depth 2"].level == pytest.approx(1 - 0.04 / 4)
    assert found.explanation.startswith("Not in every part: depth 8: The 99.5 % interval")


def test_a_part_refuted_at_the_claims_level_only_does_not_refute() -> None:
    borderline = part(-0.018)
    assert judge(borderline.a, delta=0.01).verdict == "refuted"
    parts = {"depth 0": borderline, **{f"depth {k}": part(0.05) for k in range(1, 20)}}
    found = judge_every(parts)
    assert (found.verdict, found.is_settled) == ("inconclusive", False)
    assert found.more_seeds is not None
    assert found.more_seeds.text.startswith("depth 0: ")


def test_equivalent_shows_the_part_that_reaches_furthest_from_zero() -> None:
    parts = {
        "near": part(0.003, delta=0.02),
        "below": part(-0.004, delta=0.02),
        "far": part(0.009, delta=0.02),
    }
    for order in (list(parts), list(parts)[::-1]):
        found = judge_every({label: parts[label] for label in order})
        assert found.verdict == "equivalent"
        assert found.weakest == "far"
        assert found.explanation.startswith(
            "No difference that matters in any of 3 parts; the closest to one is far: The 96 % interval"
        )
    assert judge_every({label: parts[label] for label in ("near", "below")}).weakest == "below"


def test_equivalent_only_where_every_part_is() -> None:
    assert judge_every({"a": part(0.0), "b": part(0.001)}).verdict == "equivalent"
    assert judge_every({"a": part(0.0), "b": part(0.05)}).verdict == "inconclusive"


def test_parts_of_other_measures_compare_in_units_of_their_delta() -> None:
    accuracy, epochs = part(0.05, delta=0.01), part(15.0, delta=5.0, spread=500.0)
    found = judge_every({"accuracy": accuracy, "epochs": epochs})
    assert found.weakest == "epochs"
    assert found.delta == 5.0


def test_one_part_is_the_plain_judgement() -> None:
    alone, plain = (
        judge_every({"only": part(0.05)}, claims=3, look=2),
        judge(0.05 + NOISE, delta=0.01, claims=3, look=2),
    )
    assert (alone.verdict, alone.low, alone.level) == (plain.verdict, plain.low, plain.level)


def test_given_level_is_used_and_corrected_for_refuting() -> None:
    found = judge_every({"a": part(0.05), "b": part(-0.05)}, level=0.9)
    assert found.parts["a"].level == 0.9
    assert found.level == pytest.approx(0.95)


def test_two_groups_in_one_part_reach_the_flags_and_the_verdict() -> None:
    mixed = Part(0.05 + NOISE[:5], delta=0.01, trained={"plain-8": [1, 1, 1, 1, 0]})
    found = judge_every({"depth 2": part(0.05), "depth 8": mixed})
    assert found.verdict == "inconclusive"
    assert found.flags[0] == "depth 8: 4 of 5 runs of plain-8 trained: two groups"


def test_false_support_is_within_the_claims_error_and_false_refutation_too() -> None:
    rng = np.random.default_rng(0)
    supported = refuted = 0
    for _ in range(150):
        noise = rng.normal(size=(3, 6))
        supported += (
            judge_every({str(k): Part(1 + x, delta=1.0) for k, x in enumerate(noise)}).verdict == "supported"
        )
        refuted += (
            judge_every({str(k): Part(x - 1, delta=1.0) for k, x in enumerate(noise)}).verdict == "refuted"
        )
    assert supported <= 0.045 * 150  # 2 % on this side, plus two and a half standard errors
    assert refuted <= 0.045 * 150


def test_no_parts_are_refused() -> None:
    with pytest.raises(UserError, match="at least one part"):
        judge_every({})


def test_record_holds_the_parts_by_label() -> None:
    record = judge_every({"depth 2": part(0.05), "depth 8": part(0.04)}).as_record()
    assert [one["label"] for one in record["parts"]] == ["depth 2", "depth 8"]
    assert record["weakest"] == "depth 8"
