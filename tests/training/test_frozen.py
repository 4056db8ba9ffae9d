"""What is frozen is proven to stay; what is frozen in a small number format stays in it."""

from copy import deepcopy

import pytest
import torch
from torch import nn

from gradlab.models import MLP
from gradlab.training import Recipe, fit, fit_stacked
from gradlab.training.frozen import check_frozen, frozen_digests

from .examples import CLASSES, SHAPE, assert_states_equal, blobs, small_cnn

DATA = blobs()
RECIPE = Recipe(epochs=2, batch_size=16)


def frozen_cnn(kind=None):
    model = small_cnn()
    for part in (model.conv, model.norm):
        part.requires_grad_(False)
    if kind is not None:
        model.register_forward_pre_hook(kind)
    return model


def moves_statistics(module, _inputs):
    module.norm.train()


def writes_weights(module, _inputs):
    if module.training:
        module.conv.weight.data.mul_(1.001)


@pytest.mark.parametrize(
    ("kind", "name"), [(moves_statistics, "norm.running_mean"), (writes_weights, "conv.weight")]
)
def test_a_model_that_changes_what_is_frozen_stops_with_its_name(kind, name, tmp_path):
    assert fit(frozen_cnn(), DATA, RECIPE, progress=False).status == "finished"
    file = tmp_path / "c"
    with pytest.raises(
        ValueError, match=rf"'{name}' is frozen, but it changed during training .*requires_grad=True"
    ):
        fit(frozen_cnn(kind), DATA, RECIPE, progress=False, checkpoint=file)


def test_a_pause_between_does_not_hide_it(tmp_path):
    broken = frozen_cnn()
    file = tmp_path / "c"
    fit(broken, DATA, RECIPE, progress=False, checkpoint=file, pause_after=1)
    broken.register_forward_pre_hook(writes_weights)
    with pytest.raises(ValueError, match=r"'conv\.weight' is frozen"):
        fit(broken, DATA, RECIPE, progress=False, checkpoint=file)


def test_digests_see_every_frozen_number_and_no_other():
    model = frozen_cnn()
    before = frozen_digests(model)
    assert set(before) == {
        "conv.weight", "conv.bias", "norm.weight", "norm.bias",
        "norm.running_mean", "norm.running_var", "norm.num_batches_tracked",
    }  # fmt: skip
    with torch.no_grad():
        model.head.weight.add_(1)
        model.calls.add_(1)
    check_frozen(before, model)
    for name in before:
        other = deepcopy(model)
        tensor = dict(other.named_parameters()) | dict(other.named_buffers())
        with torch.no_grad():
            tensor[name].view(-1)[-1:].add_(1)
        with pytest.raises(ValueError, match=f"'{name}' is frozen"):
            check_frozen(before, other)


def test_seeds_that_leave_a_stack_are_checked_as_well():
    models = [MLP(width=6, norm="batch").build(SHAPE, CLASSES, seed=seed) for seed in (0, 1)]
    for model in models:
        model.stem.requires_grad_(False)
    with torch.no_grad():
        models[0].head.bias.fill_(torch.nan)  # diverges, so that the stack shrinks
    fits = fit_stacked(models, DATA, RECIPE, seeds=[0, 1], progress=False)
    assert [one.status for one in fits] == ["diverged", "finished"]
    for trained, model in zip(fits, models, strict=True):
        assert_states_equal(trained.model.stem.state_dict(), model.stem.state_dict())


class Adapted(nn.Module):
    """A frozen bf16 base with a trained low-rank path beside it, as LoRA has it."""

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.base = nn.Linear(16, 8)
        self.down, self.up, self.head = nn.Linear(16, 2), nn.Linear(2, 8), nn.Linear(8, CLASSES)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -0.5, 0.5, generator=generator)
        self.base.to(torch.bfloat16).requires_grad_(False)
        self.register_buffer("scale", torch.ones(1, dtype=torch.bfloat16))

    def forward(self, images):
        flat = images.flatten(1)
        base = self.base(flat.to(self.base.weight.dtype)).to(flat.dtype)
        return self.head(torch.relu(base * self.scale.to(flat.dtype) + self.up(self.down(flat))))


@pytest.mark.parametrize("precision", ["fp32", "fp64"])
def test_a_frozen_base_in_bf16_stays_in_it_bit_for_bit(precision):
    model = Adapted()
    trained = fit(model, DATA, RECIPE, precision=precision, progress=False)
    assert_states_equal(trained.model.base.state_dict(), model.base.state_dict())
    assert trained.model.base.weight.dtype == trained.model.scale.dtype == torch.bfloat16
    assert trained.model.up.weight.dtype == {"fp32": torch.float32, "fp64": torch.float64}[precision]
    assert not torch.equal(trained.model.up.weight, model.up.weight)


def test_a_trained_bf16_module_trains_in_the_format_of_the_run():
    model = Adapted()
    model.requires_grad_(True)
    model.to(torch.bfloat16)
    trained = fit(model, DATA, RECIPE, precision="bf16", progress=False)
    assert {value.dtype for value in trained.model.parameters()} == {torch.float32}
