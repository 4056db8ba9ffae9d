"""Padded batches against hand-made ones."""

import torch

from gradlab.language.tokens import join

TOKENS = join([[2, 7, 3], [2, 3], [2, 8, 9, 4, 3]], truncated=1)


def test_a_batch_is_padded_to_its_longest():
    batch = TOKENS.batch(torch.tensor([1, 0]))
    assert batch["input_ids"].tolist() == [[2, 3, 0], [2, 7, 3]]
    assert batch["attention_mask"].tolist() == [[1, 1, 0], [1, 1, 1]]
    assert {tensor.dtype for tensor in batch.values()} == {torch.int64}
    assert TOKENS.batch(torch.tensor([2, 1]))["input_ids"].tolist() == [[2, 8, 9, 4, 3], [2, 3, 0, 0, 0]]
    assert TOKENS.batch(torch.tensor([1]))["input_ids"].tolist() == [[2, 3]]


def test_indices_may_have_any_shape():
    indices = torch.tensor([[0, 2], [1, 1], [2, 0]])
    flat, shaped = TOKENS.batch(indices.flatten()), TOKENS.batch(indices)
    for name, tensor in shaped.items():
        assert tensor.shape == (3, 2, 5)
        assert torch.equal(tensor.flatten(0, 1), flat[name])


def test_how_many_and_where():
    assert len(TOKENS) == 3
    moved = TOKENS.to("meta")
    assert moved.ids.device.type == moved.lengths.device.type == "meta"
    assert moved.truncated == TOKENS.truncated == 1
