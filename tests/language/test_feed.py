"""The token feed: labels with their texts, every text once, roles kept, and its digest."""

from dataclasses import replace

import pytest
import torch

from gradlab.data import TextSplit, refuse_test
from gradlab.language import padding_share, token_feed
from gradlab.training import Feed
from gradlab.types import UserError
from tests.language.examples import SIGNS, split, tokenizer

TRAINED = tokenizer()
SPLIT = split(150, seed=3)
FEED = token_feed(SPLIT, TRAINED, max_length=24)


def texts_of(inputs):
    """The words of padded rows, read back."""
    return [TRAINED.decode(row) for row in inputs["input_ids"].flatten(0, -2)]


def test_it_is_a_feed():
    assert isinstance(FEED, Feed)
    assert (len(FEED), FEED.role, FEED.origin) == (150, "train", SPLIT.origin)


@pytest.mark.parametrize("batch_size", [1, 16, 200])
def test_an_epochs_batches_hold_every_text_once_with_its_label(batch_size):
    visits = FEED.order(0, 1, batch_size)
    seen = []
    for indices in visits[None].split(batch_size, dim=1):
        inputs = FEED.batch(indices)
        assert {tensor.shape[:2] for tensor in inputs.values()} == {indices.shape}
        texts = texts_of(inputs)
        assert texts == [SPLIT.texts[index] for index in indices[0]]
        assert [SIGNS[label] in text for text, label in zip(texts, FEED.labels[indices[0]], strict=True)] == [
            True
        ] * len(texts)
        seen += texts
    assert sorted(seen) == sorted(SPLIT.texts)


def test_evaluation_parts_name_the_rows_that_they_hold():
    found = {}
    for indices, inputs in FEED.parts():
        found |= dict(zip(indices.tolist(), texts_of(inputs), strict=True))
    assert [found[index] for index in range(150)] == list(SPLIT.texts)


def test_shuffling_a_split_shuffles_texts_and_labels_alike():
    permutation = torch.randperm(150, generator=torch.Generator().manual_seed(0))
    other = token_feed(SPLIT[permutation], TRAINED, max_length=24)
    for mine, theirs in zip(
        FEED.batch(permutation).values(), other.batch(torch.arange(150)).values(), strict=True
    ):
        assert torch.equal(mine, theirs)
    assert torch.equal(FEED.labels[permutation], other.labels)
    assert FEED.digest() != other.digest()


def test_the_digest_is_of_texts_labels_and_length():
    digests = {
        FEED.digest(),
        token_feed(SPLIT, TRAINED, max_length=5).digest(),
        token_feed(SPLIT[:149], TRAINED, max_length=24).digest(),
        token_feed(TextSplit(SPLIT.texts, 1 - SPLIT.labels, "train"), TRAINED, max_length=24).digest(),
    }
    assert len(digests) == 4
    assert token_feed(split(150, seed=3), TRAINED, max_length=24).digest() == FEED.digest()


def test_padding_is_that_of_the_batches():
    lengths = FEED.tokens.lengths
    assert FEED.padding(16, seed=2, epoch=3) == padding_share(lengths, FEED.order(2, 3, 16).split(16))
    assert FEED.padding() == padding_share(lengths, [indices for indices, _ in FEED.parts()])
    assert FEED.padding(1) == 0


def test_texts_that_are_too_long_are_counted():
    words = [len(text.split()) for text in SPLIT.texts]
    assert token_feed(SPLIT, TRAINED, max_length=8).tokens.truncated >= sum(count > 6 for count in words) > 0


def test_test_texts_stay_test():
    feed = token_feed(split(20, role="test"), TRAINED, max_length=24)
    assert feed.role == "test"
    with pytest.raises(UserError, match="fit trains and selects on train and validation only, got the test"):
        refuse_test(feed, "fit")
    with pytest.raises(UserError, match="got the test"):
        refuse_test(replace(feed, role="train"), "fit")  # its origin remembers


def test_it_moves_as_a_whole():
    assert FEED.to(torch.device("cpu"), torch.float32) is FEED
    moved = FEED.to(torch.device("meta"), torch.float32)
    assert {moved.labels.device.type, moved.tokens.ids.device.type, moved.tokens.lengths.device.type} == {
        "meta"
    }
    assert (moved.role, moved.origin) == (FEED.role, FEED.origin)


def test_an_empty_part_is_refused():
    with pytest.raises(UserError, match="a part without texts"):
        token_feed(SPLIT[:0], TRAINED, max_length=24)
