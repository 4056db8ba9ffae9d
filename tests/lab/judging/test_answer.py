import pytest

from gradlab.lab.judging.answer import level, signed, size
from tests.lab.fakes import arm, claim, context, design, fake_run, part
from tests.lab.judging.test_evaluate import evaluate

SEEDS = (0, 1, 2, 3, 4, 5)
RUNS = {name: [fake_run(a, seed) for seed in SEEDS] for name, a in (("good", 0.9), ("bad", 0.5))}


def answered(*claims):
    return evaluate(design((arm("good"), arm("bad")), *claims), RUNS, context(SEEDS))


def test_a_claim_with_a_sentence_for_its_verdict_says_it_with_its_numbers():
    says = {"supported": "Good beats bad by {size}: {good} against {bad} ({low} to {high})."}
    result = answered(claim("C", part("good", "bad"), says=says))
    (judged,) = result["claims"]
    assert judged["verdict"] == "supported"
    low, high = judged["interval"]
    means = {
        name: sum(float((run.predictions == run.tables["predictions"]["label"]).mean()) for run in runs) / 6
        for name, runs in RUNS.items()
    }
    assert result["answer"] == (
        f"Good beats bad by {100 * judged['estimate']:.0f} points: {100 * means['good']:.0f} % against "
        f"{100 * means['bad']:.0f} % (+{100 * low:.0f} points to +{100 * high:.0f} points)."
    )


def test_without_a_sentence_the_first_claim_is_told_with_its_reading():
    result = answered(claim("C", part("good", "bad")), claim("D", part("bad", "good")))
    first = result["claims"][0]
    assert result["answer"] == f"statement of C: {first['verdict']} ({first['reading']})."


def test_a_study_without_claims_says_so():
    assert answered()["answer"].startswith("This study makes no claim")


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (0.94, "fraction", "94 %"),
        (0.995, "fraction", "99.5 %"),
        (12.0, "epochs", "12 epochs"),
        (-7.2, "decades", "10^-7"),
    ],
)
def test_values_are_told_in_their_unit(value, unit, told):
    assert level(value, unit) == told


def test_differences_have_a_sign_and_a_size():
    assert signed(0.023, "fraction") == "+2.3 points"
    assert signed(-0.23, "fraction") == "−23 points"
    assert signed(None, "fraction") == "nothing known"
    assert size(-4.2, "decades") == "a factor of 10^4.2"
