"""What an encoder is pre-trained on: training sentences, each once, none of them judged anywhere."""

from unicodedata import normalize

import pytest

from gradlab.data import from_texts
from gradlab.language import pretraining_corpus
from gradlab.types import UserError


def data(name, train, validation, test):
    parts = [(list(texts), [n % 2 for n in range(len(texts))]) for texts in (train, validation, test)]
    return from_texts(*parts[0], validation=parts[1], test=parts[2], name=name)


FIRST = data(
    "first",
    ["one film", "two films", "three", "in test", "held"],
    ["v one", "in test !"],
    ["t one", "In  TEST."],
)
SECOND = data("second", ["Three!", "four", "T one", "..."], ["HELD", "v two"], ["t two", "t three"])


def test_copies_and_judged_sentences_are_left_out_and_counted():
    made = pretraining_corpus([FIRST, SECOND])
    assert made.train.texts == ("one film", "two films", "three", "four")
    assert made.validation.texts == ("v one", "HELD", "v two")
    assert made.counts == {"found": 9, "copies": 2, "in test": 2, "in validation": 1, "kept": 4}
    assert made.train.role == "train"
    assert not made.train.labels.any()


def test_nothing_left_is_said():
    only = data("only", ["a", "b"], ["a b", "c"], ["A", "B"])
    with pytest.raises(UserError, match="no sentence of only is left"):
        pretraining_corpus([only])


def test_no_judged_sentence_of_the_real_sets_is_trained_on(data_dir):
    from gradlab.data import load

    sets = [load(name, data_dir) for name in ("rotten-tomatoes", "sst2", "trec", "subj")]
    made = pretraining_corpus(sets)

    def words(text):
        return tuple(
            "".join(
                one if one.isalnum() or one == "_" else " " for one in normalize("NFKC", text).casefold()
            ).split()
        )

    judged = {words(text) for one in sets for split in (one.test, one.validation) for text in split.texts}
    assert not [text for text in made.train.texts if words(text) in judged]
    counts = made.counts
    assert counts["kept"] == len(made.train) > 15_000
    assert counts["found"] == counts["kept"] + counts["copies"] + counts["in test"] + counts["in validation"]
