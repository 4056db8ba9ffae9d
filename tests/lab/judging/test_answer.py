import pytest

from gradlab.lab.judging.answer import level, signed, size
from gradlab.lab.judging.figures import panel_title
from gradlab.types import UserError
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


def test_a_claim_of_several_parts_says_which_of_them_fail():
    """The first part holds, the second does not; the interval of the claim is about the weakest alone."""
    both = (part("good", "bad", label="good - bad"), part("bad", "good", label="bad - good"))
    result = answered(claim("C", *both, says={"refuted": "What fails: {failed}."}))
    (judged,) = result["claims"]
    assert [one["verdict"] for one in judged["parts"]] == ["supported", "refuted"]
    assert result["answer"] == f"What fails: bad − good (−{100 * judged['parts'][0]['estimate']:.0f} points)."


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
        (-7.2, "decades", "10^−7"),
        (-0.042, "fraction", "−4.2 %"),
        (-0.3, "", "−0.3"),
    ],
)
def test_values_are_told_in_their_unit(value, unit, told):
    assert level(value, unit) == told


def test_differences_have_a_sign_and_a_size():
    assert signed(0.023, "fraction") == "+2.3 points"
    assert signed(-0.23, "fraction") == "−23 points"
    assert signed(None, "fraction") == "nothing known"
    assert size(-4.2, "decades") == "a factor of 10^4.2"


def test_claims_with_one_sentence_share_it():
    says = {"supported": "{subjects} {beats|beat} bad ({bad})."}
    one = claim("C", part("good", "bad"), says=says, subject="good ({good})")
    again = claim("D", part("good", "bad"), says=says, subject="it")
    third = claim("E", part("good", "bad"), says=says, subject="this")
    assert answered(one)["answer"] == "good (89 %) beats bad (49 %)."
    assert answered(one, again)["answer"] == "good (89 %) and it beat bad (49 %)."
    assert answered(one, again, third)["answer"] == "good (89 %), it and this beat bad (49 %)."


def test_equal_sentences_without_subjects_stand_for_themselves():
    says = {"supported": "So it is."}
    both = [claim(name, part("good", "bad"), says=says) for name in ("C", "D")]
    assert answered(*both)["answer"] == "So it is. So it is."


def test_a_sentence_may_tell_the_reading_and_another_measure():
    says = {"supported": "{reading}: {good: epochs trained}."}
    result = answered(claim("C", part("good", "bad"), says=says))
    (judged,) = result["claims"]
    assert result["answer"].startswith(f"{judged['reading']}: ")
    assert result["answer"].endswith(" epochs.")


@pytest.mark.parametrize("field", ["better", "good: beauty"])
def test_a_sentence_about_what_is_not_measured_says_so(field):
    with pytest.raises(UserError, match="does not measure"):
        answered(claim("C", part("good", "bad"), says={"supported": f"It is {{{field}}}."}))


def test_panels_are_titled_by_words_or_by_name_and_number():
    assert panel_title("set", "photographs") == "photographs"
    assert panel_title("depth", 32) == "depth 32"
    assert panel_title("images", 5_000) == "images 5,000"
