import numpy as np
import pytest

from gradlab.statistics import Part, judge, judge_every
from gradlab.statistics.verdict import Kind
from gradlab.types import UserError

NOISE = np.array([-0.010, 0.006, 0.002, -0.004, 0.008, -0.002])


def part(effect: float, delta: float = 0.01, spread: float = 1.0, kind: Kind = "more") -> Part:
    return Part(effect + spread * NOISE, delta=delta, kind=kind)


def test_supported_where_every_part_is_without_correction() -> None:
    parts = {f"depth {k}": part(0.018 + 0.001 * k) for k in range(20)}
    found = judge_every(parts)
    assert found.verdict == "supported"
    assert found.level == 0.96
    assert (
        judge(parts["depth 0"].a, delta=0.01, level=1 - 0.04 / 20).verdict == "open"
    )  # would not survive one
    assert found.weakest == "depth 0"
    assert (found.low, found.high) == (found.parts["depth 0"].low, found.parts["depth 0"].high)
    assert found.explanation.startswith(
        "In each of 20 parts; the nearest to its boundary is depth 0: The 96 % interval"
    )
    assert found.reading == "in every part better by more than 0.01"
    assert found.more_seeds is None


def test_one_open_part_leaves_it_open() -> None:
    found = judge_every({"depth 2": part(0.05), "depth 8": part(0.012)})
    assert found.verdict == "open"
    assert found.explanation.startswith("Open in depth 8; the nearest to failing is depth 8: ")
    assert found.weakest == "depth 8"
    assert found.more_seeds is not None
    assert found.more_seeds.text.startswith("depth 8: ")


def test_one_refuted_part_refutes_at_the_corrected_level() -> None:
    found = judge_every({"depth 2": part(0.05), "depth 8": part(-0.05)}, claims=4)
    assert found.verdict == "refuted"
    assert found.level == pytest.approx(1 - 0.04 / 4 / 2)
    assert found.estimate == pytest.approx(-0.05)
    assert found.parts["depth 8"].level == found.level  # what decided is what is shown
    assert found.parts["depth 2"].level == pytest.approx(1 - 0.04 / 4)
    assert found.explanation.startswith("Not in every part: depth 8: The 99.5 % interval")
    assert found.reading == "depth 2: better by more than 0.01; depth 8: worse by more than 0.01"


def test_an_equal_part_refutes_a_claim_of_more() -> None:
    found = judge_every({"depth 2": part(0.05), "depth 8": part(0.0, spread=0.5)})
    assert (found.verdict, found.weakest) == ("refuted", "depth 8")


def test_a_part_excluded_at_the_claims_level_alone_says_so() -> None:
    borderline = part(0.0012)
    assert judge(borderline.a, delta=0.01).verdict == "refuted"
    assert judge(borderline.a, delta=0.01, claims=20).verdict == "open"
    parts = {"depth 0": borderline, **{f"depth {k}": part(0.05) for k in range(1, 20)}}
    found = judge_every(parts)
    assert found.verdict == "open"
    assert found.parts["depth 0"].verdict == "refuted"
    assert found.parts["depth 0"].level == 0.96
    assert found.parts["depth 0"].reading.endswith(": excluded for this part, not yet for the claim")
    assert found.more_seeds is not None
    strict = judge(borderline.a, delta=0.01, claims=20).more_seeds
    assert strict is not None
    assert found.more_seeds.text == f"depth 0: {strict.text}"
    assert found.more_seeds.way == "refuted"


def test_what_settles_it_is_the_easiest_refutation_or_else_the_hardest_support() -> None:
    hard, harder = judge_every({"a": part(0.018), "b": part(0.016)}, claims=20), part(0.014)
    assert hard.more_seeds is not None
    assert hard.more_seeds.text.startswith("b: ")
    towards = judge_every({"a": part(0.018), "b": part(0.006), "c": part(0.004), "d": harder}, claims=20)
    assert towards.more_seeds is not None
    assert towards.more_seeds.text.startswith("c: ")
    alone = judge(part(0.004).a, delta=0.01, claims=80).more_seeds
    assert alone is not None
    assert towards.more_seeds.low == alone.low


def test_parts_may_differ_in_kind_and_compare_in_units_of_their_delta() -> None:
    parts = {
        "better": part(0.05),
        "same": part(0.001, delta=0.02, kind="same"),
        "not worse": part(0.05, delta=0.02, kind="not less"),
    }
    found = judge_every(parts)
    assert found.verdict == "supported"
    low, high = judge(parts["same"].a, delta=0.02).low, judge(parts["same"].a, delta=0.02).high
    margins = {
        "better": (judge(parts["better"].a, delta=0.01).low - 0.01) / 0.01,
        "same": min(low + 0.02, 0.02 - high) / 0.02,
        "not worse": (judge(parts["not worse"].a, delta=0.02).low + 0.02) / 0.02,
    }
    assert found.weakest == min(margins, key=lambda label: margins[label]) == "same"
    assert found.kind == "same"
    assert "same: equal to within 0.02" in found.reading


@pytest.mark.slow
def test_refuted_falsely_no_more_often_than_the_claims_error_rate() -> None:
    """All parts lie just above +delta: the claim is true."""
    rng = np.random.default_rng(1)
    false = 0
    for _ in range(200):
        noise = 0.2 * rng.normal(size=(3, 6))
        found = judge_every({str(k): Part(1 + x, delta=1 - 1e-9) for k, x in enumerate(noise)})
        false += found.verdict == "refuted"
    assert false <= 0.045 * 200  # 2 % on this side, plus two and a half standard errors


def test_given_level_is_that_of_the_claim() -> None:
    found = judge_every({"a": part(0.05), "b": part(-0.05)}, level=0.9)
    assert found.parts["a"].level == 0.9
    assert found.level == pytest.approx(0.95)


def test_flags_name_their_part() -> None:
    found = judge_every({"depth 2": Part([0.05, 0.06, 0.055], delta=0.01), "depth 8": part(0.05)})
    assert any(flag.startswith("depth 2: with 3 seeds") for flag in found.flags)


def test_a_part_takes_range_and_runs_that_learned() -> None:
    a, b = 0.9 + NOISE, 0.1 + NOISE[::-1]
    a[0] = 0.1
    learned = {"a": [0, 1, 1, 1, 1, 1], "b": [1] * 6}
    found = judge_every({"x": Part(a, b, delta=0.01, learned=learned, range=(0, 1))})
    assert found.interval.rule == "two groups"
    assert found.low == judge(a, b, delta=0.01, learned=learned, range=(0, 1)).low


def test_no_parts_are_refused() -> None:
    with pytest.raises(UserError, match="needs at least one part, got none"):
        judge_every({})
