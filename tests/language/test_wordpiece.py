"""Training a vocabulary against a plain loop of the method, and what it must not see."""

import collections
import itertools
import random
import subprocess
import sys

import pytest

from gradlab.language import WordPiece
from gradlab.language.tokenizer import SPECIAL
from gradlab.types import UserError
from tests.language.examples import split, texts_and_labels

TEXTS, _ = texts_and_labels(80)


def learned(texts, size, min_frequency):
    """WordPiece's vocabulary by merging, written plainly: counts from scratch for every merge."""
    words = collections.Counter(word for text in texts for word in text.split())
    alphabet = sorted({letter for word in words for letter in word})
    inner = sorted({letter for word in words for letter in word[1:]})
    vocabulary = [*SPECIAL, *(f"##{letter}" for letter in inner), *alphabet]
    number = {piece: place for place, piece in enumerate(vocabulary)}
    cut = {word: [word[0], *(f"##{letter}" for letter in word[1:])] for word in words}
    while len(vocabulary) < size:
        pairs = collections.Counter()
        for word, count in words.items():
            for pair in itertools.pairwise(cut[word]):
                pairs[pair] += count
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], number[pair[0]], number[pair[1]]))
        if pairs[best] < min_frequency:
            break
        piece = best[0] + best[1].removeprefix("##")
        if piece not in number:
            number[piece] = len(vocabulary)
            vocabulary.append(piece)
        for word, pieces in cut.items():
            place = 0
            while place < len(pieces) - 1:
                if (pieces[place], pieces[place + 1]) == best:
                    pieces[place : place + 2] = [piece]
                place += 1
            cut[word] = pieces
    return tuple(vocabulary)


@pytest.mark.parametrize(("size", "min_frequency"), [(60, 2), (100, 2), (300, 2), (300, 40), (300, 1)])
def test_the_vocabulary_is_that_of_a_plain_loop(size, min_frequency):
    trained = WordPiece(vocab_size=size, min_frequency=min_frequency).train(TEXTS)
    assert trained.vocabulary == learned(TEXTS, size, min_frequency)
    assert len(trained) <= size


def test_the_same_texts_in_any_order_give_the_same_bytes():
    shuffled = random.Random(1).sample(TEXTS, len(TEXTS))
    first, *others = (WordPiece(vocab_size=90).train(texts).json for texts in (TEXTS, TEXTS, shuffled))
    assert others == [first, first]
    code = f"from gradlab.language import WordPiece\nprint(WordPiece(vocab_size=90).train({TEXTS!r}).json)"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False)
    assert process.returncode == 0, process.stderr
    assert process.stdout == first + "\n"
    assert WordPiece(vocab_size=89).train(TEXTS).json != first


def test_case_and_accents_are_dropped_or_kept():
    texts = ["Café Über café", "Ecole École"]
    assert {"cafe", "uber", "ecole"} <= set(WordPiece(min_frequency=1).train(texts).vocabulary)
    kept = set(WordPiece(min_frequency=1, lowercase=False).train(texts).vocabulary)
    assert {"Café", "café", "Über", "Ecole", "École"} <= kept


def test_a_vocabulary_has_room_for_every_character():
    texts = ["abc cab"]  # a, c alone; a, b, c inside: 5 special + 3 inside + 3 alone
    with pytest.raises(
        UserError, match=r"room for 5 special tokens and every character .* got 10; ask for at least 11\."
    ):
        WordPiece(vocab_size=10).train(texts)
    assert len(WordPiece(vocab_size=11).train(texts)) == 11


def test_a_training_split_is_read_and_others_are_refused():
    train = split(80)
    assert WordPiece(vocab_size=90).train(train).json == WordPiece(vocab_size=90).train(TEXTS).json
    with pytest.raises(
        UserError, match="training texts only, got validation texts; pass the data set's train part"
    ):
        WordPiece().train(split(80, role="validation"))
    with pytest.raises(
        UserError, match="a tokenizer trains and selects on train and validation only, got the test"
    ):
        WordPiece().train(split(80, role="test"))


@pytest.mark.parametrize("texts", ["one text", ["a", 3], b"bytes"])
def test_something_else_than_texts_is_refused(texts):
    with pytest.raises(UserError, match=f"a list of texts, got {type(texts).__name__}"):
        WordPiece().train(texts)


def test_no_texts_are_refused():
    with pytest.raises(UserError, match="a tokenizer is trained on at least one text, got none"):
        WordPiece().train([])


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr("gradlab.language._extra.find_spec", lambda name: None if name == "tokenizers" else 1)
    with pytest.raises(
        UserError, match=r"a tokenizer needs tokenizers, not installed: run pip install 'gradlab\[text\]'"
    ):
        WordPiece().train(TEXTS)


def test_an_unknown_field_is_an_error():
    with pytest.raises(ValueError, match="size"):
        WordPiece(size=3)
