import pytest

from gradlab.lab.judging.answer import answer


def told(*verdicts):
    return [{"statement": f"Claim {i} is so.", "verdict": verdict} for i, verdict in enumerate(verdicts)]


@pytest.mark.parametrize(
    ("verdict", "lead"),
    [
        ("supported", "Yes."),
        ("refuted", "No, the opposite."),
        ("equivalent", "No: it makes no difference that matters."),
        ("inconclusive", "These runs cannot tell yet."),
    ],
)
def test_the_first_claim_is_told_in_full(verdict, lead):
    assert answer(told(verdict), "Does it?") == f"{lead} Claim 0 is so: {verdict}."


def test_the_other_claims_are_counted():
    text = answer(told("supported", "refuted", "inconclusive", "refuted"))
    assert text.endswith("Of 4 claims: 1 supported, 2 refuted, 1 inconclusive.")


def test_which_is_not_answered_by_yes():
    assert answer(told("supported"), "Which is better?") == "Claim 0 is so: supported."


def test_a_study_without_claims_says_so():
    assert answer([]).startswith("This study makes no claim")
