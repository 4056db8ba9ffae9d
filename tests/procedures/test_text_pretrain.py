"""Pre-training as a run: its encoder in plain transformers, what it says of its sentences, and the twin with random weights."""

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from gradlab.lab import load
from gradlab.lab.judging.results import Results
from gradlab.language import TextEncoder, WordPiece, build_encoder, pretraining_corpus
from gradlab.procedures import PROCEDURES, PretrainedEncoder, encoder_source
from gradlab.procedures.text_encoder import encoder_of
from gradlab.use import export_encoder
from tests.procedures.examples import DATA, EXAMPLES, PRETRAINED, run


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pretrain")
    run(folder, EXAMPLES["untrained"], (0, 1))
    return folder


@pytest.fixture(scope="module")
def records(out):
    found = [load(one) for one in sorted((out / "records").iterdir())]
    return {(one.spec["procedure"]["kind"], one.spec["seed"]): one for one in found}


def test_all_seeds_share_one_pre_training(records):
    assert set(records) == {("text-pretrain", None), ("untrained", 0), ("untrained", 1)}


def test_the_encoder_of_the_record_is_what_plain_transformers_loads(records, tmp_path):
    record = records["text-pretrain", None]
    encoder = encoder_of(record)
    folder = export_encoder(record.folder, tmp_path / "encoder")
    assert folder == tmp_path / "encoder"
    model, words = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    texts = list(DATA["reviews"].train.texts[:9])
    theirs = words(texts, padding=True, truncation=True, return_tensors="pt")
    tokens = encoder.tokenizer.encode(texts, 8).batch(torch.arange(9))
    with torch.no_grad():
        assert torch.equal(model(**theirs).last_hidden_state, encoder(**tokens))
    assert sum(one.numel() for one in model.parameters()) == record.facts["encoder_parameters"]


def test_it_trained_and_says_on_what(records):
    record = records["text-pretrain", None]
    corpus = pretraining_corpus([DATA["reviews"]])
    assert record.facts["sentences"] == corpus.counts | {"validation": len(corpus.validation)}
    tokenizer = WordPiece(vocab_size=60).train(corpus.train)
    assert str(record.table("tokenizer")["json"][0]) == tokenizer.json
    assert record.facts["tokens"]["train"] == int(tokenizer.encode(corpus.train.texts, 8).lengths.sum())
    start = build_encoder(PRETRAINED.model, tokenizer, seed=PRETRAINED.initial_seed).state_dict()
    trained = encoder_of(record).state_dict()
    moved = [name for name, value in trained.items() if not torch.equal(value, start[name])]
    assert len(moved) == len(trained)
    kind = PROCEDURES["text-pretrain"]
    told = Results(record, kind)
    assert kind.measures["validation loss"].value(told) == record.table("epochs")["validation_loss"].min()
    (flag,) = kind.flags("pre-trained", [told])
    assert "are copies, 0 stand in a test part and 0 in a validation part; they were left out" in flag


def test_the_untrained_twin_has_the_same_tokens_and_fresh_weights_of_its_seed(records):
    like = encoder_of(records["text-pretrain", None])
    nets = [PROCEDURES["untrained"].network(records["untrained", seed], None, None) for seed in (0, 1)]
    for seed, net in enumerate(nets):
        fresh = build_encoder(PRETRAINED.model, like.tokenizer, seed=seed)
        assert net.tokenizer == like.tokenizer
        states = fresh.state_dict()
        assert all(torch.equal(value, states[name]) for name, value in net.state_dict().items())
    assert not torch.equal(next(nets[0].parameters()), next(nets[1].parameters()))


def test_a_published_encoder_is_known_by_what_its_files_hold(records, tmp_path):
    first = encoder_of(records["text-pretrain", None]).save(tmp_path / "one")
    source = encoder_source(first)
    assert isinstance(source, PretrainedEncoder)
    assert {one.rsplit("/", 1)[1] for one in (source.config, *source.weights, *source.tokenizer)} == {
        *("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
    }
    loaded = PROCEDURES["encoder"].network(source, None, None)
    assert isinstance(loaded, TextEncoder)
    kept = encoder_of(records["text-pretrain", None]).state_dict()
    assert all(torch.equal(value, kept[name]) for name, value in loaded.state_dict().items())


def test_records_of_encoders_hold_no_more_than_they_need(records):
    record = records["untrained", 0]
    assert record.file("weights.safetensors") is None
    assert np.array_equal(
        record.table("tokenizer")["json"], records["text-pretrain", None].table("tokenizer")["json"]
    )
