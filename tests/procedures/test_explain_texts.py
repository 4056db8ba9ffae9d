"""Explained texts as a procedure: values are the change of the logit, computed anew, and the figure has what the tables say."""

import math
from types import SimpleNamespace

import pytest
import torch
from scipy.stats import spearmanr

from gradlab.explain import randomise
from gradlab.lab import load
from gradlab.lab.designing.shown import Figure
from gradlab.lab.judging.results import Results
from gradlab.lab.judging.texts import draw_texts
from gradlab.procedures import PROCEDURES, ExplainTexts, TextFineTune, classifier_of
from gradlab.procedures.divided_texts import divided, likeness
from gradlab.training import Recipe
from gradlab.transfer import LoRA
from tests.procedures.encoders import encoder_in
from tests.procedures.examples import DATA, run

pytest.importorskip("peft")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The record of the explained texts, and that of the classifier."""
    folder = tmp_path_factory.mktemp("texts")
    recipe = Recipe(epochs=3, batch_size=16, learning_rate=0.02)
    net = TextFineTune(net=encoder_in(folder), data="reviews", policy=LoRA(r=2, dropout=0.0), recipe=recipe)
    run(folder, ExplainTexts(net=net, data="reviews", texts=4, steps=64), data="reviews")
    by_kind = {one.spec["procedure"]["kind"]: one for one in map(load, (folder / "records").iterdir())}
    return by_kind["explain-texts"], by_kind["text-finetune"]


def test_the_words_of_a_text_add_up_to_what_its_logit_has_over_that_of_masks(made):
    explained, classifier = made
    model, tokenizer = classifier_of(classifier)
    texts, words, seen = (explained.table(name) for name in ("texts", "words", "predictions"))
    assert len(texts["index"]) == 4
    for place, row in enumerate(texts["index"]):
        text = DATA["reviews"].test.texts[row]
        assert texts["text"][place] == text
        inputs = tokenizer.encode([text], 12).batch(torch.tensor([0]))
        masked = inputs["input_ids"].clone()
        masked[0, 1:-1] = tokenizer.numbers["[MASK]"]
        with torch.no_grad():
            own, bare = (
                model(**(inputs | {"input_ids": one})).logits[0] for one in (inputs["input_ids"], masked)
            )
        chosen = int(own.argmax())
        assert seen["prediction"][place] == chosen
        assert seen["label"][place] == DATA["reviews"].test.labels[row]
        change = float(own[chosen] - bare[chosen])
        assert texts["change"][place] == pytest.approx(change, abs=1e-5)
        own_words = words["index"] == row
        total = words["value"][own_words].sum()
        assert total == pytest.approx(texts["change"][place] + texts["gap"][place], abs=1e-6)
        assert total == pytest.approx(change, abs=5e-3)  # by so many points
        spans = zip(words["start"][own_words], words["end"][own_words], strict=True)
        assert " ".join(text[start:end] for start, end in spans) == text[: words["end"][own_words].max()]


def test_the_check_with_random_weights_is_spearmans_over_the_same_words(made):
    explained, classifier = made
    model, tokenizer = classifier_of(classifier)
    texts, words = explained.table("texts"), explained.table("words")
    randomise(model, 0)
    for place, row in enumerate(texts["index"]):
        chosen = int(explained.table("predictions")["prediction"][place])
        random = divided(model, tokenizer, DATA["reviews"].test.texts[row], 12, 64, chosen)
        own = words["value"][words["index"] == row]
        expected = spearmanr(abs(own), [abs(one) for one in random.values]).statistic
        assert texts["similarity"][place] == pytest.approx(expected, abs=1e-6)
    measure = PROCEDURES["explain-texts"].measures["similarity of words with random weights"]
    assert measure.value(Results(explained, PROCEDURES["explain-texts"])) == pytest.approx(
        texts["similarity"].mean()
    )
    assert math.isnan(likeness([1.0, 2.0], [2.0, 1.0]))


def test_the_figure_has_the_texts_of_the_table(made):
    run_ = Results(made[0], PROCEDURES["explain-texts"])
    figure = Figure(name="w", title="t", caption="c", mark="texts", table="texts", count=2)
    arms = [SimpleNamespace(name="words", label="all layers")]
    drawn = draw_texts(figure, arms, SimpleNamespace(arms={"words": [run_]}))
    assert [one["text"] for one in drawn["items"]] == made[0].table("texts")["text"][[1, 3]].tolist()
    for item in drawn["items"]:
        assert item["label"] in ("good", "bad")
        assert item["prediction"] in ("good", "bad")
        assert [item["text"][start:end] for start, end, _ in item["words"]][1:3] == ["film", "number"]
    twice = draw_texts(
        figure,
        [*arms, SimpleNamespace(name="b", label="head")],
        SimpleNamespace(arms={"words": [run_], "b": [run_]}),
    )
    assert [one["note"] for one in twice["items"]] == ["all layers", "all layers", "head", "head"]
