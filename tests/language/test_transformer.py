"""The network against formulas, the package's plain attention, and itself under padding; its initial bits."""

from dataclasses import replace

import pytest
import torch
from transformers import AutoModelForSequenceClassification

from gradlab.language import TextTransformer
from gradlab.language.tokens import join
from gradlab.types import UserError
from tests.language.examples import TINY

FAMILIES = ("distilbert", "bert")
VOCAB, CLASSES = 50, 3
TEXTS = [[2, 9, 8, 3], [2, 3], [2, *range(5, 25), 3], [2, 30, 31, 32, 33, 34, 3]]


def build(config=TINY, seed=0, classes=CLASSES, vocab=VOCAB):
    return config.build(classes, seed=seed, vocab=vocab).eval()


def is_norm(name):
    return "layernorm" in name.lower().replace("_", "")


def logits(network, texts):
    with torch.no_grad():
        return network(**join(texts).batch(torch.arange(len(texts))))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    "sizes", [{}, {"dim": 24, "heads": 3, "layers": 1, "hidden_dim": 20, "max_length": 9}, {"layers": 5}]
)
def test_the_parameter_count_is_the_networks(family, sizes):
    config = replace(TINY, family=family, **sizes)
    network = build(config)
    assert config.parameter_count(VOCAB, CLASSES) == sum(p.numel() for p in network.parameters())


def test_published_sizes_have_the_published_counts():
    """66,955,010 and 109,483,778 parameters: DistilBERT and BERT base with a head of two classes."""
    base = TextTransformer(dim=768, layers=6, heads=12, hidden_dim=3072, max_length=512)
    assert base.parameter_count(30522, 2) == 66_955_010
    assert replace(base, family="bert", layers=12).parameter_count(30522, 2) == 109_483_778


@pytest.mark.parametrize("family", FAMILIES)
def test_a_text_alone_has_the_logits_of_its_row_in_a_padded_batch(family):
    """Within 2e-6 where logits are about 1: the sums of attention run over other lengths, so they round differently."""
    network = build(replace(TINY, family=family, initial_std=0.3))
    together = logits(network, TEXTS)
    alone = torch.cat([logits(network, [text]) for text in TEXTS])
    assert together.abs().max() > 0.3
    assert torch.allclose(together, alone, rtol=0, atol=2e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_stands_under_padding_does_not_matter_and_words_do(family):
    network = build(replace(TINY, family=family, initial_std=0.3))
    batch = join(TEXTS).batch(torch.arange(len(TEXTS)))
    noisy = batch["input_ids"].where(batch["attention_mask"].bool(), 17)
    with torch.no_grad():
        before, after = network(**batch), network(noisy, batch["attention_mask"])
        unmasked = network(noisy, torch.ones_like(noisy))
    assert torch.equal(before, after)
    assert not torch.allclose(before[0], unmasked[0], atol=1e-3)
    other = logits(network, [[2, 9, 7, 3], *TEXTS[1:]])
    assert not torch.allclose(before[0], other[0], atol=1e-3)
    assert torch.equal(before[1:], other[1:])


@pytest.mark.parametrize("family", FAMILIES)
def test_fast_attention_is_plain_attention(family):
    network = build(replace(TINY, family=family, initial_std=0.3))
    assert network.transformer.config._attn_implementation == "sdpa"
    fast = logits(network, TEXTS)
    network.transformer.set_attn_implementation("eager")
    assert torch.allclose(fast, logits(network, TEXTS), rtol=0, atol=2e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_initial_values_depend_on_seed_and_name_alone(family):
    config = replace(TINY, family=family)
    before = torch.random.get_rng_state()
    network, again, other = build(config), build(config), build(config, seed=1)
    wider = build(replace(config, layers=4), classes=7)
    assert torch.equal(before, torch.random.get_rng_state())
    theirs, others = wider.state_dict(), other.state_dict()
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name])
        if "classifier" not in name or "pre_" in name:
            assert torch.equal(tensor, theirs[name]), name
        if name.endswith("weight") and not is_norm(name):
            assert not torch.equal(tensor, others[name]), name


@pytest.mark.parametrize("family", FAMILIES)
def test_initial_values_are_normal_and_biases_zero(family):
    network = build(replace(TINY, family=family, dim=64, hidden_dim=256, initial_std=0.05), vocab=3000)
    weights = 0
    for name, tensor in network.named_parameters():
        if is_norm(name):
            assert torch.equal(tensor, torch.full_like(tensor, float(name.endswith("weight"))))
        elif name.endswith("bias"):
            assert not tensor.any()
        else:
            weights += 1
            # five standard errors of a standard deviation of n numbers, σ/√(2n)
            assert tensor.std().item() == pytest.approx(
                0.05, abs=5 * 0.05 / (2 * tensor.numel()) ** 0.5 + 1e-4
            )
    assert weights >= 16
    embeddings = network.transformer.get_input_embeddings().weight
    assert not embeddings[0].any()  # padding
    assert embeddings[1:].ne(0).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_every_parameter_gets_a_gradient_in_training(family):
    network = build(replace(TINY, family=family)).train()
    network(**join(TEXTS).batch(torch.arange(4))).square().sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize("family", FAMILIES)
def test_plain_transformers_reads_what_is_saved(family, tmp_path):
    network = build(replace(TINY, family=family))
    network.transformer.save_pretrained(tmp_path)
    loaded = AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    with torch.no_grad():
        theirs = loaded(**join(TEXTS).batch(torch.arange(4))).logits
    assert torch.equal(theirs, logits(network, TEXTS))


def test_dropout_acts_in_training_alone():
    network = build(replace(TINY, dropout=0.5, initial_std=0.3))
    assert torch.equal(logits(network, TEXTS), logits(network, TEXTS))
    network.train()
    assert not torch.equal(logits(network, TEXTS), logits(network, TEXTS))
    calm = build(replace(TINY, dropout=0.0, initial_std=0.3)).train()
    assert torch.equal(logits(calm, TEXTS), logits(calm, TEXTS))


def test_a_configuration_says_what_it_is():
    assert TextTransformer().describe(8000, 2) == (
        "DistilBERT: 8000 tokens→64, 2 layers of 4 heads and 256 units, head 64→2"
    )
    one = TextTransformer(family="bert", layers=1, heads=1, dim=8, hidden_dim=9)
    assert one.describe(10, 3) == "BERT: 10 tokens→8, 1 layer of 1 head and 9 units, head 8→3"


def test_what_does_not_fit_is_refused():
    with pytest.raises(
        ValueError, match=r"share the dim evenly, got 3 heads for dim 64; use a number .* divides 64"
    ):
        TextTransformer(heads=3)
    with pytest.raises(ValueError, match="both ends of a text and must be at least 3, got 2"):
        TextTransformer(max_length=2)
    with pytest.raises(UserError, match="at least one class and one token, got 0 classes and 50 tokens"):
        build(classes=0)
    with pytest.raises(
        UserError, match="at most 24 tokens of a text, got 25; encode the texts with max_length=24"
    ):
        logits(build(), [[2, *range(5, 28), 3]])


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr("gradlab.language._extra.find_spec", lambda _name: None)
    with pytest.raises(
        UserError, match="a text transformer needs transformers and tokenizers, not installed"
    ):
        build()
