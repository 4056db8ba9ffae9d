"""Texts through `fit`: against a plain loop, learning, same bits, exact resume, test texts refused."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from gradlab.language import token_feed
from gradlab.training import Recipe, fit, predict_logits
from gradlab.types import UserError
from tests.language.examples import TINY, split, tokenizer

TRAINED = tokenizer()
TRAIN, VALIDATION = (
    token_feed(split(count, seed, role), TRAINED, max_length=24)
    for count, seed, role in ((150, 3, "train"), (60, 4, "validation"))
)
RECIPE = Recipe(epochs=3, batch_size=16, learning_rate=3e-3, keep="last")


def train(net=TINY, recipe=RECIPE, seed=0, **settings):
    network = net.build(2, seed=seed, vocab=len(TRAINED))
    return fit(network, TRAIN, recipe, validation=VALIDATION, seed=seed, device="cpu", **settings)


def assert_same_bits(first, second):
    assert first.history == second.history
    theirs = second.model.state_dict()
    assert first.model.state_dict().keys() == theirs.keys()
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in first.model.state_dict().items())


@pytest.mark.parametrize("family", ["distilbert", "bert"])
def test_fit_is_a_plain_loop_over_padded_batches(family):
    net = replace(TINY, family=family, dropout=0.0)
    trained = train(net)
    network = net.build(2, seed=0, vocab=len(TRAINED)).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    losses = []
    for epoch in (1, 2, 3):
        total = 0.0
        for batch in TRAIN.order(0, epoch, 16).split(16):
            loss = functional.cross_entropy(network(**TRAIN.tokens.batch(batch)), TRAIN.labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        losses.append(total / len(TRAIN))
    assert [row["train_loss"] for row in trained.history] == pytest.approx(losses, rel=1e-5)
    mine, theirs = dict(trained.model.named_parameters()), dict(network.named_parameters())
    for name in mine.keys() - {name for name in mine if "k_lin.bias" in name or "key.bias" in name}:
        # 30 steps of Adam carry rounding of the sums; a key's bias has no gradient but rounding (softmax is blind to it)
        assert torch.allclose(mine[name], theirs[name], rtol=0, atol=2e-4), name


def test_it_learns_which_word_decides():
    trained = train(recipe=replace(RECIPE, epochs=12))
    before, after = trained.history[0], trained.history[-1]
    assert before["validation_accuracy"] < 0.8
    assert after["validation_accuracy"] > 0.95
    test = token_feed(split(100, seed=5, role="test"), TRAINED, max_length=24)
    assert (predict_logits(trained.model, test).argmax(1) == test.labels).double().mean() > 0.9


def test_validation_is_that_of_the_predictions():
    trained = train()
    logits = predict_logits(trained.model, VALIDATION)
    row = trained.history[-1]
    assert row["validation_loss"] == pytest.approx(
        functional.cross_entropy(logits.double(), VALIDATION.labels).item(), rel=1e-5
    )
    assert row["validation_accuracy"] == (logits.argmax(1) == VALIDATION.labels).double().mean().item()


def test_the_same_seed_gives_the_same_bits_and_another_others():
    before = torch.random.get_rng_state()
    first = train()
    assert_same_bits(first, train())
    assert torch.equal(before, torch.random.get_rng_state())
    assert first.history[-1]["train_loss"] != train(seed=1).history[-1]["train_loss"]


@pytest.mark.parametrize("family", ["distilbert", "bert"])
def test_a_resumed_training_is_the_uninterrupted_one(family, tmp_path):
    net = replace(TINY, family=family)
    paused = train(net, checkpoint=tmp_path / "c", pause_after=1)
    assert (paused.status, paused.epochs) == ("paused", 1)
    assert_same_bits(train(net, checkpoint=tmp_path / "c"), train(net))


def test_a_checkpoint_of_other_texts_is_refused(tmp_path):
    train(checkpoint=tmp_path / "c", pause_after=1)
    other = token_feed(split(150, seed=9), TRAINED, max_length=24)
    network = TINY.build(2, seed=0, vocab=len(TRAINED))
    with pytest.raises(UserError, match="belongs to another training"):
        fit(network, other, RECIPE, validation=VALIDATION, device="cpu", checkpoint=tmp_path / "c")


@pytest.mark.parametrize("part", ["data", "validation"])
def test_test_texts_neither_train_nor_select(part):
    test = token_feed(split(30, role="test"), TRAINED, max_length=24)
    network = TINY.build(2, seed=0, vocab=len(TRAINED))
    feeds = {"data": TRAIN, "validation": VALIDATION} | {part: test}
    with pytest.raises(UserError, match="fit trains and selects on train and validation only, got the test"):
        fit(network, feeds["data"], RECIPE, validation=feeds["validation"], device="cpu")


def test_a_network_for_shorter_texts_is_refused_at_the_door():
    network = replace(TINY, max_length=10).build(2, seed=0, vocab=len(TRAINED))
    with pytest.raises(UserError, match="at most 10 tokens of a text, got"):
        fit(network, TRAIN, RECIPE, validation=VALIDATION, device="cpu")
