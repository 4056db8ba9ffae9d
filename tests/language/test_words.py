"""Tokens belong to words as they are written, whatever the tokenizer cuts them into."""

from gradlab.language import WordPiece, words_of
from tests.language.examples import tokenizer

TEXT = "Splendid scenes, with RAIN-trains and a unicorn!"


def test_every_word_has_its_pieces_and_stands_where_the_text_says():
    words = tokenizer()
    found = words_of(words, TEXT, 64)
    assert [one.text for one in found] == [
        *("Splendid", "scenes", ",", "with", "RAIN", "-", "trains", "and", "a", "unicorn", "!")
    ]
    assert all(TEXT[one.start : one.end] == one.text for one in found)
    ids = words.encode([TEXT], 64).ids.tolist()
    assert [place for one in found for place in one.tokens] == list(range(1, len(ids) - 1))
    for one in found:
        pieces = [words.vocabulary[ids[place]] for place in one.tokens]
        joined = "".join(piece.removeprefix("##") for piece in pieces)
        assert joined == one.text.lower() or pieces == ["[UNK]"]
    assert any(len(one.tokens) > 1 for one in found)


def test_words_that_were_cut_off_are_not_there():
    words = WordPiece(vocab_size=60).train(["a b c d e f"] * 3)
    assert [one.text for one in words_of(words, "a b c d e f", 5)] == ["a", "b", "c"]
