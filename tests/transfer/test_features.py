"""Features of any layer: against layers called by hand, in any batches, with the model left as it was."""

import pytest
import torch
from torch import nn

from gradlab.data.guard import marked_as_test
from gradlab.models import ViT, build
from gradlab.transfer import features
from gradlab.types import UserError
from tests.transfer.examples import SHAPE, bars, cnn, mlp, plain

DATA = bars()


def test_without_a_layer_they_are_the_input_of_the_last_linear_layer():
    network, images = cnn(), DATA.train.images[:9] / 255
    by_hand = network.blocks(network.stem(network.normalise(images))).mean((2, 3))
    found = features(network, DATA.train[:9])
    assert found.shape == (9, 6)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, by_hand, rtol=1e-5, atol=1e-6)
    assert not found.requires_grad
    torch.testing.assert_close(network.head(found), network(images))


def test_places_are_averaged_and_tokens_too():
    network, images = cnn(), DATA.train.images[:5] / 255
    by_hand = network.stem(network.normalise(images))
    torch.testing.assert_close(
        features(network, images, "stem"), by_hand.sum((2, 3)) / 36, rtol=1e-5, atol=1e-6
    )
    vit = ViT(patch=3, width=8, depth=1, heads=2).build(SHAPE, 3, seed=0)
    tokens = vit.blocks(vit.tokens(vit.normalise(images)))
    assert tokens.dim() == 3
    torch.testing.assert_close(
        features(vit, images, "blocks.0"), tokens.sum(1) / tokens.shape[1], rtol=1e-5, atol=1e-6
    )


def test_the_layer_of_the_logits_gives_the_logits():
    network = mlp()
    torch.testing.assert_close(
        features(network, DATA.test, "head"), network(DATA.test.images / 255), rtol=1e-5, atol=1e-6
    )


def test_parts_tensors_and_any_batches_give_the_same():
    network, split = plain(), DATA.validation
    whole = features(network, split)
    for other in (split.images, split.images / 255, split.to("cpu")):
        torch.testing.assert_close(features(network, other), whole, rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(features(network, split, batch_size=4), whole, rtol=1e-5, atol=1e-6)
    alone = torch.cat([features(network, split.images[i : i + 1]) for i in range(len(split))])
    torch.testing.assert_close(alone, whole, rtol=1e-5, atol=1e-6)


def test_the_model_is_left_as_it_was_even_if_it_raises():
    network = plain()
    network.train()
    network[1].eval()
    state = {name: value.clone() for name, value in network.state_dict().items()}
    features(network, DATA.train)
    with pytest.raises(UserError, match=r"cannot read images of shape \(3, 6, 6\)"):
        features(network, torch.rand(2, 3, 6, 6))
    assert [layer.training for layer in network[:3]] == [True, False, True]
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    assert not any(layer._forward_hooks for layer in network.modules())
    assert all(one.requires_grad and one.grad is None for one in network.parameters())


def test_features_of_test_images_stay_marked():
    assert marked_as_test(features(mlp(), DATA.test)) == "bars"
    assert marked_as_test(features(mlp(), DATA.train)) is None


@pytest.mark.parametrize(
    ("images", "layer", "sentence"),
    [
        (torch.rand(2, 1, 6, 6), "blocks.7", "no layer 'blocks.7'; did you mean"),
        (torch.randn(2, 1, 6, 6) * 3, None, r"must lie in \[0, 1\].*before normalisation"),
        (torch.rand(2, 6, 6), None, r"images must be \(N, C, H, W\)"),
        (torch.zeros(0, 1, 6, 6), None, "no images"),
        (DATA, None, "pass data.train"),
    ],
)
def test_what_is_no_image_or_layer_is_refused(images, layer, sentence):
    with pytest.raises(UserError, match=sentence):
        features(cnn(), images, layer)


def test_a_layer_that_runs_twice_or_not_at_all_has_no_feature():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.shared, self.idle, self.head = nn.Linear(36, 36), nn.Linear(2, 2), nn.Linear(36, 3)

        def forward(self, images):
            return self.head(self.shared(self.shared(images.flatten(1))))

    for name, count in (("shared", 2), ("idle", 0)):
        with pytest.raises(UserError, match=f"'{name}' ran {count} times"):
            features(Twice(), DATA.train, name)


def test_a_network_without_a_linear_layer_needs_a_name():
    network = nn.Sequential(nn.Conv2d(1, 3, 6), nn.Flatten())
    with pytest.raises(UserError, match="no linear layer"):
        features(network, DATA.train)
    assert features(network, DATA.train, "0").shape == (len(DATA.train), 3)


def test_a_published_network_gives_its_sixty_four_features():
    assert features(build("resnet20"), torch.rand(2, 3, 32, 32)).shape == (2, 64)
