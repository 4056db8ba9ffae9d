"""Copies of test texts as a run: counted letter by letter and word by word, and said of every claim of its study."""

from dataclasses import replace

import pytest

from gradlab.data import from_texts
from gradlab.lab import run_design
from gradlab.lab.designing.claims import Claim, Part
from gradlab.procedures import PROCEDURES
from gradlab.procedures.text_overlap import TextOverlap
from gradlab.statistics import against
from tests.procedures import examples
from tests.procedures.examples import EXAMPLES, asked, design_of


@pytest.fixture(autouse=True)
def _sets(monkeypatch):
    """Eight test texts, of which the other set trains on four, two of these letter by letter."""
    test = ["a dull film", "A fine film!", "rain", "snow", "one", "two", "three", "four"]
    seen = ["a dull film", "a fine film", "RAIN.", "snow", "something else", "and more"]
    made = (
        from_texts(
            [f"text {n}" for n in range(30)],
            [n % 2 for n in range(30)],
            name="judged",
            test=(test, [0, 1] * 4),
        ),
        from_texts(
            seen * 5, [0, 1, 0] * 10, name="seen", test=(["x", "y"], [0, 1]), validation=(["v", "w"], [0, 1])
        ),
    )
    for one in made:
        monkeypatch.setitem(examples.DATA, one.name, one)


def test_every_claim_of_the_study_says_how_many_test_texts_the_model_was_trained_on(tmp_path):
    base = design_of(TextOverlap(data="judged", known="seen"), EXAMPLES["text-train"])
    claim = Claim(
        id="good",
        statement="It is good",
        parts=(Part(label="above", measure="test accuracy", contrast=against("arm-1", 0.5), delta=0.1),),
    )
    results = run_design(replace(base, claims=(claim,)), asked(tmp_path, (0, 1)))
    (flags,) = (one["flags"] for one in results["claims"])
    told = "4 of the 8 test sentences of 'judged' (50 %) stand in the training part of 'seen', 2 of them letter by letter"
    assert told in flags
    alone = run_design(
        replace(design_of(EXAMPLES["text-train"], EXAMPLES["text-train"]), claims=(claim,)),
        asked(tmp_path, (0, 1)),
    )
    assert not any("stand in the training part" in one for one in alone["claims"][0]["flags"])


def test_both_shares_are_measures(tmp_path):
    from gradlab.lab import load
    from gradlab.lab.judging.results import Results

    examples.run(tmp_path, TextOverlap(data="judged", known="seen"))
    (folder,) = (tmp_path / "records").iterdir()
    kind = PROCEDURES["text-overlap"]
    values = {name: one.value(Results(load(folder), kind)) for name, one in kind.measures.items()}
    assert values == {"test texts copied letter by letter": 2 / 8, "test texts copied word by word": 4 / 8}
