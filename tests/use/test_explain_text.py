"""Words of texts explained: those that decide, complete sums, drawings that escape, and the check with random weights."""

import re

import pytest
import torch

from gradlab.lab import load
from gradlab.language import build_encoder, save_classifier, text_classifier, words_of
from gradlab.procedures import TextFineTune, classifier_of
from gradlab.training import Recipe
from gradlab.transfer import LoRA
from gradlab.types import UserError
from gradlab.use import explain_text, export_text
from tests.language.examples import TINY, tokenizer
from tests.procedures.encoders import encoder_in
from tests.procedures.examples import NET, run

TEXTS = ("good film number 7 & <more>", "awful film number 8", "film")


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    """Reviews of which one of six words decides, learned by LoRA."""
    pytest.importorskip("peft")
    folder = tmp_path_factory.mktemp("explained")
    recipe = Recipe(epochs=12, batch_size=8, learning_rate=0.05)
    procedure = TextFineTune(
        net=encoder_in(folder), data="reviews", policy=LoRA(r=4, dropout=0.0), recipe=recipe
    )
    run(folder, procedure, data="reviews")
    (one,) = (folder / "records").iterdir()
    return load(one)


@pytest.fixture(scope="module")
def found(record):
    return explain_text(record, TEXTS)


def test_the_values_of_words_are_complete_and_those_that_decide_are_largest(found, record):
    model, words = classifier_of(record)
    for row in found.rows:
        inputs = words.encode([row.text], 12).batch(torch.tensor([0]))
        without = inputs["input_ids"].clone()
        without[0, 1:-1] = words.numbers["[MASK]"]
        with torch.no_grad():
            own, bare = (
                model(**(inputs | {"input_ids": ids})).logits[0] for ids in (inputs["input_ids"], without)
            )
        chosen = int(own.argmax())
        assert row.prediction == ("good", "bad")[chosen]
        assert row.probability == pytest.approx(float(own.softmax(0)[chosen]), abs=1e-5)
        assert sum(row.values) == pytest.approx(float(own[chosen] - bare[chosen]), abs=5e-3)
        assert row.gap == pytest.approx(0, abs=5e-3)
        assert row.words == words_of(words, row.text, 12)
    for row, sign in zip(found.rows, ("good", "awful"), strict=False):
        told = dict(zip((one.text for one in row.words), row.values, strict=True))
        assert max(told, key=lambda word: abs(told[word])) == sign


def test_it_is_drawn_without_scripts_and_with_the_text_as_written(found, tmp_path):
    page = found.save(tmp_path / "words.html").read_text()
    assert "<script" not in page
    assert "number 7 &amp; &lt;more&gt;" in re.sub("<span[^>]*>|</span>", "", page)
    assert page.count("<p><b>") == len(TEXTS)
    assert str(found).splitlines()[0].startswith(f"{found.rows[0].prediction} ")
    for row in found.rows:
        assert all(
            f"{one.text} ({value:+.2f})" in str(found)
            for one, value in zip(row.words, row.values, strict=True)
        )
    assert f"randomised weights: {found.randomised:.2f}" in page


def test_random_weights_give_other_words_and_the_network_is_left_as_it_was(found, record, tmp_path):
    assert found.randomised is not None
    assert abs(found.randomised) < 0.9
    folder = export_text(record, tmp_path / "net")
    again = explain_text(folder, TEXTS)  # merged, read by plain transformers
    for one, other in zip(found.rows, again.rows, strict=True):
        assert one.prediction == other.prediction
        assert one.values == pytest.approx(other.values, abs=1e-3)
    assert explain_text(folder, ["film"]).randomised is None  # one word has no order


def test_few_steps_are_said_and_other_kinds_are_refused(record, tmp_path):
    encoder = build_encoder(TINY, tokenizer(), seed=3)
    model = text_classifier(encoder, ("a", "b"), seed=0)
    with torch.no_grad():
        for one in model.parameters():
            one.mul_(6)
    save_classifier(model, tokenizer(), tmp_path / "wild", max_length=24)
    assert "of 1 texts are not complete; take more steps" in str(
        explain_text(tmp_path / "wild", ["splendid rain and maps"], steps=1)
    )
    with pytest.raises(UserError, match="at least one text"):
        explain_text(record, "one text")
    run(tmp_path / "runs", NET)
    other = next((tmp_path / "runs" / "records").iterdir())
    with pytest.raises(UserError, match="is of kind 'train'; give a run of text-finetune"):
        explain_text(load(other), ["a"])
