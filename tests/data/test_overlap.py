"""Overlaps counted by a plain loop, on texts whose copies are known, and on the real sets that are known to share sentences."""

from unicodedata import normalize

import pytest

from gradlab.data import from_texts, load, overlap
from gradlab.data.overlap import normalised
from gradlab.types import UserError

KNOWN = ["A good film .", "a bad film", "it's  dull", "rain", "—", "plot"]
JUDGED = [
    "A good film .",
    "a GOOD film",
    "A bad film!",
    "its dull",
    "It ' s dull?",
    "snow",
    "rain drops",
    "—",
]


def sets():
    labels = [n % 2 for n in range(len(KNOWN))]
    held = (["snow", "storm"], [0, 1])
    train = from_texts(KNOWN, labels, validation=held, test=held, name="known")
    own = (JUDGED, [n % 2 for n in range(len(JUDGED))])
    judged = from_texts(["x one", "y two"], [0, 1], validation=held, test=own, name="judged")
    return judged, train


def test_copies_are_counted_letter_by_letter_and_by_their_words():
    found = overlap(*sets())
    assert (found.texts, found.exact, found.normalised) == (8, 2, 5)
    assert found.rows == (0, 1, 2, 4, 7)
    assert found.describe() == (
        "5 of the 8 test sentences of 'judged' (62.5 %) stand in the training part of 'known', 2 of them letter by letter."
    )


def test_nothing_shared_is_said_and_another_part_can_be_asked():
    judged, known = sets()
    assert overlap(known, judged).describe() == (
        "None of the 2 test sentences of 'known' stands in the training part of 'judged'."
    )
    assert overlap(judged, known, part="validation").texts == 2


def test_letters_that_look_alike_are_the_same_words():
    assert normalised("Ｆｉｌｍ — CAFÉ") == normalised("film café") == "film café"
    assert normalised("cafe") != normalised("café")


def test_images_and_parts_that_are_not_there_are_refused():
    _, known = sets()
    with pytest.raises(
        UserError, match="'digits' has no train texts; an overlap is counted between data sets of texts"
    ):
        overlap(known, load("digits"))


def test_sst2_was_built_from_the_sentences_of_rotten_tomatoes(data_dir):
    """By a loop that shares nothing but the rule: lower case, letters and digits alone."""
    sst2, reviews, questions = (load(name, data_dir) for name in ("sst2", "rotten-tomatoes", "trec"))

    def words(text):
        return "".join(
            one if one.isalnum() or one == "_" else " " for one in normalize("NFKC", text).casefold()
        ).split()

    known = {tuple(words(text)) for text in sst2.train.texts}
    copies = sum(tuple(words(text)) in known for text in reviews.test.texts)
    found = overlap(reviews, sst2)
    assert found.normalised == copies > found.exact > 400
    assert overlap(reviews, questions).normalised == 0
