"""Fine-tuning of texts as a procedure: what is frozen is the encoder's, the network comes back, scores by scikit-learn."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from sklearn.metrics import precision_recall_fscore_support

from gradlab.lab import load
from gradlab.lab.judging.results import Results
from gradlab.language import load_encoder
from gradlab.procedures import PROCEDURES, TextFineTune, _fits
from gradlab.training import Recipe
from gradlab.transfer import AllLayers, FromScratch, HeadOnly, LastBlock, LoRA
from tests.procedures.encoders import encoder_in
from tests.procedures.examples import DATA, run

pytest.importorskip("peft")
RECIPE = Recipe(optimizer="adamw", epochs=3, batch_size=16, learning_rate=1e-2)
POLICIES = {"lora": LoRA(r=2, alpha=4.0), "last-block": LastBlock()}


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    return encoder_in(tmp_path_factory.mktemp("encoder"))


def tuned(folder, net, policy, **more):
    run(folder, TextFineTune(net=net, data="reviews", policy=policy, recipe=RECIPE), data="reviews", **more)
    (found,) = (folder / "records").iterdir()
    return load(found)


@pytest.fixture(scope="module")
def made(net, tmp_path_factory):
    return {name: tuned(tmp_path_factory.mktemp(name), net, policy) for name, policy in POLICIES.items()}


def network(record):
    return PROCEDURES["text-finetune"].network(record, None, None)


@pytest.mark.parametrize("name", POLICIES)
def test_the_network_comes_back_with_the_logits_of_the_record(made, net, name):
    record, encoder = made[name], load_encoder(net.files)
    feed = encoder.feed(DATA["reviews"].test, 128)
    with torch.no_grad():
        logits = network(record)(**feed.batch(torch.arange(len(feed)))).logits.numpy()
    table = record.table("predictions")
    np.testing.assert_allclose(
        np.stack([table["logit_0"], table["logit_1"]], 1), logits, rtol=1e-4, atol=1e-5
    )


class KilledError(BaseException):
    """A process that dies in the middle."""


@pytest.mark.parametrize("name", ["all", "lora"])
def test_killed_in_the_middle_it_goes_on_bit_for_bit(made, net, name, tmp_path, monkeypatch):
    monkeypatch.setattr(_fits, "CHECKPOINT_SECONDS", 0.0)
    policy = POLICIES.get(name, AllLayers())
    whole = made[name] if name in made else tuned(tmp_path / "whole", net, policy)
    shares = []

    def kill(event):
        if event["event"] == "progress":
            shares.append(event)
            if len(shares) == 2:
                raise KilledError

    with pytest.raises(KilledError):
        tuned(tmp_path / "killed", net, policy, on_event=kill)
    assert list((tmp_path / "killed" / "work").rglob("*.safetensors"))
    before = len(shares)
    again = tuned(tmp_path / "killed", net, policy, on_event=shares.append)
    assert len(shares) > before
    assert again.manifest["tables"] == whole.manifest["tables"]
    for file in ("weights.safetensors", "facts.json", "spec.json"):
        assert again.manifest["files"][file] == whole.manifest["files"][file]


def test_what_a_record_did_not_train_is_the_encoders(made, net):
    encoder = load_encoder(net.files).transformer.state_dict()
    held = {name: load_file(made[name].folder / "weights.safetensors") for name in POLICIES}
    for name, value in encoder.items():
        assert torch.equal(held["last-block"][f"distilbert.{name}"], value) == ("layer.1." not in name), name
        place = name.replace("q_lin.", "q_lin.base_layer.").replace("v_lin.", "v_lin.base_layer.")
        assert torch.equal(held["lora"][f"base_model.model.distilbert.{place}"], value), name
    for record in made.values():
        frozen = record.facts["frozen"]
        assert frozen["tensors"] == frozen["unchanged"] > 0


def test_scores_are_those_of_scikit_learn_on_both_parts(made):
    found = Results(made["last-block"], PROCEDURES["text-finetune"])
    for table, fact in (("predictions", "test"), ("validation", "validation")):
        rows = found.table(table)
        expected = precision_recall_fscore_support(
            rows["label"], rows["prediction"], average="macro", labels=[0, 1], zero_division=0
        )
        for name, value in zip(("precision_macro", "recall_macro", "f1_macro"), expected[:3], strict=True):
            assert found.facts[fact][name] == pytest.approx(value), name
    measures = found.kind.measures
    assert measures["macro precision"].value(found) == pytest.approx(found.facts["test"]["precision_macro"])
    assert measures["macro recall"].value(found) == pytest.approx(found.facts["test"]["recall_macro"])
    kept = found.table("epochs")["validation_accuracy"][found.facts["best_epoch"] - 1]
    assert found.facts["validation"]["accuracy"] == pytest.approx(kept)


def test_padding_is_counted_by_hand(made, net):
    feed = load_encoder(net.files).feed(DATA["reviews"].train, 128)
    batches = [feed.batch(one)["attention_mask"] for one in feed.order(0, 1, 16).split(16)]
    padding = 1 - sum(int(one.sum()) for one in batches) / sum(one.numel() for one in batches)
    assert made["lora"].facts["padding"] == pytest.approx(padding)
    whole = load_encoder(net.files).tokenizer.encode(DATA["reviews"].test.texts, 1000)
    assert made["lora"].facts["cut_off"]["test"] == int((whole.lengths > 12).sum()) > 0


def test_all_policies_start_with_the_same_head(net):
    from gradlab.procedures.text_finetune import start_of

    encoder = load_encoder(net.files)
    heads = [
        dict(start_of(policy, encoder, ("a", "b"), 7).named_parameters())[name]
        for policy, name in (
            (HeadOnly(), "classifier.weight"),
            (FromScratch(), "classifier.weight"),
            (LoRA(), "base_model.model.classifier.modules_to_save.default.weight"),
        )
    ]
    assert torch.equal(heads[0], heads[1])
    assert torch.equal(heads[0], heads[2])
