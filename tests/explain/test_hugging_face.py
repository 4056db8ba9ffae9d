"""Networks of Hugging Face, built from a configuration: layer, tokens and attention without a word about them."""

import pytest
import torch

from gradlab.explain import attention_rollout, find_spatial_layer, grad_cam, integrated_gradients

transformers = pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def batch():
    return torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def vit():
    config = transformers.ViTConfig(
        hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=16, image_size=32, patch_size=8,
        num_labels=5, attn_implementation="eager",
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.random.manual_seed(0)
        return transformers.ViTForImageClassification(config)


def test_a_resnet_is_explained(batch):
    config = transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic", num_labels=5
    )
    model = transformers.ResNetForImageClassification(config)
    name = find_spatial_layer(model, batch)
    assert name.startswith("resnet")
    with torch.no_grad():
        expected = model.eval()(batch, output_hidden_states=True)
    raw = grad_cam(model, batch, raw=True)
    assert raw.shape[1:] == expected.hidden_states[-1].shape[2:]
    assert grad_cam(model, batch).shape == (3, 32, 32)
    attributions = integrated_gradients(model, batch, 2, steps=60, raw=True)
    change = (model(batch).logits - model(0 * batch).logits)[:, 2]
    torch.testing.assert_close(attributions.sum((1, 2, 3)), change.detach(), rtol=0.05, atol=0.01)


def test_a_vit_is_explained_at_the_norm_before_its_last_attention(batch, vit):
    name = find_spatial_layer(vit, batch)
    assert name.endswith("2.layernorm_before")
    assert grad_cam(vit, batch).shape == (3, 32, 32)
    assert grad_cam(vit, batch, raw=True).shape == (3, 4, 4)


def test_rollout_is_the_product_of_the_attentions_that_the_model_returns(batch, vit):
    with torch.no_grad():
        attentions = vit.eval()(batch, output_attentions=True).attentions
    assert len(attentions) == 3
    rolled = torch.eye(17)
    for one in attentions:
        rolled = (one.mean(1) + torch.eye(17)) / 2 @ rolled
    found = attention_rollout(vit, batch, raw=True)
    torch.testing.assert_close(found, rolled[:, 0, 1:].unflatten(1, (4, 4)))
