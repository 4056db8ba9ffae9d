"""Predictions in the split's order, equal to those of one text at a time, and the model as it was."""

import pytest
import torch

from gradlab.language import lengths as by_length
from gradlab.language import token_feed
from gradlab.training import predict_logits
from tests.language.examples import TINY, split, tokenizer

TRAINED = tokenizer()
FEED = token_feed(split(60, role="test"), TRAINED, max_length=24)
NETWORK = TINY.build(2, seed=0, vocab=len(TRAINED))


def one_at_a_time(network):
    network.eval()
    with torch.no_grad():
        return torch.cat([network(**FEED.batch(torch.tensor([index]))) for index in range(len(FEED))])


@pytest.mark.parametrize("tokens", [1, 100, 2**12])
def test_rows_are_in_the_splits_order(tokens, monkeypatch):
    monkeypatch.setattr(by_length, "EVALUATION_TOKENS", tokens)
    found = predict_logits(NETWORK, FEED)
    assert found.shape == (60, 2)
    # other lengths round otherwise: see the test of a text alone
    assert torch.allclose(found, one_at_a_time(NETWORK), rtol=0, atol=2e-6)


def test_the_model_is_left_as_it_was():
    NETWORK.train()
    NETWORK.transformer.dropout.eval()
    modes = [layer.training for layer in NETWORK.modules()]
    found = predict_logits(NETWORK, FEED)
    assert [layer.training for layer in NETWORK.modules()] == modes
    assert torch.equal(found, predict_logits(NETWORK, FEED))  # no dropout
    assert not found.requires_grad


def test_a_module_of_the_package_transformers_will_do():
    assert torch.equal(predict_logits(NETWORK.transformer, FEED), predict_logits(NETWORK, FEED))


def test_bf16_is_near_and_float32():
    half, whole = predict_logits(NETWORK, FEED, precision="bf16"), predict_logits(NETWORK, FEED)
    assert half.dtype == torch.float32
    assert not torch.equal(half, whole)
    assert torch.allclose(half, whole, rtol=0, atol=0.02)  # bf16 keeps 8 bits
