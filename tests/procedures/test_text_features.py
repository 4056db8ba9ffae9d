"""Features in a record against the function called by hand, and heads on them against `fit_head`."""

from dataclasses import replace

import numpy as np
import pytest
from safetensors.torch import load_file

from gradlab.lab import load
from gradlab.lab.judging.results import Results
from gradlab.language import features
from gradlab.procedures import PROCEDURES, TextFeatures, TextHead
from gradlab.procedures.text_encoder import encoder_of
from gradlab.transfer import LinearSVM, fit_head
from gradlab.types import UserError
from tests.procedures.examples import DATA, EXAMPLES, FEATURES, PRETRAINED, run

PARTS = ("train", "validation", "test")
HEAD = TextHead(net=FEATURES, data="reviews", head=LinearSVM(c=(0.01, 1.0)), pooling="cls")


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("features")
    run(folder, HEAD, (0,))
    return folder


@pytest.fixture(scope="module")
def records(out):
    return {one.spec["procedure"]["kind"]: one for one in map(load, (out / "records").iterdir())}


def test_the_record_holds_what_the_function_gives(records):
    encoder = encoder_of(records["untrained"], 0)
    kept = load_file(records["text-features"].file("bulk.safetensors"))
    assert set(kept) == {
        f"{role}/{layer}/{pool}" for role in PARTS for layer in (0, -1) for pool in ("cls", "mean")
    }
    for name, found in kept.items():
        role, layer, pooling = name.split("/")
        texts = list(DATA["reviews"].splits[role].texts)
        own = features(encoder, texts, layer=int(layer), pooling=pooling, max_length=6)
        assert np.array_equal(found.numpy(), own.numpy()), name


def test_lengths_and_cut_texts_are_counted(records):
    record = records["text-features"]
    encoder, table = encoder_of(records["untrained"], 0), record.table("lengths")
    for role in PARTS:
        texts = list(DATA["reviews"].splits[role].texts)
        whole = encoder.tokenizer.encode(texts, 100).lengths.numpy()
        assert table["tokens"][table["part"] == role].tolist() == np.minimum(whole, 6).tolist()
        assert record.facts["cut_off"][role] == int((whole > 6).sum())
    (flag,) = PROCEDURES["text-features"].flags("features", [Results(record, PROCEDURES["text-features"])])
    assert "texts longer than the limit lost their end: " in flag


def test_a_head_is_the_one_that_fit_head_gives_on_the_same_features(records):
    kept = load_file(records["text-features"].file("bulk.safetensors"))
    data, record = DATA["reviews"], records["text-head"]
    parts = {role: kept[f"{role}/-1/cls"].numpy() for role in PARTS}
    labels = {role: data.splits[role].labels.numpy() for role in PARTS}
    own = fit_head(HEAD.head, (parts["train"], labels["train"]), (parts["validation"], labels["validation"]))
    table = record.table("predictions")
    assert table["prediction"].tolist() == own.predict(parts["test"]).tolist()
    assert table["label"].tolist() == labels["test"].tolist()
    assert record.facts["chosen"] == dict(own.chosen.setting)
    assert record.facts["validation"]["accuracy"] == own.chosen.accuracy
    told = PROCEDURES["text-head"].describe(HEAD, Results(record, PROCEDURES["text-head"]))
    assert told["layers"] == "8 features: first token of the last layer"


def test_heads_and_seeds_share_one_pass(out):
    other = replace(HEAD, layer=0, pooling="mean")
    before = {one.name for one in (out / "records").iterdir()}
    run(out, other, (0,))
    new = [
        load(out / "records" / name) for name in {one.name for one in (out / "records").iterdir()} - before
    ]
    assert [one.spec["procedure"]["kind"] for one in new] == ["text-head"]


@pytest.mark.parametrize(
    ("procedure", "text"),
    [
        (replace(HEAD, layer=1), "there are features of the layers -1, 0, not of 1"),
        (replace(HEAD, net=PRETRAINED), "a head on texts rests on their features"),
        (replace(EXAMPLES["text-features"], data="stripes"), "reads texts, and 'stripes' holds images"),
    ],
)
def test_what_does_not_fit_is_one_sentence(out, procedure, text):
    with pytest.raises(UserError, match=text):
        run(out, procedure, (0,))


@pytest.mark.parametrize("layers", [(), (1, 1)])
def test_layers_are_named_once(layers):
    with pytest.raises(UserError, match="names at least one layer, each once"):
        TextFeatures(net=PRETRAINED, data="reviews", layers=layers)
