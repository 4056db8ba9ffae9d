"""Layers by name: those that are there, and the nearest where there is none."""

import pytest
from torch import nn

from gradlab.models import CNN, build, find_layer
from gradlab.types import UserError


def test_layers_are_found_by_their_dotted_names():
    network = build("resnet20")
    assert find_layer(network, "layer3.0.conv1") is network.layer3[0].conv1
    assert find_layer(network, "linear") is network.linear
    own = nn.Sequential(nn.Flatten(), nn.Linear(2, 2))
    assert find_layer(own, "1") is own[1]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("layer3.0.conv3", "CNNNetwork has no layer 'layer3.0.conv3'; did you mean 'layer3.0.conv"),
        ("layer4", "has no layer 'layer4'; did you mean 'layer3'?"),
        ("linaer", "did you mean 'linear'?"),
        (
            "xyz",
            "the first level has normalise, conv1, bn1, relu, layer1, layer2, layer3, mean, dropout, linear.",
        ),
        ("", "has no layer ''; the first level has normalise, conv1"),
    ],
)
def test_a_layer_that_is_not_there_gets_the_nearest(name, words):
    with pytest.raises(UserError) as caught:
        find_layer(build("resnet20"), name)
    assert words in str(caught.value)


def test_stages_of_gradlab_s_own_names_are_found():
    network = CNN(widths=(3, 6)).build((1, 8, 8), 2, seed=0)
    assert find_layer(network, "blocks.1.0.branch.3") is network.blocks[1][0].branch[3]
