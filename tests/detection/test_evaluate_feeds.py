"""Detectors on texts against numbers by hand, on a classifier of texts with fresh weights; and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from gradlab.data import TextSplit
from gradlab.detection import KNN, ODIN, Energy, MaxSoftmax, Tuned, energy, evaluate_feeds
from gradlab.language import build_encoder, head_modules, text_classifier
from gradlab.metrics import auroc
from gradlab.transfer import LoRA, add_lora
from gradlab.types import UserError
from tests.language.examples import TINY, WORDS, split, tokenizer

ENCODER = build_encoder(replace(TINY, initial_std=0.3), tokenizer(), seed=3)
FOREIGN = TextSplit(
    tuple(f"maps {'dust ' * (n % 5)}{WORDS[n % 14]}" for n in range(20)), torch.arange(20) % 2, "test"
)
FEEDS = {
    role: ENCODER.feed(split(60 if role == "train" else 30, n, role), 16)
    for n, role in enumerate(("train", "test"))
}
OUT = {"dust": ENCODER.feed(FOREIGN, 16)}


@pytest.fixture(params=["plain", "lora"])
def model(request):
    made = text_classifier(ENCODER, ("bad", "good"), seed=0)
    if request.param == "plain":
        return made
    pytest.importorskip("peft")
    return add_lora(made, LoRA(r=2), seed=0, head=head_modules(made), task="SEQ_CLS")


def read(model, feed):
    """Logits, and what goes into the last layer, text by text."""
    base = getattr(model, "base_model", model)
    base = getattr(base, "model", base) if hasattr(model, "peft_config") else model
    kept, logits = [], []
    model.eval()
    for row in range(len(feed)):
        inputs = feed.batch(torch.tensor([row]))
        with torch.no_grad():
            logits.append(model(**inputs).logits)
            hidden = base.distilbert(**inputs).last_hidden_state[:, 0]
            kept.append(torch.relu(base.pre_classifier(hidden)))
    return torch.cat(logits), torch.cat(kept)


def test_scores_of_texts_are_those_of_the_same_functions_on_logits_and_features(model):
    table = evaluate_feeds(model, FEEDS, OUT, (Energy(), KNN(k=3)))
    (inside, near), (outside, far), (_, train) = (
        read(model, one) for one in (FEEDS["test"], OUT["dust"], FEEDS["train"])
    )
    row = table["energy", "dust"]
    assert (row.known, row.foreign) == (30, 20)
    assert row.auroc == pytest.approx(auroc(energy(inside), energy(outside)), abs=2e-3)
    assert row.low < row.auroc < row.high
    rows = [one.numpy() / np.linalg.norm(one.numpy(), axis=1, keepdims=True) for one in (train, near, far)]
    thirds = [np.sort(cdist(one, rows[0]), 1)[:, 2] for one in rows[1:]]
    assert table["knn", "dust"].auroc == pytest.approx(auroc(*thirds), abs=2e-3)
    right = inside.argmax(1) == FEEDS["test"].labels
    assert table.accuracy == pytest.approx(float(right.double().mean()))


def test_what_reads_images_and_feeds_that_are_not_there_are_refused(model):
    for detector, words in (
        (ODIN(), "odin reads images"),
        (Tuned(among=(KNN(k=1), KNN(k=2))), "is tuned on images"),
    ):
        with pytest.raises(UserError, match=f"{words}, and these samples are none; take"):
            evaluate_feeds(model, FEEDS, OUT, (detector,))
    for inside, outside in (({"train": FEEDS["train"]}, OUT), (FEEDS, {})):
        with pytest.raises(UserError, match=r"in_distribution\['test'\], at least one foreign feed"):
            evaluate_feeds(model, inside, outside, (MaxSoftmax(),))
    with pytest.raises(UserError, match=r"knn needs features of training images"):
        evaluate_feeds(model, {"test": FEEDS["test"]}, OUT, (KNN(k=1),))


def test_what_is_no_feed_and_labels_that_the_network_does_not_know_are_refused():
    model = text_classifier(ENCODER, ("bad", "good"), seed=0)
    for inside, outside in (
        ([FEEDS["test"]], OUT),
        (FEEDS, [OUT["dust"]]),
        ({"test": FOREIGN}, OUT),
        (FEEDS, {"": OUT["dust"]}),
        (FEEDS, {"dust": ["some", "texts"]}),
    ):
        with pytest.raises(UserError, match=r"evaluate_feeds takes feeds .* TextEncoder\.feed"):
            evaluate_feeds(model, inside, outside, (Energy(),))
    more = TextSplit(FOREIGN.texts, FOREIGN.labels + 2, "test")
    with pytest.raises(UserError, match="the network has 2 outputs, and the labels go up to 3"):
        evaluate_feeds(model, {"test": ENCODER.feed(more, 16)}, OUT, (Energy(),))


def test_what_is_wrong_with_texts_and_outputs_is_said():
    short = TextSplit(("maps",) * 20, FOREIGN.labels, "test")
    sets = {"same": FEEDS["test"], "short": ENCODER.feed(short, 16)}
    said = " ".join(evaluate_feeds(Softmaxed(), FEEDS, sets, (Energy(),)).flags)
    assert "the network returns probabilities" in said
    assert "short: length of the texts alone" in said  # nearly all of the familiar ones are longer
    assert "same: " in said
    assert "of its texts are also among the in-distribution ones" in said
    assert "short: 0" not in said


class Softmaxed(torch.nn.Module):
    """A classifier with a softmax at its end."""

    def __init__(self):
        super().__init__()
        self.net = text_classifier(ENCODER, ("bad", "good"), seed=0)

    def forward(self, **inputs):
        return self.net(**inputs).logits.softmax(1)
