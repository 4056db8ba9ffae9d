"""Encoding against a plain longest match; unknown words, truncation, the way back, storage."""

import hashlib

import pytest
import torch

from gradlab.language import Tokenizer, WordPiece
from gradlab.types import UserError
from tests.language.examples import texts_and_labels

TEXTS, _ = texts_and_labels(60)
TRAINED = WordPiece(vocab_size=90).train(TEXTS)
PADDING, UNKNOWN, CLASSIFY, SEPARATOR = range(4)


def longest_match(text):
    """The ids of a text in lower case without punctuation, by cutting the longest known piece off each word's front."""
    number = {token: place for place, token in enumerate(TRAINED.vocabulary)}
    ids = []
    for word in text.split():
        pieces, start = [], 0
        while start < len(word):
            ends = [
                end
                for end in range(start + 1, len(word) + 1)
                if ("##" * bool(start) + word[start:end]) in number
            ]
            if not ends:
                pieces = [UNKNOWN]
                break
            pieces.append(number["##" * bool(start) + word[start : max(ends)]])
            start = max(ends)
        ids += pieces
    return [CLASSIFY, *ids, SEPARATOR]


def rows(tokens):
    return [part.tolist() for part in tokens.ids.split(tokens.lengths.tolist())]


def test_texts_become_their_longest_known_pieces():
    other = [*TEXTS, *texts_and_labels(40, seed=5)[0], "scenery mapped rains unplotted", "zebra", ""]
    assert rows(TRAINED.encode(other, 512)) == [longest_match(text) for text in other]


def test_case_punctuation_and_spaces():
    first, second = rows(TRAINED.encode(["The PLOT,with  maps", "the plot , with maps"], 32))
    assert first == second
    assert UNKNOWN in first  # the comma never stood in the training texts


def test_what_is_not_known_is_unknown_word_by_word():
    (ids,) = rows(TRAINED.encode(["film жук film 你好 " + "a" * 101], 32))
    film = longest_match("film")[1:-1]
    assert ids == [CLASSIFY, *film, UNKNOWN, *film, UNKNOWN, UNKNOWN, UNKNOWN, SEPARATOR]


def test_the_names_of_special_tokens_are_plain_text():
    (ids,) = rows(TRAINED.encode(["[PAD] [MASK] [SEP]"], 32))
    assert ids[0] == CLASSIFY
    assert ids.index(SEPARATOR) == len(ids) - 1
    assert PADDING not in ids
    assert TRAINED.vocabulary.index("[MASK]") not in ids


@pytest.mark.parametrize("limit", [3, 5, 9])
def test_a_long_text_loses_its_end_and_is_counted(limit):
    whole = [longest_match(text) for text in TEXTS]
    cut = TRAINED.encode(TEXTS, limit)
    assert rows(cut) == [ids if len(ids) <= limit else [*ids[: limit - 1], SEPARATOR] for ids in whole]
    assert cut.truncated == sum(len(ids) > limit for ids in whole) > 0
    assert TRAINED.encode(TEXTS, 512).truncated == 0


def test_known_words_come_back():
    for text, ids in zip(TEXTS, rows(TRAINED.encode(TEXTS, 512)), strict=True):
        assert TRAINED.decode(ids) == text
    assert TRAINED.decode(torch.tensor(longest_match("film"))) == "film"


def test_the_json_is_the_whole_tokenizer():
    again = Tokenizer(TRAINED.json)
    assert again == TRAINED
    assert rows(again.encode(TEXTS, 20)) == rows(TRAINED.encode(TEXTS, 20))
    assert TRAINED.digest == hashlib.sha256(TRAINED.json.encode()).hexdigest()
    assert len(TRAINED) == len(set(TRAINED.vocabulary)) == 90


def test_transformers_reads_the_json():
    import tokenizers
    from transformers import PreTrainedTokenizerFast

    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizers.Tokenizer.from_str(TRAINED.json), pad_token="[PAD]", unk_token="[UNK]"
    )
    theirs = fast(TEXTS, padding=True, return_tensors="pt")
    ours = TRAINED.encode(TEXTS, 512).batch(torch.arange(len(TEXTS)))
    assert torch.equal(theirs["input_ids"], ours["input_ids"])
    assert torch.equal(theirs["attention_mask"], ours["attention_mask"])


NO_TOKENIZERS = {
    "empty": "",
    "no model": "{}",
    "a list": "[]",
    "words": "not json",
    "no vocabulary": '{"model": 3}',
    "no numbers": '{"model": {"vocab": [1]}}',
    "a number left out": '{"model": {"vocab": {"[PAD]": 0, "a": 2}}}',
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("text", NO_TOKENIZERS.values(), ids=NO_TOKENIZERS)
def test_another_text_is_no_tokenizer(text):
    with pytest.raises(UserError, match="no tokenizer's JSON; take the `json` of one"):
        Tokenizer(text)


def test_a_vocabulary_without_the_special_tokens_is_refused():
    with pytest.raises(UserError, match=r"lacks its special tokens \[PAD\], \[UNK\], \[SEP\]; train one"):
        Tokenizer('{"model": {"vocab": {"[MASK]": 1, "[CLS]": 0}}}')


def test_published_vocabularies_of_other_forms_are_read():
    special = ("<pad>", "<unk>", "<s>", "</s>", "<mask>")
    unigram = '{"model": {"vocab": [["<s>", 0], ["<pad>", 0], ["</s>", 0], ["<unk>", 0], ["a", -1.5]]}, "added_tokens": '
    made = Tokenizer(unigram + '[{"id": 5, "content": "<mask>"}]}', special)
    assert made.vocabulary == ("<s>", "<pad>", "</s>", "<unk>", "a", "<mask>")
    assert made.special_ids == (1, 3, 0, 2, 5)


@pytest.mark.parametrize("texts", ["one text", []])
def test_encode_reads_lists_of_texts(texts):
    with pytest.raises(UserError, match="a list of at least one text"):
        TRAINED.encode(texts, 20)


def test_there_must_be_room_between_the_ends():
    with pytest.raises(UserError, match="must be at least 3, got 2"):
        TRAINED.encode(TEXTS, 2)


@pytest.mark.parametrize("wrong", [None, 3, float("nan"), b"bytes"])
def test_what_is_no_text_is_named(wrong):
    with pytest.raises(UserError, match=r"encode reads texts, got (None|3|nan|b'bytes') among them"):
        TRAINED.encode(["film", wrong], 24)
