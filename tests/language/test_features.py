"""Features against plain transformers, one text at a time; order, padding, marks and mistakes."""

import pytest
import torch

from gradlab.data.guard import marked_as_test
from gradlab.language import all_features, build_encoder, features, pool
from gradlab.types import UserError
from tests.language.examples import TINY, split, texts_and_labels, tokenizer

TEXTS = [*texts_and_labels(60)[0], "", "film " * 40]


@pytest.fixture(scope="module")
def encoder():
    from dataclasses import replace

    return build_encoder(replace(TINY, initial_std=0.3), tokenizer(), seed=0)


def one_by_one(encoder, layer, pooling):
    """The notebook's way: one text at a time, no padding, plain transformers."""
    found = []
    for text in TEXTS:
        ids = encoder.tokenizer.encode([text], encoder.max_length).ids[None]
        with torch.no_grad():
            states = encoder.transformer(input_ids=ids, output_hidden_states=True).hidden_states
        hidden = states[layer][0]
        found.append(hidden[0] if pooling == "cls" else hidden.mean(0))
    return torch.stack(found)


@pytest.mark.parametrize("layer", [0, 1, -1, -3])
@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_features_are_those_of_each_text_alone(encoder, layer, pooling):
    """Within 1e-5 where features are about 1: sums over a padded batch round otherwise."""
    found = features(encoder, TEXTS, layer=layer, pooling=pooling)
    alone = one_by_one(encoder, layer, pooling)
    assert found.shape == (len(TEXTS), encoder.hidden_size)
    assert found.dtype == torch.float32
    assert torch.allclose(found, alone, rtol=0, atol=1e-5)
    if (layer % 3, pooling) != (0, "cls"):  # the embedding of [CLS] is the same for every text
        assert float(found.std(0).min()) > 1e-3


def test_one_pass_gives_what_single_calls_give(encoder):
    every = all_features(encoder, TEXTS, layers=(0, 2))
    assert set(every) == {(layer, pooling) for layer in (0, 2) for pooling in ("cls", "mean")}
    for (layer, pooling), found in every.items():
        assert torch.equal(found, features(encoder, TEXTS, layer=layer, pooling=pooling))


def test_long_texts_are_cut_where_asked(encoder):
    short = features(encoder, ["film plot rain maps dust"], max_length=4)
    assert torch.equal(short, features(encoder, ["film plot"], max_length=4))


def test_bf16_gives_nearly_the_same(encoder):
    full, half = (features(encoder, TEXTS, precision=precision) for precision in ("fp32", "bf16"))
    assert half.dtype == torch.float32
    assert 0 < float((full - half).abs().max()) < 0.1


def test_what_comes_of_test_texts_is_marked(encoder):
    assert marked_as_test(features(encoder, split(8, role="test"))) == "texts"
    assert marked_as_test(features(encoder, split(8))) is None


def test_the_encoder_is_left_as_it_was(encoder):
    encoder.train()
    features(encoder, TEXTS[:2])
    assert encoder.training
    encoder.eval()
    assert all(one.grad is None for one in encoder.parameters())


def test_the_mean_leaves_padding_out():
    hidden = torch.tensor([[[1.0], [3.0], [100.0]]])
    assert pool(hidden, torch.tensor([[1, 1, 0]]), "mean").tolist() == [[2.0]]
    assert pool(hidden, torch.tensor([[1, 1, 0]]), "cls").tolist() == [[1.0]]


@pytest.mark.parametrize(
    ("texts", "options", "text"),
    [
        ("one text", {}, "a list of at least one text"),
        ([], {}, "a list of at least one text"),
        (["a"], {"layer": 3}, r"has the layers 0 \(its embeddings\) to 2, or -1 for the last, got 3"),
        (["a"], {"layer": -4}, "got -4"),
        (["a"], {"pooling": "max"}, "pooling must be one of cls, mean, got 'max'"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(encoder, texts, options, text):
    with pytest.raises(UserError, match=text):
        features(encoder, texts, **options)
