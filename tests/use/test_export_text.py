"""What is exported of fine-tuning on texts: plain transformers and peft give the logits of the record."""

import json
import warnings

import numpy as np
import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from gradlab.lab import load
from gradlab.procedures import TextFineTune, classifier_of
from gradlab.training import Recipe
from gradlab.transfer import LoRA
from gradlab.types import UserError
from gradlab.use import export_text
from tests.procedures.encoders import encoder_in
from tests.procedures.examples import DATA, run


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tuned")
    recipe = Recipe(epochs=2, batch_size=16, learning_rate=0.05)
    policy = LoRA(r=2, targets=("q_lin", "lin1"))
    procedure = TextFineTune(net=encoder_in(folder), data="reviews", policy=policy, recipe=recipe)
    run(folder, procedure, data="reviews")
    (record,) = (folder / "records").iterdir()
    return load(record)


@pytest.fixture(scope="module")
def place(made, tmp_path_factory):
    return export_text(made, tmp_path_factory.mktemp("exported") / "net")


def logits(model, place):
    words = AutoTokenizer.from_pretrained(place)
    inputs = words(list(DATA["reviews"].test.texts), padding=True, truncation=True, return_tensors="pt")
    with torch.no_grad():
        return model.eval()(**inputs).logits


def adapted(folder, onto):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return PeftModel.from_pretrained(onto, str(folder))


def test_plain_transformers_gives_the_logits_of_the_record(made, place):
    table = made.table("predictions")
    known = np.stack([table["logit_0"], table["logit_1"]], 1)
    merged = AutoModelForSequenceClassification.from_pretrained(place)
    np.testing.assert_allclose(logits(merged, place), known, rtol=1e-4, atol=1e-5)
    assert merged.config.id2label == {0: "good", 1: "bad"}


def test_plain_peft_gives_identical_logits_with_its_head(made, place):
    base = AutoModelForSequenceClassification.from_pretrained(place / "base")
    ours = classifier_of(made)[0]
    assert not torch.equal(logits(base, place), logits(ours, place))
    assert torch.equal(logits(adapted(place / "adapter", base), place), logits(ours, place))
    told = json.loads((place / "adapter" / "adapter_config.json").read_text())
    assert told["base_model_name_or_path"] == str(place / "base")


def test_nothing_is_overwritten_and_other_records_are_refused(made, place, tmp_path):
    with pytest.raises(UserError, match="already exists; give another name"):
        export_text(made, place)
    (tmp_path / "other").mkdir()
    with pytest.raises(UserError):
        export_text(tmp_path / "other", tmp_path / "out")
    assert not (tmp_path / "out").exists()
