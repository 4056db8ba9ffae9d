"""Architectures of transformers as encoders: where their places end, what is no encoder, and weights that are damaged."""

import json

import pytest
import torch
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification, AutoTokenizer

from gradlab.language import build_encoder, features, load_classifier, load_encoder, text_classifier
from gradlab.language.encoder_files import find_encoder
from gradlab.types import UserError
from tests.language.examples import TINY, tokenizer

PLACES = 24
SIZES = {
    "vocab_size": 200,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": PLACES,
}
LONG = ["film " * 100, "film"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return build_encoder(TINY, tokenizer(), seed=0).save(tmp_path_factory.mktemp("encoder") / "own")


def saved(folder, place, kind, **changed):
    """A model of that type with random weights, and the tokenizer of `folder`."""
    sizes = SIZES | {"pad_token_id": 0} | changed
    config = AutoConfig.for_model(kind, **{name: one for name, one in sizes.items() if one is not None})
    AutoModel.from_config(config).save_pretrained(place)
    for one in folder.glob("tokenizer*"):
        (place / one.name).write_bytes(one.read_bytes())
    return place


@pytest.mark.parametrize(
    ("kind", "changed", "places"),
    [
        ("electra", {"embedding_size": 16}, PLACES),
        ("deberta-v2", {}, PLACES),
        ("roberta", {"pad_token_id": 1}, PLACES - 2),
        ("mpnet", {"pad_token_id": 1}, PLACES - 2),
        ("longformer", {"pad_token_id": 1, "attention_window": 4}, PLACES - 2),
        ("xlm-roberta-xl", {"pad_token_id": 1}, PLACES - 2),
        ("roberta-prelayernorm", {"pad_token_id": 1}, PLACES - 2),
        ("data2vec-text", {"pad_token_id": 1}, PLACES - 2),
        ("esm", {"pad_token_id": 1}, PLACES - 2),
        ("xmod", {"pad_token_id": 1, "default_language": "en_XX"}, PLACES - 2),
    ],
)
def test_the_longest_text_fits_and_a_longer_one_is_cut(folder, tmp_path, kind, changed, places):
    encoder = load_encoder(saved(folder, tmp_path, kind, **changed))
    assert encoder.max_length == places
    found = features(encoder, LONG)
    assert torch.allclose(found[1], features(encoder, LONG[1:])[0], atol=1e-5)


def test_a_model_that_names_no_limit_reads_the_usual_512_tokens(folder, tmp_path):
    place = saved(folder, tmp_path, "xlnet", max_position_embeddings=None, d_model=16, n_head=2, d_inner=32)
    assert load_encoder(place).max_length == 512


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        ("gpt2", {"n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": PLACES}),
        ("llama", {}),
        ("t5", {"d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 1, "num_heads": 2}),
    ],
)
def test_a_model_that_generates_text_is_no_encoder(folder, tmp_path, kind, changed):
    place = saved(folder, tmp_path, kind, **changed)
    with pytest.raises(
        UserError, match=rf"\({kind}\) generates text: .*; give an encoder, such as distilbert"
    ):
        load_encoder(place)


@pytest.mark.parametrize(
    ("kind", "changed"), [("convbert", {"embedding_size": 16}), ("yoso", {}), ("fnet", {})]
)
def test_an_encoder_that_reads_padding_is_refused(folder, tmp_path, kind, changed):
    """In plain transformers: the same text alone and beside padding has other vectors."""
    place = saved(folder, tmp_path, kind, initializer_range=0.3, **changed)
    model = AutoModel.from_pretrained(place).eval()
    ids = torch.tensor([[2, 7, 8, 3, 0, 0, 0]])
    with torch.no_grad():
        mask = {} if kind == "fnet" else {"attention_mask": (ids > 0).long()}
        apart = model(input_ids=ids[:, :4])[0] - model(input_ids=ids, **mask)[0][:, :4]
    assert apart.abs().max() > 0.1
    with pytest.raises(UserError, match=rf"\({kind}\) reads padding, so that what it says .* longest text"):
        load_encoder(place)


def test_an_encoder_that_reads_texts_of_some_lengths_alone_is_refused(folder, tmp_path):
    place = saved(folder, tmp_path, "nystromformer", num_landmarks=8, segment_means_seq_length=24)
    with pytest.raises(UserError, match=r"\(nystromformer\) cannot read a text of 3 tokens"):
        load_encoder(place)


def test_weights_that_are_no_safetensors_are_refused_in_a_sentence(folder, tmp_path):
    for one in folder.iterdir():
        (tmp_path / one.name).write_bytes(one.read_bytes())
    (tmp_path / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\nsize 3\n")
    with pytest.raises(UserError, match=r"cannot load the encoder in .*header too large"):
        load_encoder(tmp_path)
    with pytest.raises(UserError, match=r"cannot load the classifier in .*header too large"):
        load_classifier(find_encoder(tmp_path), ("bad", "good"))


def test_weights_of_another_shape_are_named(folder, tmp_path):
    for one in folder.iterdir():
        (tmp_path / one.name).write_bytes(one.read_bytes())
    config = json.loads((folder / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"hidden_dim": 48}))
    with pytest.raises(UserError, match=r"6 tensors are missing or of another shape \(\S*lin1.bias"):
        load_encoder(tmp_path)


def test_an_exported_tokenizer_cuts_where_the_places_of_the_network_end(folder, tmp_path):
    from gradlab.use.export_text import _write

    encoder = load_encoder(saved(folder, tmp_path, "roberta", pad_token_id=1))
    model = text_classifier(encoder, ("bad", "good"), seed=0)
    _write(model, encoder.tokenizer, tmp_path / "out", tmp_path / "out", 512)
    words = AutoTokenizer.from_pretrained(tmp_path / "out")
    read = AutoModelForSequenceClassification.from_pretrained(tmp_path / "out")
    assert words.model_max_length == PLACES - 2
    assert read(**words(LONG, padding=True, truncation=True, return_tensors="pt")).logits.shape == (2, 2)
