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
    assert "each of 20 parts" in found.explanation


def test_one_open_part_leaves_it_open() -> None:
    found = judge_every({"depth 2": part(0.05), "depth 8": part(0.012)})
    assert found.verdict == "inconclusive"
    assert "see depth 8 (inconclusive)" in found.explanation
    assert found.weakest == "depth 8"
    assert found.more_seeds is not None
    assert found.more_seeds.text.startswith("depth 8: ")


def test_one_equivalent_part_leaves_it_open_and_no_seeds_help() -> None:
    found = judge_every({"depth 2": part(0.05), "depth 8": part(0.0)})
    assert found.verdict == "inconclusive"
    assert found.more_seeds is None
    assert "depth 8 (equivalent)" in found.explanation


def test_one_refuted_part_refutes_at_the_corrected_level() -> None:
    found = judge_every({"depth 2": part(0.05), "depth 8": part(-0.05)}, claims=4)
    assert found.verdict == "refuted"
    assert found.level == pytest.approx(1 - 0.04 / 4 / 2)
    assert found.estimate == pytest.approx(-0.05)
    assert found.high < -0.01
    assert found.parts["depth 8"].level == found.level  # what decided is what is shown
    assert found.parts["depth 2"].level == pytest.approx(1 - 0.04 / 4)
    assert found.explanation.startswith("Not so in depth 8: The 99.5 % interval")


def test_a_part_refuted_at_the_claims_level_only_does_not_refute() -> None:
    borderline = part(-0.018)
    assert judge(borderline.a, delta=0.01).verdict == "refuted"
    parts = {"depth 0": borderline, **{f"depth {k}": part(0.05) for k in range(1, 20)}}
    assert judge_every(parts).verdict == "inconclusive"


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
