"""Masked-language training against transformers' own model and loss, and through `fit`: it learns, resumes, and repeats."""

import pytest
import torch
from torch.nn import functional
from transformers import BertConfig, BertForMaskedLM

from gradlab.language import MaskedLanguage, MaskedLanguageModel, build_encoder, mask_tokens
from gradlab.training import Recipe, fit
from gradlab.training.objective import Batch
from tests.language.examples import TINY, split, tokenizer

RECIPE = Recipe(epochs=3, batch_size=16, learning_rate=5e-3)


@pytest.fixture(scope="module")
def words():
    return tokenizer()


def model(words, family="bert", **changes):
    from dataclasses import replace

    config = replace(TINY, family=family, dropout=0.0, **changes)
    return MaskedLanguageModel(build_encoder(config, words, seed=0), seed=0)


def objective(words):
    return MaskedLanguage(words.special_ids, len(words))


def test_the_logits_are_those_of_berts_own_head(words):
    """The same weights in `BertForMaskedLM`: the head of this file is that one."""
    mine = model(words, initial_std=0.3).eval()
    config = BertConfig(**{**mine.encoder.facts(), "tie_word_embeddings": True})
    theirs = BertForMaskedLM(config).eval()
    theirs.bert.load_state_dict(mine.encoder.transformer.state_dict(), strict=False)
    head = theirs.cls.predictions
    head.transform.dense.load_state_dict(mine.transform.state_dict())
    with torch.no_grad():
        mine.bias.normal_(generator=torch.Generator().manual_seed(0))
        mine.norm.weight.uniform_(0.5, 1.5, generator=torch.Generator().manual_seed(1))
        head.transform.LayerNorm.weight.copy_(mine.norm.weight)
        head.decoder.weight.copy_(mine.encoder.transformer.get_input_embeddings().weight)
        head.bias.copy_(mine.bias)
        head.decoder.bias.copy_(mine.bias)
        inputs = mine.encoder.feed(split(9), 24).batch(torch.arange(9))
        places = torch.tensor([[1, 0]]).expand(9, 2)
        all_logits = theirs(**inputs).logits
        found = mine(**inputs, places=places).view(9, 2, -1)
    # eps of the norms differ: 1e-12 there, 1e-5 here
    assert torch.allclose(found, all_logits[:, [1, 0]], rtol=0, atol=2e-3)
    assert found.abs().max() > 1
    assert torch.equal(mine(**inputs), mine(**inputs, places=places[:, 1:]))


class Plain:
    """Stands for the network in training."""

    def __init__(self, network):
        self.network = network

    def __call__(self, inputs):
        return self.network(**{name: one[0] for name, one in inputs.items()})[None]


def test_training_loss_is_the_mean_over_masked_tokens_and_validation_over_texts(words):
    network, feed = model(words).eval(), model(words).encoder.feed(split(20), 24)
    inputs = {name: one[None] for name, one in feed.batch(torch.arange(20)).items()}
    batch = Batch(inputs, torch.zeros(1, 20, dtype=torch.int64), (7,), 3)
    sums, counts = {}, {}
    for stream in ("masks", "validation masks"):
        ids, mask = (inputs[name][0] for name in ("input_ids", "attention_mask"))
        made = mask_tokens(ids, mask, words.special_ids, len(words), batch.generators(stream)[0])
        with torch.no_grad():
            hidden = network.encoder(made.ids, mask)
            ready = network.norm(functional.gelu(network.transform(hidden)))
            logits = ready @ network.encoder.transformer.get_input_embeddings().weight.T + network.bias
        losses = [
            [
                float(-logits[row, place].detach().log_softmax(-1)[ids[row, place]])
                for place in made.places[row, :count]
            ]
            for row, count in enumerate(made.counts.tolist())
        ]
        sums[stream], counts[stream] = losses, made.counts
    flat = [one for row in sums["masks"] for one in row]
    loss, _ = objective(words)(Plain(network), batch)
    assert loss.item() == pytest.approx(sum(flat) / len(flat), rel=1e-5)
    with torch.no_grad():
        told = objective(words).validate(Plain(network), batch)["loss"][0]
    means = [sum(row) / max(1, len(row)) for row in sums["validation masks"]]
    assert told.tolist() == pytest.approx(means, rel=1e-5)


def trained(words, checkpoint=None, pause=None):
    network = model(words, "distilbert")
    train, validation = (
        network.encoder.feed(split(96, seed, role), 24) for seed, role in ((0, "train"), (1, "validation"))
    )
    return fit(
        network, train, RECIPE, validation=validation, objective=objective(words), seed=2, progress=False,
        checkpoint=checkpoint, pause_after=pause,
    )  # fmt: skip


@pytest.fixture(scope="module")
def done(words):
    return trained(words)


def test_guessing_gets_better_and_the_validation_masks_stay(done, words):
    losses = [row["validation_loss"] for row in done.history]
    assert losses[-1] < losses[0] - 0.2
    assert losses[-1] < torch.tensor(float(len(words))).log()  # better than any token being as likely
    assert 0 < done.history[-1]["validation_accuracy"] < 1


def test_a_training_killed_between_epochs_ends_with_the_same_bits(done, words, tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    trained(words, path, pause=1)
    again = trained(words, path)
    assert again.history == done.history
    states = done.model.state_dict()
    assert all(torch.equal(value, states[name]) for name, value in again.model.state_dict().items())


def test_embeddings_and_output_weights_are_one_tensor_after_training(done):
    names = [name for name, _ in done.model.named_parameters()]
    assert sum("word_embeddings" in name for name in names) == 1
    assert not any("decoder" in name for name in names)
