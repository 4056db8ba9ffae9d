import pytest
import torch

from gradlab.clip import METHODS, CLIPLoRA, PromptLearning
from tests.clip.examples import CONFIG, NAMES, equal, pictures, state_of, tiny

pytest.importorskip("peft")
WIDTHS = {"image": CONFIG.width, "text": CONFIG.text_width}


@pytest.mark.parametrize(
    ("tower", "parts"),
    [("image", {"vision_model"}), ("text", {"text_model"}), ("both", {"vision_model", "text_model"})],
)
def test_adapters_stand_in_their_tower_alone_and_change_nothing_at_the_start(tower, parts):
    before = state_of(tiny())
    made = CLIPLoRA(tower=tower, r=3).start(tiny(), seed=2)
    trained = {name: one for name, one in made.named_parameters() if one.requires_grad}
    assert {part for part in ("vision_model", "text_model") if any(part in name for name in trained)} == parts
    assert all("lora_" in name for name in trained)
    assert {name.split(".lora_")[0].rpartition(".")[2] for name in trained} == {"q_proj", "k_proj", "v_proj"}
    wanted = sum(3 * 2 * 3 * WIDTHS[one] for one in WIDTHS if tower in (one, "both"))
    assert sum(one.numel() for one in trained.values()) == wanted
    tokens = made.tokens(NAMES)
    with torch.no_grad():
        assert torch.equal(made.eval()(pictures(), **tokens), tiny()(pictures(), **tokens))
    assert equal(state_of(tiny()), before)
    assert all(one.requires_grad for one in tiny().parameters())


def test_a_method_says_what_it_is_and_whether_texts_move():
    assert set(METHODS) == {"lora", "prompt"}
    assert CLIPLoRA(tower="text").describe() == "LoRA of rank 2 (alpha 1, dropout 0.25) in the text tower"
    assert "both towers" in CLIPLoRA().describe()
    assert PromptLearning(context=4).describe() == "4 learned vectors before the class name"
    reads = [CLIPLoRA(tower=tower).reads_texts for tower in ("image", "text", "both")]
    assert reads == [False, True, True]
    assert PromptLearning().reads_texts
