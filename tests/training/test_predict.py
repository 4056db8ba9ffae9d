"""Logits of any module on a split."""

from copy import deepcopy

import pytest
import torch

from gradlab.models import MLP
from gradlab.training import predict_logits

from .examples import CLASSES, SHAPE, assert_states_equal, blobs, small_cnn

DATA = blobs()


@pytest.mark.parametrize("batch_size", [None, 1, 7, 1000])
def test_logits_are_those_of_a_plain_forward_pass_in_eval_mode(batch_size):
    model = small_cnn().train()
    state, modes = deepcopy(model.state_dict()), [layer.training for layer in model.modules()]
    logits = predict_logits(model, DATA.test, batch_size=batch_size)
    assert_states_equal(model.state_dict(), state)
    assert [layer.training for layer in model.modules()] == modes
    expected = deepcopy(model).eval()(DATA.test.images / 255)
    torch.testing.assert_close(logits, expected.detach(), rtol=1e-5, atol=1e-6)
    assert not logits.requires_grad


def test_the_number_format_follows_the_weights():
    model = MLP(width=4).build(SHAPE, CLASSES, seed=0)
    assert predict_logits(model.double(), DATA.test).dtype == torch.float64
    half = predict_logits(model.float(), DATA.test, precision="bf16")
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, predict_logits(model, DATA.test), rtol=0.05, atol=0.02)


def test_modes_are_given_back_after_an_error():
    model = MLP(width=4).build((1, 5, 5), CLASSES, seed=0).train()
    with pytest.raises(ValueError, match="resize"):
        predict_logits(model, DATA.test)
    assert model.training


def test_no_images_and_fp16_on_a_cpu_are_refused():
    model = MLP(width=4).build(SHAPE, CLASSES, seed=0)
    with pytest.raises(ValueError, match="no images to predict"):
        predict_logits(model, DATA.test[:0])
    with pytest.raises(ValueError, match="fp16 on a CPU"):
        predict_logits(model, DATA.test, precision="fp16")
