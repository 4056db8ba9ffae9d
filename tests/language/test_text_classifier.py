"""Classifiers over encoders: the encoder's weights, a head by its seed, parts that cover all, folders of plain transformers."""

from dataclasses import replace

import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, DistilBertConfig

from gradlab.language import (
    build_encoder,
    classifier_parts,
    find_encoder,
    head_modules,
    load_classifier,
    save_classifier,
    text_classifier,
)
from gradlab.transfer import LoRA, add_lora
from gradlab.types import UserError
from tests.language.examples import TINY, texts_and_labels, tokenizer

WORDS = tokenizer()
NAMES = ("neg", "pos")
HEADS = {"distilbert": ("pre_classifier", "classifier"), "bert": ("bert.pooler", "classifier")}


@pytest.fixture(scope="module", params=HEADS)
def encoder(request):
    return build_encoder(replace(TINY, family=request.param, initial_std=0.3), WORDS, seed=3)


def inputs():
    texts = texts_and_labels(9)[0]
    return WORDS.encode(texts, 24).batch(torch.arange(len(texts)))


def test_it_has_the_encoders_weights_and_a_head_by_seed(encoder):
    one, same, other = (text_classifier(encoder, NAMES, seed=seed) for seed in (0, 0, 1))
    for name, value in encoder.transformer.state_dict().items():
        assert torch.equal(one.base_model.state_dict()[name], value)
    states = [made.state_dict() for made in (one, same, other)]
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())
    different = {name for name, value in states[0].items() if not torch.equal(value, states[2][name])}
    heads = HEADS[one.config.model_type]
    assert different == {f"{name}{'.dense' if 'pooler' in name else ''}.weight" for name in heads}
    assert one.config.id2label == {0: "neg", 1: "pos"}


def test_its_parts_hold_every_parameter_once_the_head_last(encoder):
    model = text_classifier(encoder, NAMES, seed=0)
    parts = classifier_parts(model)
    assert head_modules(model) == HEADS[model.config.model_type]
    assert sorted(name for _, own in parts for name in own) == sorted(
        name for name, _ in model.named_parameters()
    )
    assert len(parts) == 1 + TINY.layers + 1
    embeddings, head = parts[0][1], parts[-1][1]
    assert all(".embeddings." in name for name in embeddings)
    assert all(name.startswith(HEADS[model.config.model_type]) for name in head)
    for number, (name, own) in enumerate(parts[1:-1]):
        assert name.endswith(f"layer.{number}")
        assert all(one.startswith(f"{name}.") for one in own)


def test_plain_transformers_reads_the_folder_and_gives_the_same_logits(encoder, tmp_path):
    model = text_classifier(encoder, NAMES, seed=0).eval()
    save_classifier(model, WORDS, tmp_path / "net", max_length=24)
    again = AutoModelForSequenceClassification.from_pretrained(tmp_path / "net").eval()
    theirs = AutoTokenizer.from_pretrained(tmp_path / "net")(
        texts_and_labels(9)[0], padding=True, truncation=True, return_tensors="pt"
    )
    with torch.no_grad():
        assert torch.equal(again(**theirs).logits, model(**inputs()).logits)
    loaded, outputs = load_classifier(find_encoder(tmp_path / "net"), ("pos", "neg"))  # in another order
    assert outputs == [1, 0]
    with torch.no_grad():
        assert torch.equal(loaded(**inputs()).logits, model(**inputs()).logits)


def test_a_ready_made_classifier_must_have_a_head_for_these_classes(encoder, tmp_path):
    encoder.save(tmp_path / "bare")
    with pytest.raises(
        UserError, match=r"holds no trained head \(.*is missing or of another shape\); give a folder"
    ):
        load_classifier(find_encoder(tmp_path / "bare"), NAMES)
    model = text_classifier(encoder, ("POSITIVE", "NEGATIVE"), seed=0)
    save_classifier(model, WORDS, tmp_path / "net", max_length=24)
    files = find_encoder(tmp_path / "net")
    assert load_classifier(files, NAMES)[1] == [1, 0]
    with pytest.raises(
        UserError, match="'net' names positive, negative, the data cat, dog; give one for these classes"
    ):
        load_classifier(files, ("cat", "dog"))


def test_classes_are_found_by_their_whole_names_or_as_somebody_says(encoder, tmp_path):
    model = text_classifier(encoder, ("positron", "Negative", "other"), seed=0)
    save_classifier(model, WORDS, tmp_path / "net", max_length=24)
    files = find_encoder(tmp_path / "net")
    assert load_classifier(files, ("other", "neg", "positron"))[1] == [2, 1, 0]
    with pytest.raises(
        UserError, match="the data pos, neg, other; give one"
    ):  # begins alike, and is another word
        load_classifier(files, ("pos", "neg", "other"))
    named = ("good", "bad", "none")
    assert load_classifier(files, named, called=("Other", "NEG", "positron"))[1] == [2, 1, 0]
    for called in (("other", "neg"), ("other", "neg", "neg"), ("other", "neg", "pos")):
        with pytest.raises(UserError, match=r"data good, bad, none, called .*; give one .* called= what"):
            load_classifier(files, named, called=called)


def test_a_head_needs_two_classes(encoder):
    with pytest.raises(UserError, match="at least two classes, got 1"):
        text_classifier(encoder, ("one",), seed=0)
    with pytest.raises(UserError, match="the class 'good' is named twice"):
        text_classifier(encoder, ("good", "bad", "good"), seed=0)


def test_lora_of_lab_004_trains_739586_numbers_of_distilbert():
    """Rank 8 on the queries and values of six layers, 2·6·2·768·8, and the head, 768·768 + 768 + 768·2 + 2."""
    with torch.device("meta"):
        model = AutoModelForSequenceClassification.from_config(DistilBertConfig())
        assert sum(one.numel() for one in model.parameters()) == 66_955_010
        adapted = add_lora(model, LoRA(r=8), seed=0, head=head_modules(model), task="SEQ_CLS")
    assert sum(one.numel() for one in adapted.parameters() if one.requires_grad) == 739_586
