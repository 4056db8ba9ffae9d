"""A feed of another kind: tokens, padded to the longest of a batch, through the same `fit`."""

import hashlib
from dataclasses import dataclass, field

import pytest
import torch
from torch import nn

from gradlab.data import order
from gradlab.data.splits import Origin
from gradlab.training import Feed, Recipe, fit, fit_stacked, predict_logits, time_steps

from .examples import assert_states_equal, blobs

RECIPE = Recipe(epochs=3, batch_size=8, learning_rate=0.05)
PAD, WORDS = 0, 12


@dataclass
class TokenFeed:
    """Sentences of different length; the label says whether the first half of the words is among them more often."""

    sentences: list
    labels: torch.Tensor
    role: str = "train"
    origin: Origin = field(default_factory=lambda: Origin("words", "train"))

    def __len__(self):
        return len(self.sentences)

    def digest(self):
        return hashlib.sha256(repr(self.sentences).encode()).hexdigest()

    def order(self, seed, epoch, batch_size):
        """Shuffle; sort by length within two batches; the pieces are what training cuts."""
        shuffled = order(len(self), seed=seed, epoch=epoch).tolist()
        pieces = [shuffled[at : at + 2 * batch_size] for at in range(0, len(shuffled), 2 * batch_size)]
        return torch.tensor(
            [i for piece in pieces for i in sorted(piece, key=lambda i: len(self.sentences[i]))]
        )

    def batch(self, indices):
        chosen = [self.sentences[i] for i in indices.flatten().tolist()]
        longest = max(map(len, chosen))
        ids = torch.tensor([[*one, *[PAD] * (longest - len(one))] for one in chosen])
        ids = ids.view(*indices.shape, longest)
        return {"input_ids": ids, "attention_mask": (ids != PAD).long()}

    def parts(self):
        """Longest first, as one would to save padding."""
        by_length = sorted(range(len(self)), key=lambda i: -len(self.sentences[i]))
        for piece in torch.tensor(by_length).split(7):
            yield piece, self.batch(piece)

    def to(self, _device, _dtype):
        return self


def tokens(count, seed, **more):
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(3, 9, (count,), generator=generator).tolist()
    sentences = [torch.randint(1, WORDS, (n,), generator=generator).tolist() for n in lengths]
    labels = torch.tensor([int(sum(word > 5 for word in one) > len(one) / 2) for one in sentences])
    return TokenFeed(sentences, labels, **more)


@dataclass
class Output:
    """As Hugging Face models answer."""

    logits: torch.Tensor


class Words(nn.Module):
    """Mean of embeddings over what is no padding."""

    def __init__(self):
        super().__init__()
        self.embedding, self.drop, self.head = nn.Embedding(WORDS, 6), nn.Dropout(0.1), nn.Linear(6, 2)
        generator = torch.Generator().manual_seed(0)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -0.5, 0.5, generator=generator)

    def forward(self, input_ids, attention_mask):
        assert input_ids.dim() == 2
        assert attention_mask.any(0).all()  # padded no further than the longest of the batch
        weight = attention_mask.unsqueeze(-1)
        mean = (self.embedding(input_ids) * weight).sum(1) / weight.sum(1)
        return Output(self.head(self.drop(mean)))


TRAIN, VALIDATION = tokens(90, 0), tokens(31, 1, role="validation")


def run(model=None, train=TRAIN, validation=VALIDATION, recipe=RECIPE, **more):
    return fit(model or Words(), train, recipe, validation=validation, seed=2, progress=False, **more)


def notebook():
    """The same by hand, without dropout."""
    model = Words().double()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for epoch in (1, 2, 3):
        for chosen in TRAIN.order(2, epoch, 8).split(8):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model.head(mean_of(model, chosen)), TRAIN.labels[chosen]).backward()
            optimizer.step()
    return model


def mean_of(model, chosen):
    rows = [model.embedding(torch.tensor(TRAIN.sentences[i])).mean(0) for i in chosen.tolist()]
    return torch.stack(rows)


def test_a_token_feed_trains_as_in_a_notebook():
    assert isinstance(TRAIN, Feed)
    model = Words()
    model.drop.p = 0.0
    trained = run(
        model, recipe=Recipe(epochs=3, batch_size=8, learning_rate=0.05, keep="last"), precision="fp64"
    )
    expected = notebook().state_dict()
    for name, value in trained.model.state_dict().items():
        torch.testing.assert_close(value, expected[name], rtol=1e-9, atol=1e-11)


def test_validation_and_predictions_put_parts_in_the_order_of_the_labels():
    trained = run(recipe=Recipe(epochs=2, batch_size=8, learning_rate=0.05, keep="last"))
    logits = predict_logits(trained.model, VALIDATION)
    one_by_one = torch.cat(
        [trained.model(**VALIDATION.batch(torch.tensor([i]))).logits for i in range(len(VALIDATION))]
    ).detach()
    torch.testing.assert_close(logits, one_by_one, rtol=1e-5, atol=1e-6)
    loss = nn.functional.cross_entropy(logits, VALIDATION.labels).item()
    assert trained.history[-1]["validation_loss"] == pytest.approx(loss, rel=1e-6)
    accuracy = (logits.argmax(1) == VALIDATION.labels).double().mean().item()
    assert trained.history[-1]["validation_accuracy"] == pytest.approx(accuracy)


def test_it_learns_is_probed_and_resumes_bit_for_bit(tmp_path):
    recipe = Recipe(epochs=12, batch_size=8, learning_rate=0.05)
    whole = run(recipe=recipe, probe_steps=(0, 3))
    assert whole.history[-1]["validation_accuracy"] > 0.8
    assert {row.layer for row in whole.probes} == {"embedding", "head"}
    run(recipe=recipe, checkpoint=tmp_path / "c", pause_after=5, probe_steps=(0, 3))
    resumed = run(recipe=recipe, checkpoint=tmp_path / "c", probe_steps=(0, 3))
    assert_states_equal(resumed.model.state_dict(), whole.model.state_dict())
    assert resumed.history == whole.history
    with pytest.raises(ValueError, match="belongs to another training"):
        run(recipe=recipe, train=tokens(90, 7), checkpoint=tmp_path / "c", probe_steps=(0, 3))


@pytest.mark.parametrize(
    "hidden", [{"role": "test"}, {"origin": Origin("words", "test")}], ids=["role", "origin"]
)
def test_a_feed_of_test_data_is_refused_whatever_it_holds(hidden):
    test = tokens(20, 3, **hidden)
    for arguments in ({"train": test}, {"validation": test}):
        with pytest.raises(ValueError, match="got the test split of 'words'"):
            run(**arguments)


def test_what_a_feed_cannot_do_is_refused():
    from gradlab.augmentation import Flip

    with pytest.raises(ValueError, match="trains one seed at a time"):
        fit_stacked([Words(), Words()], TRAIN, RECIPE, seeds=[0, 1], validation=VALIDATION)
    with pytest.raises(ValueError, match="change images of a split"):
        run(recipe=Recipe(augmentation=(Flip(),)))
    with pytest.raises(ValueError, match="let the feed's order visit fewer"):
        run(train_images=10)
    with pytest.raises(ValueError, match="both be splits or both be feeds"):
        run(validation=blobs().validation)
    with pytest.raises(ValueError, match=r"cannot read inputs input_ids \(2, \d\), attention_mask"):
        run(nn.Linear(3, 2))


def test_a_training_is_timed_without_a_trace():
    model = Words()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    torch.manual_seed(1)
    state = torch.get_rng_state()
    short, long = (
        time_steps(
            [model], TRAIN, Recipe(epochs=epochs, batch_size=8), seeds=[0], validation=VALIDATION, steps=3
        )
        for epochs in (1, 100)
    )
    assert 0 < short < long
    assert_states_equal(model.state_dict(), before)
    assert torch.equal(torch.get_rng_state(), state)
