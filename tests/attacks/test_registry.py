"""The battery that every registered attack passes."""

import logging
from dataclasses import replace
from typing import Annotated

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field, TypeAdapter, ValidationError
from torch import nn

from gradlab.attacks import ATTACKS, Attack
from gradlab.attacks.every_step import every_step
from gradlab.types import UserError
from tests.attacks.examples import EPS, generator, images, labels_of, linear, small

STILL = {
    "fgsm": {},
    "pgd": {"random_start": False},
    "iterative-fgsm": {},
    "momentum-fgsm": {},
    "apgd": {"random_start": False},
    "deepfool": {"norm": "linf"},
    "carlini-wagner": {},
    "fab": {},
    "few-pixel": {},
    "gradient-pixel": {},
    "genetic": {},
    "noise": {},
}
"""Fields with which each draws nothing, or nothing that depends on other images; the others always do."""
CHEAP = {
    "apgd": {"steps": 6},
    "deepfool": {"steps": 6},
    "carlini-wagner": {"steps": 5, "searches": 2, "first_weight": 20.0, "step_size": 0.1},
    "fab": {"steps": 3, "target_classes": 1},
    "square": {"queries": 12},
    "autoattack": {"steps": 2, "queries": 4, "target_classes": 1},
    "few-pixel": {"pixels": 20, "population": 12, "generations": 2},
    "genetic": {"generations": 3},
}
"""Fewer steps than by default: the contract does not depend on them."""
STRONG = {
    "apgd": {"steps": 12},
    "carlini-wagner": {"steps": 20, "searches": 3, "first_weight": 10.0, "step_size": 0.05},
    "fab": {"steps": 5},
    "square": {"queries": 100},
    "autoattack": {"steps": 4, "queries": 20},
    "few-pixel": {"pixels": 20, "population": 12, "generations": 2},
    "genetic": {"generations": 3},
}
"""Enough steps for small models."""
MINIMAL = {"deepfool", "carlini-wagner", "fab"}
"""Those that look for the nearest success, and give images back where there is none within eps."""
SEARCHES = {"few-pixel", "genetic", "noise"}
"""They use the model's outputs alone, and in a short time find little."""
BY_GRADIENT = set(ATTACKS) - {"square"} - SEARCHES
NORM = {"linf": torch.inf, "l2": 2, "l1": 1}


def make(kind, **fields):
    return ATTACKS[kind](**(CHEAP.get(kind, {}) | fields))


def strong(kind, eps):
    """The radius is that of L-infinity; in L2 it is that of as large a change of all 40 numbers."""
    fields = STRONG.get(kind, {})
    return ATTACKS[kind](**fields, eps=eps if make(kind).norm == "linf" else eps * 40**0.5)


def norms(attack, found, batch):
    return torch.linalg.vector_norm((found.double() - batch.double()).flatten(1), NORM[attack.norm], dim=1)


def ready(dtype=torch.float64, count=12):
    model, batch = small(dtype=dtype), images(count, dtype=dtype)
    return model, batch, labels_of(model, batch)


def test_fourteen_attacks_are_found():
    assert len(ATTACKS) == 14
    assert {kind: attack().kind for kind, attack in ATTACKS.items()} == {kind: kind for kind in ATTACKS}
    assert set(STILL) == {kind for kind in ATTACKS if kind not in ("square", "autoattack")}


@pytest.mark.parametrize("kind", ATTACKS)
def test_the_union_reads_each_from_its_fields(kind):
    adapter = TypeAdapter(Annotated[Attack, Field(discriminator="kind")])
    config = make(kind, eps="4/255")
    assert config.eps == 4 / 255
    assert adapter.validate_json(adapter.dump_json(config)) == config
    assert adapter.dump_python(config)["kind"] == kind
    with pytest.raises(ValidationError, match="nonsense"):
        adapter.validate_python({"kind": kind, "nonsense": 1})


@pytest.mark.parametrize("kind", ATTACKS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_the_result_lies_in_ball_and_range_exactly_and_keeps_type_and_shape(kind, dtype):
    model, batch, labels = ready(dtype, 12)
    batch[0], batch[1] = 0, 1
    for eps in (1 / 255, EPS, 1):
        for attack in {make(kind, eps=eps), every_step(make(kind, eps=eps))}:
            found = attack(model, batch, labels, generator=generator())
            assert (found.shape, found.dtype, found.device) == (batch.shape, batch.dtype, batch.device)
            assert not found.requires_grad
            assert float(found.min()) >= 0
            assert float(found.max()) <= 1
            reach = norms(attack, found, batch)
            assert float(reach.max()) <= eps
            if attack.norm == "linf":
                assert (found - batch).abs().max().item() <= eps
            if kind not in MINIMAL | {"autoattack"} and not getattr(attack, "stop_at_success", False):
                assert float(reach.max()) > 0.9 * eps


@pytest.mark.parametrize("kind", sorted(set(ATTACKS) - SEARCHES))
def test_it_fools_a_model_more_often_than_noise_of_the_same_size(kind):
    model, batch, labels = ready(count=100)
    attack = strong(kind, 0.1)
    found = attack(model, batch, labels, generator=generator())
    noise = (batch + 0.1 * torch.randn(batch.shape, generator=generator()).sign()).clamp(0, 1)
    fooled, by_noise = ((labels_of(model, one) != labels).double().mean() for one in (found, noise))
    assert fooled > by_noise + 0.3


@pytest.mark.parametrize("kind", sorted(set(ATTACKS) - SEARCHES))
def test_a_target_is_reached_more_often_and_with_a_larger_logit(kind):
    model, batch, labels = ready(count=60)
    targets = (labels + 1) % 4
    attack = strong(kind, 0.2)
    found = attack(model, batch, labels, targets=targets, generator=generator())
    model.eval()
    before, after = (model(one).detach().log_softmax(1).gather(1, targets[:, None]) for one in (batch, found))
    assert ((after > before) | (found == batch).flatten(1).all(1, keepdim=True)).double().mean() > 0.95
    away = attack(model, batch, labels, generator=generator())
    reached, by_chance = ((labels_of(model, one) == targets).sum() for one in (found, away))
    assert reached > by_chance


@pytest.mark.parametrize("kind", ATTACKS)
def test_the_same_seed_gives_the_same_bits_and_nothing_global_moves(kind):
    model, batch, labels = ready()
    state, kept = torch.get_rng_state(), batch.clone()
    first, second = (make(kind)(model, batch, labels, generator=generator(3)) for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(batch, kept)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(make(kind)(model, batch, labels), make(kind)(model, batch, labels))


@pytest.mark.parametrize("kind", ATTACKS)
def test_whether_it_draws_is_what_it_says(kind):
    for config in (make(kind), make(kind, **STILL.get(kind, {}))):
        model, batch, labels = ready()
        config = replace(config, eps=EPS)
        one, two = (config(model, batch, labels, generator=generator(seed)) for seed in (3, 4))
        assert config.is_random != torch.equal(one, two)


@pytest.mark.parametrize("kind", STILL)
def test_a_batch_of_one_is_its_row_in_a_batch_where_nothing_is_random(kind):
    model, batch, labels = ready()
    attack = make(kind, **STILL[kind])
    together = attack(model, batch, labels)
    for row in (0, 5, 11):
        alone = attack(model, batch[row : row + 1], labels[row : row + 1])
        if kind in MINIMAL:  # sums of another order: a few roundings
            torch.testing.assert_close(alone[0], together[row], rtol=0, atol=1e-9)
        else:
            assert torch.equal(alone[0], together[row])


@pytest.mark.parametrize("kind", ATTACKS)
def test_with_eps_0_the_images_come_back(kind):
    model, batch, labels = ready(torch.float32)
    assert torch.equal(make(kind, eps=0)(model, batch, labels, generator=generator()), batch)


@pytest.mark.parametrize("kind", ATTACKS)
@pytest.mark.parametrize("raises", [False, True])
def test_the_model_is_left_as_found_also_when_it_raises(kind, raises):
    model, batch, labels = ready()
    model[0].weight.requires_grad_(False)
    model[5].weight.grad = torch.ones_like(model[5].weight)
    if raises:
        model.append(Faulty())
    before = snapshot(model)
    with torch.no_grad():  # gradients switched off outside
        if raises:
            with pytest.raises(RuntimeError, match="a fault of its own"):
                make(kind)(model, batch, labels)
        else:
            make(kind)(model, batch, labels)
        assert not torch.is_grad_enabled()
    assert str(snapshot(model)) == str(before)
    assert not batch.requires_grad


class Faulty(nn.Module):
    def forward(self, _logits):
        raise RuntimeError("a fault of its own")


def snapshot(model):
    return {
        "modes": [layer.training for layer in model.modules()],
        "hooks": [(len(m._forward_hooks), len(m._forward_pre_hooks), len(m._backward_hooks)) for m in model.modules()],
        "state": {name: value.tolist() for name, value in model.state_dict().items()},
        "gradients": [(p.requires_grad, None if p.grad is None else p.grad.tolist()) for p in model.parameters()],
    }  # fmt: skip


@pytest.mark.parametrize("kind", ATTACKS)
def test_it_works_in_inference_mode_and_on_images_without_a_batch_of_any(kind):
    model, batch, labels = ready()
    with torch.inference_mode():
        found = make(kind)(model, batch * 1, labels * 1, generator=generator())
    assert torch.equal(found, make(kind)(model, batch, labels, generator=generator()))
    assert make(kind)(model, batch[:0], labels[:0]).shape == (0, 2, 4, 5)


@pytest.mark.parametrize("kind", ATTACKS)
def test_images_that_rounding_carried_out_of_range_are_clipped(kind):
    model, batch, labels = ready(torch.float32)
    batch[0, 0, 0, 0], batch[0, 0, 0, 1] = -3e-8, 1 + 2e-7
    found = make(kind)(model, batch, labels)
    assert 0 <= float(found.min()) <= float(found.max()) <= 1


@pytest.mark.parametrize("kind", ATTACKS)
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"images": images() * 4 - 2}, "looks normalised; give images before normalisation"),
        ({"images": images() * 255}, "divide them by 255"),
        ({"images": (images() * 255).long()}, "got torch.int64; turn grey levels"),
        ({"images": images() * torch.nan}, "remove the NaN"),
        ({"images": images()[0]}, r"shape \(N, C, H, W\), got \(2, 4, 5\); add the batch"),
        ({"labels": torch.full((12,), 4)}, r"labels must lie in \[0, 4\), the model's classes, got 4"),
        ({"labels": torch.full((12,), -1)}, "got -1"),
        ({"labels": torch.zeros(12)}, r"int64 tensor of shape \(12,\), got torch.float32"),
        ({"labels": torch.zeros(11, dtype=torch.int64)}, r"got torch.int64 of shape \(11,\)"),
        ({"targets": torch.full((12,), 9)}, r"targets must lie in \[0, 4\)"),
        ({"targets": "labels"}, "a target must differ from the label, and 12 of 12 do not"),
        ({"model": "resnet"}, "needs a torch.nn.Module, got str"),
        ({"model": nn.Flatten(0)}, r"logits of shape \(12, K\), got \(480,\)"),
    ],
)
def test_what_cannot_be_attacked_is_refused_in_a_sentence(kind, change, sentence):
    model, batch, labels = ready()
    given_ = {"model": model, "images": batch, "labels": labels} | change
    if change.get("targets") == "labels":
        given_["targets"] = labels
    with pytest.raises(UserError, match=sentence) as error:
        make(kind)(**given_)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", ATTACKS)
def test_a_model_that_returns_nan_is_refused(kind):
    model, batch, labels = ready()
    model[5].bias.data[0] = torch.nan
    with pytest.raises(UserError, match="returns NaN for these images"):
        make(kind)(model, batch, labels)


@pytest.mark.parametrize("kind", ATTACKS)
def test_radii_that_are_none_are_refused_with_what_to_write(kind):
    attack = make(kind)
    if attack.norm == "linf":
        with pytest.raises(
            UserError, match=r"eps must lie in \[0, 1\].* got 8\. For 8 grey levels write 8/255"
        ):
            make(kind, eps=8)
    if hasattr(attack, "step_size") or kind in ("apgd", "square"):
        assert make(kind, **({"norm": "l2"} if "norm" in vars(attack) else {}), eps=0.5).eps == 0.5
    if "norm" in vars(attack):
        for wrong in (-0.5, float("nan"), float("inf")):
            with pytest.raises(UserError, match="eps must be a number from 0 up"):
                make(kind, norm="l2", eps=wrong)


@pytest.mark.parametrize("kind", ATTACKS)
def test_it_tells_at_which_iteration_and_query_each_image_was_first_fooled(kind):
    """The model counts for itself, image by image, up to its first success."""
    model, batch, labels = ready(count=30)
    labels[:5] = (labels[:5] + 1) % 4  # wrong from the beginning
    attack = strong(kind, 0.06)
    found = attack.explore(model, batch, labels, generator=generator())
    reached = labels_of(model, found.images) != labels
    first, second = model.eval()(found.images).detach().topk(2, dim=1).values.T
    clear = first - second > 1e-9  # the nearest success can lie on the border, up to rounding
    assert torch.equal((found.iterations >= 0)[clear], reached[clear])
    assert int(clear.sum()) > 20
    reached = found.iterations >= 0
    assert 5 <= int(reached.sum()) < 30
    assert (
        found.iterations[:5] == 0
    ).all() or kind == "pgd"  # which may start at a random point that is right
    assert (found.queries >= 1).all()
    if kind not in MINIMAL | {"autoattack", "few-pixel", "genetic"}:  # one query an iteration
        assert (found.queries[~reached] == found.queries.max()).all()
        assert (found.queries == found.iterations + 1)[reached].all()
    assert torch.equal(attack(model, batch, labels, generator=generator()), found.images)


@pytest.mark.parametrize("kind", sorted(BY_GRADIENT - {"fab"}))
def test_probabilities_instead_of_logits_are_said(kind, caplog):
    model, batch = nn.Sequential(linear(classes=3), nn.Softmax(1)), images()
    with caplog.at_level(logging.WARNING, "gradlab"):
        make(kind)(model, batch, labels_of(model, batch), generator=generator())
    assert "outputs look like probabilities; give the logits" in caplog.text


class Step(nn.Module):
    def forward(self, values):
        return (values > 0.5).to(values.dtype)


class Detached(nn.Module):
    def forward(self, values):
        return values.detach()


@pytest.mark.parametrize("kind", sorted(BY_GRADIENT))
@pytest.mark.parametrize("wall", [Step(), Detached()], ids=["step", "detached"])
def test_zero_gradients_are_said(kind, wall, caplog):
    model, batch = nn.Sequential(wall, linear()), images()
    with caplog.at_level(logging.WARNING, "gradlab"):
        make(kind, **STILL.get(kind, {}))(model, batch, labels_of(model, batch))
    assert "gradient is zero for 12 of 12 images" in caplog.text
    caplog.clear()
    make(kind)(linear(), batch, labels_of(linear(), batch))
    assert not caplog.text


def no_violation(kind, eps, seed, dtype, flat):
    batch = images(3, seed=seed, dtype=dtype)
    if flat:
        batch = batch.round()
    model = small(seed=seed, dtype=dtype)
    attack = replace(make(kind), eps=eps)
    before, labels = str(snapshot(model)), labels_of(model, batch)
    found = attack(model, batch, labels, generator=generator(seed))
    assert 0 <= float(found.min()) <= float(found.max()) <= 1
    assert float(norms(attack, found, batch).max()) <= eps
    assert torch.equal(attack(model, batch, labels, generator=generator(seed)), found)
    assert str(snapshot(model)) == before


ANY = {
    "kind": st.sampled_from(list(ATTACKS)),
    "eps": st.floats(0, 1),
    "seed": st.integers(0, 2**30),
    "dtype": st.sampled_from([torch.float32, torch.float64]),
    "flat": st.booleans(),
}


@settings(max_examples=30, deadline=None)
@given(**ANY)
def test_no_small_random_model_leads_out_of_ball_or_range(kind, eps, seed, dtype, flat):
    no_violation(kind, eps, seed, dtype, flat)


@pytest.mark.slow
@settings(max_examples=1000, deadline=None)
@given(**ANY)
def test_a_thousand_small_random_models_lead_nowhere_out_of_ball_or_range(kind, eps, seed, dtype, flat):
    no_violation(kind, eps, seed, dtype, flat)
