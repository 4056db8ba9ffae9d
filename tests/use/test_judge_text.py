"""A published classifier, judged as it is: scikit-learn's numbers, its own names of the classes, and what is refused."""

import numpy as np
import pytest
import torch
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from gradlab.data import from_texts
from gradlab.language import TextTransformer, WordPiece, build_encoder, save_classifier, text_classifier
from gradlab.types import UserError
from gradlab.use import judge_text
from tests.procedures.examples import DATA

REVIEWS = DATA["reviews"]  # whose classes are good, bad


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A classifier that names its outputs the other way round, and in capitals."""
    words = WordPiece(vocab_size=60).train(REVIEWS)
    shape = TextTransformer(dim=8, layers=1, heads=2, hidden_dim=16, max_length=32, initial_std=0.8)
    model = text_classifier(build_encoder(shape, words, seed=5), ("BAD", "GOOD"), seed=1)
    place = tmp_path_factory.mktemp("published") / "net"
    save_classifier(model, words, place, max_length=32)
    return place


def test_its_scores_are_those_of_scikit_learn_on_what_transformers_predicts(folder):
    found = judge_text(folder, REVIEWS, device="cpu")
    model, words = (
        AutoModelForSequenceClassification.from_pretrained(folder).eval(),
        AutoTokenizer.from_pretrained(folder),
    )
    for role in ("validation", "test"):
        split = REVIEWS.splits[role]
        inputs = words(list(split.texts), padding=True, truncation=True, return_tensors="pt")
        with torch.no_grad():
            predicted = 1 - model(**inputs).logits.argmax(1).numpy()  # its output 0 is bad, which is class 1
        labels = split.labels.numpy()
        assert found[role]["accuracy"] == pytest.approx((predicted == labels).mean())
        np.testing.assert_array_equal(
            found[role]["confusion"], confusion_matrix(labels, predicted, labels=[0, 1])
        )
        expected = precision_recall_fscore_support(
            labels, predicted, average="macro", labels=[0, 1], zero_division=0
        )
        names = ("precision_macro", "recall_macro", "f1_macro")
        assert [found[role][name] for name in names] == pytest.approx(list(expected[:3]))


def test_texts_that_are_cut_off_are_counted(folder):
    assert judge_text(folder, REVIEWS, device="cpu", max_length=4)["test"]["cut_off"] == len(REVIEWS.test)


def test_other_classes_are_refused(folder):
    animals = from_texts(["a", "b"] * 20, [0, 1] * 20, name="animals", class_names=("cat", "dog"))
    with pytest.raises(UserError, match="names bad, good, the data cat, dog; give one for these classes"):
        judge_text(folder, animals, device="cpu")
