"""Encoders against plain transformers: the same numbers, the same tokens, back from a folder; and what is refused."""

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoTokenizer

from gradlab.language import Tokenizer, build_encoder, load_encoder
from gradlab.models.initialise import reinitialise
from gradlab.types import UserError
from tests.language.examples import TINY, split, texts_and_labels, tokenizer

TEXTS = texts_and_labels(12)[0]
FAMILIES = ("distilbert", "bert")


@pytest.fixture(scope="module", params=FAMILIES)
def encoder(request):
    return build_encoder(replace(TINY, family=request.param, initial_std=0.3), tokenizer(), seed=3)


@pytest.fixture(scope="module")
def folder(encoder, tmp_path_factory):
    return encoder.save(tmp_path_factory.mktemp("encoder") / encoder.facts()["model_type"])


def batch(encoder, texts=TEXTS):
    return encoder.tokenizer.encode(texts, encoder.max_length).batch(torch.arange(len(texts)))


def test_plain_transformers_reads_the_folder_and_computes_the_same(encoder, folder):
    model, words = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    theirs = words(TEXTS, padding=True, truncation=True, return_tensors="pt")
    ours = batch(encoder)
    assert torch.equal(theirs["input_ids"], ours["input_ids"])
    assert torch.equal(theirs["attention_mask"], ours["attention_mask"])
    with torch.no_grad():
        assert torch.equal(model(**theirs).last_hidden_state, encoder(**ours))
    assert words.model_max_length == encoder.max_length == TINY.max_length
    assert {one.suffix for one in folder.iterdir()} == {".json", ".safetensors"}


def test_a_special_token_that_somebody_writes_is_plain_text_here_and_in_plain_transformers(encoder, folder):
    text = "[MASK] the film [SEP] and [CLS] maps"
    words = AutoTokenizer.from_pretrained(folder)
    ids = encoder.tokenizer.encode([text], encoder.max_length).ids.tolist()
    assert words(text)["input_ids"] == load_encoder(folder).tokenizer.encode([text], 24).ids.tolist() == ids
    inner = set(ids[1:-1])
    assert not inner & {encoder.tokenizer.numbers[name] for name in ("[MASK]", "[SEP]", "[CLS]")}


def test_an_encoder_comes_back_from_its_folder(encoder, folder):
    again = load_encoder(folder)
    assert not again.training
    assert (again.hidden_size, again.layers, again.max_length) == (16, 2, 24)
    assert again.tokenizer.vocabulary == encoder.tokenizer.vocabulary
    states = encoder.state_dict()
    assert all(torch.equal(value, states[name]) for name, value in again.state_dict().items())
    assert not any("pooler" in name for name in states)


def test_hidden_states_are_those_of_every_layer(encoder):
    inputs = batch(encoder)
    with torch.no_grad():
        states = encoder.hidden_states(**inputs)
        assert len(states) == encoder.layers + 1
        assert torch.equal(states[-1], encoder(**inputs))
        assert torch.equal(states[0], encoder.transformer.embeddings(inputs["input_ids"]))


def test_the_facts_and_the_seed_give_the_same_bits_again(encoder):
    facts = json.loads(json.dumps(encoder.facts()))
    again, other = (build_encoder(facts, encoder.tokenizer, seed=seed) for seed in (3, 4))
    states = encoder.state_dict()
    assert all(torch.equal(value, states[name]) for name, value in again.state_dict().items())
    assert not torch.equal(next(other.parameters()), next(encoder.parameters()))


def test_building_and_loading_leave_the_random_state_alone(folder, encoder):
    before = torch.get_rng_state()
    load_encoder(folder)
    build_encoder(encoder.facts(), encoder.tokenizer, seed=1)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_feed_cuts_texts_at_what_the_encoder_reads(encoder):
    long = replace(split(8), texts=("film " * 40,) * 8, mark=None)
    feed = encoder.feed(long, 512)
    assert feed.tokens.lengths.max() == encoder.max_length
    assert feed.tokens.truncated == 8
    with pytest.raises(UserError, match="reads at most 24 tokens of a text, got 25; encode"):
        encoder(torch.ones(1, 25, dtype=torch.int64), torch.ones(1, 25, dtype=torch.int64))


def broken(folder, tmp_path, **files):
    """A copy of the folder with other files."""
    for one in folder.iterdir():
        (tmp_path / one.name).write_bytes(one.read_bytes())
    for name, content in files.items():
        path = next(one for one in tmp_path.iterdir() if one.stem == name)
        path.write_text(content)
    return tmp_path


def test_weights_that_do_not_fill_the_encoder_are_refused(folder, tmp_path):
    place = broken(folder, tmp_path)
    weights = load_file(place / "model.safetensors")
    kept = {name: value for name, value in weights.items() if "layer.1" not in name}
    save_file(kept, place / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match=r"do not fill its \w+Model: 16 tensors are missing"):
        load_encoder(place)


@pytest.mark.parametrize(
    "config", ['{"model_type": "no-such-model"}', "no json", '{"auto_map": {"AutoModel": "code.Net"}}']
)
def test_an_unknown_architecture_and_one_that_brings_code_are_refused(folder, tmp_path, config):
    with pytest.raises(UserError, match=r"transformers cannot load the encoder in .*; give another one"):
        load_encoder(broken(folder, tmp_path, config=config))


def test_a_damaged_or_other_tokenizer_is_refused(folder, tmp_path, encoder):
    with pytest.raises(UserError, match="the tokenizer in"):
        load_encoder(broken(folder, tmp_path, tokenizer="{}"))
    words = json.loads(encoder.tokenizer.json)
    words["model"]["vocab"] |= {f"more{n}": len(encoder.tokenizer) + n for n in range(9)}
    large = Tokenizer(json.dumps(words))
    with pytest.raises(
        UserError, match=r"the tokenizer knows \d+ tokens and the encoder \d+; give the tokenizer"
    ):
        type(encoder)(encoder.transformer, large)


def test_a_folder_with_something_in_it_is_not_written_over(encoder, folder):
    with pytest.raises(UserError, match="already exists"):
        encoder.save(folder)


def test_an_architecture_that_nobody_knows_cannot_be_built(encoder):
    with pytest.raises(UserError, match="transformers has no such encoder"):
        build_encoder({"model_type": "none"}, encoder.tokenizer, seed=0)


def test_published_special_tokens_and_places_are_read(tmp_path):
    """RoBERTa counts places from padding + 1, fills up with 1 and calls its tokens otherwise."""
    from tokenizers import Tokenizer as Inner
    from tokenizers import models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, RobertaConfig, RobertaModel

    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    words = sorted({word for text in TEXTS for word in text.split()})
    inner = Inner(
        models.WordLevel({token: n for n, token in enumerate([*special, *words])}, unk_token="<unk>")
    )
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=inner,
        **dict(zip(("cls_token", "pad_token", "sep_token", "unk_token", "mask_token"), special, strict=True)),
    )
    config = RobertaConfig(
        vocab_size=len(words) + 5, hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=8, max_position_embeddings=26, pad_token_id=1, bos_token_id=0, eos_token_id=2,
    )  # fmt: skip
    model = RobertaModel(config)
    reinitialise(model, 0)
    model.save_pretrained(tmp_path)
    fast.save_pretrained(tmp_path)
    found = load_encoder(tmp_path)
    assert found.max_length == 24
    assert found.tokenizer.special == ("<pad>", "<unk>", "<s>", "</s>", "<mask>")
    inputs = batch(found)
    assert set(inputs["input_ids"][inputs["attention_mask"] == 0].tolist()) == {1}
    theirs = fast(TEXTS, padding=True, return_tensors="pt")
    assert torch.equal(inputs["input_ids"], theirs["input_ids"])
    with torch.no_grad():
        whole, alone = found(**inputs), found(**batch(found, TEXTS[:1]))
    assert torch.allclose(whole[0, : alone.shape[1]], alone[0], atol=1e-6)
