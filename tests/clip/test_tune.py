from dataclasses import replace

import pytest
import torch

from gradlab.clip import CLIPLoRA, PromptLearning, tune
from gradlab.transfer.lora import merged
from tests.clip.examples import NAMES, RECIPE, colours, equal, pictures, state_of, tiny

pytest.importorskip("peft")
METHODS = {"both": CLIPLoRA(alpha=4), "image": CLIPLoRA(tower="image"), "prompt": PromptLearning(context=3)}
COMMON = {"device": "cpu", "progress": False, "seed": 3}


@pytest.fixture(scope="module")
def tuned():
    before = state_of(tiny())
    made = {name: tune(tiny(), colours(), one, RECIPE, **COMMON) for name, one in METHODS.items()}
    assert equal(state_of(tiny()), before)
    return made


@pytest.mark.parametrize("name", METHODS)
def test_what_is_frozen_is_bit_equal_and_what_was_added_moved(tuned, name):
    one = tuned[name]
    start, end = dict(one.start.named_parameters()), dict(one.fit.model.named_parameters())
    trained = {key for key, value in start.items() if value.requires_grad}
    assert trained
    for key, value in start.items():
        assert torch.equal(value, end[key]) == (key not in trained), key
    assert one.unchanged == one.frozen == len(start) - len(trained)


def test_merged_adapters_give_the_logits_of_the_wrapped_ones(tuned):
    clip = tuned["both"].clip
    tokens = clip.tokens(NAMES)
    plain = merged(clip.model).eval()
    assert type(plain).__name__ == "CLIPModel"
    with torch.no_grad():
        theirs = plain(pixel_values=clip.preprocessing(pictures()), **tokens).logits_per_image
        assert torch.allclose(clip(pictures(), **tokens), theirs, atol=1e-5)
        assert not torch.allclose(theirs, tiny()(pictures(), **tokens), atol=1e-4)


@pytest.mark.parametrize("name", ["both", "prompt"])
def test_interrupted_it_goes_on_to_the_same_bits(tuned, name, tmp_path):
    file = tmp_path / "checkpoint"

    class KilledError(Exception):
        pass

    def kill(_epoch):
        raise KilledError

    with pytest.raises(KilledError):
        tune(tiny(), colours(), METHODS[name], RECIPE, **COMMON, checkpoint=file, listeners=[kill])
    assert file.exists()
    heard = []
    again = tune(
        tiny(), colours(), METHODS[name], RECIPE, **COMMON, checkpoint=file, listeners=[heard.append]
    )
    assert [one.epoch for one in heard] == [2]
    assert equal(state_of(again.fit.model), state_of(tuned[name].fit.model))


def test_a_step_down_the_gradient_lowers_the_loss_of_a_learned_prompt():
    """On all images at once: the loss of an epoch is that before its step."""
    recipe = replace(RECIPE, optimizer="sgd", batch_size=48, epochs=3, learning_rate=1e-4, keep="last")
    losses = [
        row["train_loss"] for row in tune(tiny(), colours(), METHODS["prompt"], recipe, **COMMON).fit.history
    ]
    assert losses[0] > losses[1] > losses[2]
