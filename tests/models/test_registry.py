"""Configurations read from plain data by their kind; an MLP's dump is what it was."""

import pytest
from pydantic import TypeAdapter, ValidationError

from gradlab.models import CNN, MLP, MODELS, NETS, FastCNN, Model, ViT

ADAPTER = TypeAdapter(Model)


def test_four_models_are_registered():
    assert {"mlp": MLP, "cnn": CNN, "vit": ViT, "fast-cnn": FastCNN} == MODELS


@pytest.mark.parametrize(
    "config", [MLP(width=3), CNN(widths=(3, 4), residual=True), ViT(depth=2), FastCNN(patch=3)], ids=str
)
def test_a_configuration_comes_back_from_json(config):
    assert ADAPTER.validate_json(ADAPTER.dump_json(config)) == config
    assert ADAPTER.validate_python(config) is config
    assert TypeAdapter(type(config)).dump_python(config) == ADAPTER.dump_python(config)


def test_data_without_a_kind_are_an_mlp_and_its_dump_names_none():
    assert ADAPTER.validate_python({"width": 3}) == ADAPTER.validate_python({"kind": "mlp", "width": 3})
    assert "kind" not in ADAPTER.dump_python(MLP())
    assert ADAPTER.dump_python(CNN())["kind"] == "cnn"
    assert ADAPTER.validate_python({"kind": "cnn"}) == CNN()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "cn"}, "there is no model 'cn'; did you mean 'cnn'?"),
        ({"kind": ["cnn"]}, "there is no model"),
        ("restnet20", "there is no network 'restnet20'; did you mean 'resnet20'?"),
        ({"kind": "cnn", "width": 3}, "width"),
        ({"widths": (3,), "stride": 2}, "stride"),
        (5, "MLP"),
    ],
)
def test_what_is_no_model_is_refused(fields, words):
    with pytest.raises(ValidationError, match=words):
        ADAPTER.validate_python(fields)


def test_a_text_is_the_configuration_of_a_network_with_that_name():
    assert (
        ADAPTER.validate_python("resnet20") == NETS["resnet20"].config == ADAPTER.validate_json('"ResNet20"')
    )
    assert ADAPTER.validate_python("vit_tiny") == ViT()


def test_fields_that_came_later_are_in_no_dump_while_they_have_their_default():
    older = {
        "kind", "widths", "blocks", "layers_per_block", "stride", "activation", "norm", "dropout", "init", "residual",
        "activation_place",
    }  # fmt: skip
    assert set(ADAPTER.dump_python(CNN())) == older
    assert set(ADAPTER.dump_python(CNN(end="flatten", hidden=(3,)))) == older | {"end", "hidden"}


def test_all_count_from_the_shape_of_an_image():
    for config in (MLP(), CNN(), ViT(), FastCNN()):
        network = config.build((1, 12, 12), 10, seed=0)
        assert config.parameter_count((1, 12, 12), 10) == sum(one.numel() for one in network.parameters())
    assert MLP().describe((1, 8, 8), 10) == MLP().describe(64, 10)
    assert MLP().flop_count((1, 8, 8), 10) == MLP().flop_count(64, 10)
