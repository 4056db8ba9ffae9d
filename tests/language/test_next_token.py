"""Next-token training against a plain loop over transformers' own model, and through `fit`: it learns and resumes."""

from dataclasses import replace

import pytest
import torch

from gradlab.language import NextToken, NextTokenModel, build_encoder
from gradlab.language.next_token import ask
from gradlab.language.transformer import TextTransformer
from gradlab.training import Recipe, fit
from gradlab.training.objective import Batch
from gradlab.types import UserError
from tests.language.examples import TINY, split, tokenizer

RECIPE = Recipe(epochs=3, batch_size=16, learning_rate=5e-3)
TOWER = replace(TINY, family="clip", dropout=0.0)


@pytest.fixture(scope="module")
def words():
    return tokenizer()


def model(words, **changes):
    return NextTokenModel(build_encoder(replace(TOWER, **changes), words, seed=0))


class Plain:
    """Stands for the network in training."""

    def __init__(self, network):
        self.network = network

    def __call__(self, inputs):
        return self.network(**{name: one[0] for name, one in inputs.items()})[None]


def test_what_is_asked_are_next_tokens_and_at_the_last_place_the_words():
    ids = torch.tensor([[2, 10, 11, 12, 3], [2, 13, 3, 0, 0]])
    mask = (ids > 0).long()
    asked = ask(ids, mask, torch.Generator().manual_seed(0), share=1.0)
    assert asked.places.tolist() == [[0, 1, 2, 3, 4], [0, 1, 2, 3, 2]]
    assert asked.targets.tolist() == [[10, 11, 12, 3], [13, 3, 0, 0]]
    assert asked.meant.tolist() == [[1, 1, 1, 1], [1, 1, 0, 0]]
    assert (ids * asked.words).tolist() == [[0, 10, 11, 12, 0], [0, 13, 0, 0, 0]]
    drawn = {tuple(ask(ids, mask, torch.Generator().manual_seed(n)).places[0].tolist()) for n in range(20)}
    assert drawn == {(column, 4) for column in range(4)}  # a quarter of four columns


def test_a_token_knows_nothing_of_those_after_it(words):
    network = model(words, initial_std=0.3).eval()
    ids = network.encoder.feed(split(1), 24).batch(torch.tensor([0]))
    before = network.encoder(**ids)
    ids["input_ids"][0, -1] += 1
    after = network.encoder(**ids)
    assert torch.equal(before[:, :-1], after[:, :-1])
    assert not torch.equal(before[:, -1], after[:, -1])


def test_losses_are_those_of_a_plain_loop(words):
    network = model(words, initial_std=0.3).eval()
    feed = network.encoder.feed(split(20), 24)
    inputs = {name: one[None] for name, one in feed.batch(torch.arange(20)).items()}
    batch = Batch(inputs, torch.zeros(1, 20, dtype=torch.int64), (7,), 3)
    ids, mask = (inputs[name][0] for name in ("input_ids", "attention_mask"))
    with torch.no_grad():
        table = network.encoder.transformer.get_input_embeddings().weight
        logits = network.encoder.transformer(input_ids=ids, attention_mask=mask).last_hidden_state @ table.T
        told = NextToken().validate(Plain(network), batch)
        loss, _ = NextToken()(Plain(network), batch)
    names = logits.log_softmax(-1)
    for stream, found in (("places", loss), ("validation places", told["loss"][0])):
        columns = ask(ids, mask, batch.generators(stream)[0]).places[0, :-1].tolist()
        after, ends, right = [], [], []
        for row, length in enumerate(mask.sum(1).tolist()):
            own = [place for place in columns if place < length - 1]
            after.append([-float(names[row, place, ids[row, place + 1]]) for place in own])
            right.append([int(names[row, place].argmax()) == int(ids[row, place + 1]) for place in own])
            inner = [-float(names[row, length - 1, ids[row, place]]) for place in range(1, length - 1)]
            ends.append(sum(inner) / len(inner))
        if stream == "places":
            flat = [one for row in after for one in row]
            assert found.item() == pytest.approx(sum(flat) / len(flat) + sum(ends) / 20, rel=1e-5)
        else:
            means = [sum(row) / max(1, len(row)) + end for row, end in zip(after, ends, strict=True)]
            assert found.tolist() == pytest.approx(means, rel=1e-5)
            shares = [sum(row) / max(1, len(row)) for row in right]
            assert told["accuracy"][0].tolist() == pytest.approx(shares)


def trained(words, checkpoint=None, pause=None):
    network = model(words)
    train, validation = (
        network.encoder.feed(split(96, seed, role), 24) for seed, role in ((0, "train"), (1, "validation"))
    )
    return fit(
        network, train, RECIPE, validation=validation, objective=NextToken(), seed=2, progress=False,
        checkpoint=checkpoint, pause_after=pause,
    )  # fmt: skip


def test_it_learns_and_goes_on_to_the_same_bits_where_it_was_killed(words, tmp_path):
    done = trained(words)
    losses = [row["validation_loss"] for row in done.history]
    assert losses[-1] < losses[0] - 0.2
    assert losses[-1] < 2 * torch.tensor(float(len(words))).log()  # better than any token being as likely
    path = tmp_path / "checkpoint.safetensors"
    trained(words, path, pause=1)
    again = trained(words, path)
    assert again.history == done.history
    states = done.model.state_dict()
    assert all(torch.equal(value, states[name]) for name, value in again.model.state_dict().items())


def test_a_tower_is_no_classifier_of_texts():
    with pytest.raises(UserError, match="has no head for classes of texts; choose the family distilbert"):
        TextTransformer(family="clip").build(2, seed=0, vocab=20)
