import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import CLIPModel

from gradlab.clip import CLIPLoRA, find_clip, load_clip, save_clip
from gradlab.clip.context import with_context
from gradlab.types import UserError
from tests.clip.examples import NAMES, equal, pictures, state_of, tiny


@pytest.fixture
def folder(tmp_path):
    return save_clip(tiny(), tmp_path / "clip")


def test_what_was_saved_loads_here_and_in_plain_transformers_with_the_same_logits(folder):
    again, tokens = load_clip(folder), tiny().tokens(NAMES)
    assert equal(state_of(again), state_of(tiny()))
    assert not again.training
    plain = CLIPModel.from_pretrained(folder).eval()
    with torch.no_grad():
        wanted = tiny()(pictures(), **tokens)
        assert torch.equal(again(pictures(), **again.tokens(NAMES)), wanted)
        theirs = plain(pixel_values=tiny().preprocessing(pictures()), **tokens).logits_per_image
    assert torch.allclose(theirs, wanted, atol=1e-5)
    assert {one.name for one in find_clip(folder).weights} == {"model.safetensors"}


def test_adapters_are_merged_into_what_is_saved(tmp_path):
    pytest.importorskip("peft")
    clip = CLIPLoRA(alpha=8).start(tiny(), 0).eval()
    with torch.no_grad():
        for name, one in clip.named_parameters():
            if "lora_B" in name:
                one.fill_(0.1)
    again = load_clip(save_clip(clip, tmp_path / "clip"))
    with torch.no_grad():
        wanted = clip(pictures(), **clip.tokens(NAMES))
        assert torch.allclose(again(pictures(), **again.tokens(NAMES)), wanted, atol=1e-4)
        assert not torch.allclose(wanted, tiny()(pictures(), **tiny().tokens(NAMES)), atol=1e-2)


def test_a_folder_that_is_there_and_a_learned_prompt_are_not_saved(folder, tmp_path):
    with pytest.raises(UserError, match="already exists"):
        save_clip(tiny(), folder)
    with pytest.raises(UserError, match="a learned prompt cannot be saved in a CLIPModel"):
        save_clip(with_context(tiny(), 2, 0.1, 0), tmp_path / "other")


def test_without_a_network_the_sentence_says_what_would_provide_a_clip(monkeypatch, tmp_path):
    import huggingface_hub

    def offline(*_, **__):
        raise OSError("no network here")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", offline)
    with pytest.raises(
        UserError, match=r"no network here.*gradlab run clip-zero-shot.*hf download openai/clip-x"
    ):
        find_clip("openai/clip-x")
    with pytest.raises(UserError, match="there is no folder"):
        find_clip(tmp_path / "nowhere")


def test_a_folder_that_lacks_something_is_refused_with_what_to_do(folder):
    weights = load_file(folder / "model.safetensors")
    save_file(dict(list(weights.items())[1:]), folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(UserError, match="do not fill a CLIP: 1 tensors are missing"):
        load_clip(folder)
    (folder / "preprocessor_config.json").rename(folder / "elsewhere")
    with pytest.raises(UserError, match=r"has no preprocessor_config\.json, which says how"):
        load_clip(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "bert"}))
    with pytest.raises(UserError, match="of type 'bert', not 'clip'"):
        load_clip(folder)
    (folder / "config.json").write_text("{")
    with pytest.raises(UserError, match=r"config\.json is damaged"):
        load_clip(folder)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(UserError, match="safetensors alone, since loading a pickle can run any code"):
        load_clip(folder)


def test_weights_that_are_no_safetensors_or_of_another_shape_are_refused_in_a_sentence(folder):
    config = json.loads((folder / "config.json").read_text())
    larger = config["vision_config"] | {"image_size": 16}
    (folder / "config.json").write_text(json.dumps(config | {"vision_config": larger}))
    with pytest.raises(UserError, match=r"1 tensors are missing or of another shape \(vision_model"):
        load_clip(folder)
    (folder / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(UserError, match=r"cannot load the CLIP in .*header too large"):
        load_clip(folder)
