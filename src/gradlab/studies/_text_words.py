"""Which words a classifier of texts goes by, in a study: the arm, its table, and the texts that are drawn."""

from __future__ import annotations

from gradlab.lab.designing.design import Arm
from gradlab.lab.designing.shown import Figure, Table
from gradlab.procedures.explain_texts import ExplainTexts

NAME = "words"


def words_of(arm: Arm, data: str) -> Arm:
    """Return the arm that explains the classifier of another arm on these data."""
    label = f"words of {arm.label}"
    procedure = ExplainTexts(net=arm.procedure, data=data)
    return Arm(name=NAME, label=label, factors={"method": label, "data": data}, procedure=procedure)


WORDS_TABLE = Table(
    name=NAME,
    title="Whether the words depend on what was learned",
    caption="Rank correlation of what the words of a sentence add, either way, with what they add in the same network "
    "with random weights: near 0 is right, near 1 says that they do not depend on what it learned.",
    measures=("similarity of words with random weights",),
    arms=(NAME,),
)
WORDS_FIGURE = Figure(
    name=NAME,
    title="Which words it goes by",
    caption="Test sentences, drawn by chance, of the first seed, after training all layers: true → predicted class. Blue "
    "words speak for the predicted class, orange ones against it; what they add sums to its logit minus that of the "
    "sentence with [MASK] in the place of every token (integrated gradients).",
    mark="texts",
    table="texts",
    where={"arm": NAME},
)
