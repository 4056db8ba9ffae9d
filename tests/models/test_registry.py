"""Configurations read from plain data by their kind; an MLP's dump is what it was."""

import pytest
from pydantic import TypeAdapter, ValidationError

from gradlab.models import CNN, MLP, MODELS, Model

ADAPTER = TypeAdapter(Model)


def test_two_models_are_registered():
    assert MODELS == {"mlp": MLP, "cnn": CNN}


@pytest.mark.parametrize("config", [MLP(width=3), CNN(widths=(3, 4), residual=True)], ids=str)
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
        ({"kind": "cnn", "width": 3}, "width"),
        ({"widths": (3,), "stride": 2}, "stride"),
        (5, "MLP"),
    ],
)
def test_what_is_no_model_is_refused(fields, words):
    with pytest.raises(ValidationError, match=words):
        ADAPTER.validate_python(fields)


def test_both_count_from_the_shape_of_an_image():
    for config in (MLP(), CNN()):
        network = config.build((1, 8, 8), 10, seed=0)
        assert config.parameter_count((1, 8, 8), 10) == sum(one.numel() for one in network.parameters())
    assert MLP().describe((1, 8, 8), 10) == MLP().describe(64, 10)
    assert MLP().flop_count((1, 8, 8), 10) == MLP().flop_count(64, 10)
