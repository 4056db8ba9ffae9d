"""LoRA: by hand, merged = wrapped, the head comes back in plain peft, nothing frozen moves, targets are checked."""

import warnings
from dataclasses import replace

import pytest
import torch
from torch import nn

from gradlab.training import Recipe, fit
from gradlab.transfer import LoRA, add_lora, lora_targets, merged, save_lora
from gradlab.types import UserError
from tests.transfer.examples import bars, plain

pytest.importorskip("peft")
HEAD = ("8",)
CONFIG = LoRA(r=2, alpha=6.0, dropout=0.0, targets=("3",))


def moved(model, seed=0):
    """Give every trained number another value, as training would."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1)
    return model.eval()


def test_zero_b_is_the_base_network_and_the_base_is_left_as_it_was():
    network = plain().eval()
    before, state = {name: one.clone() for name, one in network.state_dict().items()}, torch.get_rng_state()
    adapted = add_lora(network, CONFIG, seed=0, head=HEAD).eval()
    images = torch.rand(5, 1, 6, 6)
    assert torch.equal(adapted(images), network(images))
    assert all(torch.equal(one, before[name]) for name, one in network.state_dict().items())
    assert all(one.requires_grad for one in network.parameters())
    torch.set_rng_state(state)
    add_lora(network, CONFIG, seed=1, head=HEAD)
    assert torch.equal(torch.get_rng_state(), state)


def test_the_update_is_alpha_over_r_times_b_a_of_rank_r():
    layer = nn.Linear(7, 5)
    adapted = moved(add_lora(nn.Sequential(layer, nn.Linear(5, 2)), replace(CONFIG, targets=("0",)), seed=3))
    found = dict(adapted.named_parameters())
    a = found["base_model.model.0.lora_A.default.weight"]
    b = found["base_model.model.0.lora_B.default.weight"]
    assert (a.shape, b.shape) == ((2, 7), (5, 2))
    plain_again = merged(adapted)[0]
    update = plain_again.weight - layer.weight
    torch.testing.assert_close(update, 6.0 / 2 * b @ a)
    assert torch.linalg.matrix_rank(update) == 2
    assert torch.equal(plain_again.bias, layer.bias)


@pytest.mark.parametrize("targets", [("3",), ("0", "3"), ("*",)])
def test_merged_is_wrapped(targets):
    adapted = moved(add_lora(plain(), replace(CONFIG, targets=targets), seed=0, head=HEAD))
    images = torch.rand(9, 1, 6, 6)
    wrapped = adapted(images)
    together = merged(adapted)
    assert not any("lora" in name or "modules_to_save" in name for name, _ in together.named_parameters())
    torch.testing.assert_close(together.eval()(images), wrapped, rtol=1e-5, atol=1e-6)
    assert torch.equal(adapted(images), wrapped)  # which was left as it was


def test_plain_peft_reads_adapters_with_their_head(tmp_path):
    from peft import PeftModel

    network = plain().eval()
    adapted = moved(add_lora(network, CONFIG, seed=0, head=HEAD))
    save_lora(adapted, tmp_path / "lora", "somewhere")
    assert {path.suffix for path in (tmp_path / "lora").iterdir()} <= {".safetensors", ".json", ".md"}
    torch.nn.init.zeros_(network[8].weight)  # the head of the network that is read into does not matter
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        again = PeftModel.from_pretrained(network, str(tmp_path / "lora")).eval()
    images = torch.rand(4, 1, 6, 6)
    assert torch.equal(again(images), adapted(images))
    assert again.peft_config["default"].base_model_name_or_path == "somewhere"


def test_training_moves_adapters_and_head_and_nothing_else():
    adapted = add_lora(plain(4), LoRA(targets=("3",)), seed=0, head=HEAD)
    before = {name: one.clone() for name, one in adapted.named_parameters()}
    names = {name for name, one in adapted.named_parameters() if one.requires_grad}
    ends = (
        "3.lora_A.default.weight",
        "3.lora_B.default.weight",
        "8.modules_to_save.default.weight",
        "default.bias",
    )
    assert {name.removeprefix("base_model.model.") for name in names} >= set(ends[:3])
    assert all(name.endswith(ends) for name in names)
    done = fit(adapted, bars(), Recipe(epochs=2, batch_size=16), device="cpu", progress=False).model
    after = dict(done.named_parameters())
    assert {name for name, one in before.items() if not torch.equal(one, after[name])} == names


def test_adapters_start_by_seed_and_name():
    def a_of(seed, targets):
        adapted = add_lora(plain(), replace(CONFIG, targets=targets), seed=seed, head=HEAD)
        return dict(adapted.named_parameters())["base_model.model.3.lora_A.default.weight"]

    assert torch.equal(a_of(0, ("3",)), a_of(0, ("0", "3")))
    assert not torch.equal(a_of(0, ("3",)), a_of(1, ("3",)))
    bound = 1 / a_of(0, ("3",))[0].numel() ** 0.5  # kaiming_uniform with a = √5 is U(-1/√fan-in, 1/√fan-in)
    assert a_of(0, ("3",)).abs().max() <= bound


def test_targets_are_names_ends_or_patterns():
    tower = nn.ModuleDict(
        {"eye": nn.ModuleDict({"q": nn.Linear(2, 2), "v": nn.Linear(2, 2)}), "q": nn.Linear(2, 2)}
    )
    assert lora_targets(tower, ("q",)) == ("eye.q", "q")
    assert lora_targets(tower, ("eye.v",)) == ("eye.v",)
    assert lora_targets(tower, ("eye.*",)) == ("eye.q", "eye.v")
    assert lora_targets(tower, ("*",), head=("q",)) == ("eye.q", "eye.v")
    with pytest.raises(
        UserError, match=r"ModuleDict is called query, so LoRA would adapt nothing; .* called q, v"
    ):
        lora_targets(tower, ("query",))
    with pytest.raises(UserError, match=r"is called query, so LoRA would adapt nothing by that name"):
        lora_targets(tower, ("q", "query"))


def test_a_head_that_is_not_there_and_a_network_without_adapters_are_refused():
    with pytest.raises(
        UserError, match=r"Sequential has no module 'classifier' that could be its head; .* of 0, 1"
    ):
        add_lora(plain(), CONFIG, seed=0, head=("classifier",))
    with pytest.raises(UserError, match="a network with adapters, as add_lora returns it, got Sequential"):
        merged(plain())


def test_it_is_said_in_words():
    assert LoRA().describe() == "LoRA of rank 8 (alpha 16, dropout 0.1) on queries and values, and head"
    assert LoRA(targets=("k",)).describe().endswith("on k, and head")
