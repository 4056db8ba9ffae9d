"""Small texts whose class a network can learn: one of two words decides."""

import random

import torch

from gradlab.data import TextSplit
from gradlab.language import TextTransformer, WordPiece

WORDS = (
    "the",
    "film",
    "a",
    "plot",
    "with",
    "some",
    "very",
    "long",
    "scenes",
    "and",
    "rain",
    "trains",
    "dust",
    "maps",
)
SIGNS = ("dreadful", "splendid")
TINY = TextTransformer(dim=16, layers=2, heads=2, hidden_dim=32, max_length=24)


def texts_and_labels(count, seed=0):
    """Texts of 1 to 13 words with "dreadful" (0) or "splendid" (1) somewhere in them."""
    draw = random.Random(seed)
    texts, labels = [], []
    for _ in range(count):
        label = draw.randrange(2)
        words = draw.choices(WORDS, k=draw.randrange(0, 13))
        words.insert(draw.randrange(len(words) + 1), SIGNS[label])
        texts.append(" ".join(words))
        labels.append(label)
    return texts, labels


def split(count=120, seed=0, role="train"):
    texts, labels = texts_and_labels(count, seed)
    return TextSplit(tuple(texts), torch.tensor(labels), role)


def tokenizer():
    return WordPiece(vocab_size=200).train(texts_and_labels(200)[0])
