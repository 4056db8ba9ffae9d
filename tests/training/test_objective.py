"""Objectives: an attack of radius 0 is plain training, metrics of one's own select and stop, streams repeat."""

from dataclasses import dataclass, replace

import pytest
import torch
from torch import nn

from gradlab.models import MLP
from gradlab.training import Batch, CrossEntropy, Objective, Patience, Recipe, fit, fit_stacked
from gradlab.training.objective import sample_losses

from .examples import CLASSES, SHAPE, assert_states_equal, blobs, small_cnn

DATA = blobs()
RECIPE = Recipe(epochs=3, batch_size=16, learning_rate=0.02)
NET = MLP(width=6, depth=2, norm="batch", dropout=0.2)


def mlps(seeds=(0, 3)):
    return [NET.build(SHAPE, CLASSES, seed=seed, mean=(0.3,), std=(0.25,)) for seed in seeds]


def sign_attack(forward, images, labels, eps, streams):
    """One step along the sign of the gradient from a random start, in [0, 1]."""
    starts = [torch.rand(one.shape, generator=stream) for one, stream in zip(images, streams, strict=True)]
    noise = torch.stack(starts).to(images)
    with torch.enable_grad():
        point = (images + eps * (2 * noise - 1)).clamp(0, 1).requires_grad_()
        losses = nn.functional.cross_entropy(
            forward.still(point).flatten(0, 1), labels.flatten(), reduction="sum"
        )
        (gradient,) = torch.autograd.grad(losses, point)
    return (images + eps * gradient.sign()).clamp(0, 1).detach()


@dataclass(frozen=True)
class Adversarial:
    """Cross-entropy on attacked images; validated on plain and attacked ones."""

    eps: float
    training = ("accuracy",)
    validation = {"loss": "less", "accuracy": "more", "attacked_accuracy": "more"}  # noqa: RUF012
    changes_inputs = True

    def _attacked(self, forward, batch):
        streams = batch.generators("attack")
        return replace(batch, inputs=sign_attack(forward, batch.inputs, batch.labels, self.eps, streams))

    def __call__(self, forward, batch):
        return CrossEntropy()(forward, self._attacked(forward, batch))

    def measure(self, outputs, batch):
        return CrossEntropy().measure(outputs, batch)

    def validate(self, forward, batch):
        attacked = CrossEntropy().validate(forward, self._attacked(forward, batch))
        return CrossEntropy().validate(forward, batch) | {"attacked_accuracy": attacked["accuracy"]}


def assert_same(mine, theirs):
    assert_states_equal(mine.model.state_dict(), theirs.model.state_dict())
    for a, b in zip(mine.history, theirs.history, strict=True):
        assert {name: a[name] for name in b} == b


def test_an_attack_of_radius_0_is_plain_training_bit_for_bit():
    assert isinstance(Adversarial(0.0), Objective)
    plain = fit_stacked(mlps(), DATA, RECIPE, seeds=[0, 3], progress=False)
    attacked = fit_stacked(mlps(), DATA, RECIPE, seeds=[0, 3], objective=Adversarial(0.0), progress=False)
    for mine, theirs in zip(attacked, plain, strict=True):
        assert_same(mine, theirs)
        for row in mine.history:
            assert row["validation_attacked_accuracy"] == row["validation_accuracy"]
    arguments = {"seed": 1, "progress": False}
    assert_same(
        fit(small_cnn(), DATA, RECIPE, objective=Adversarial(0.0), **arguments),
        fit(small_cnn(), DATA, RECIPE, **arguments),
    )


def test_an_attack_of_some_radius_trains_otherwise_and_lowers_the_accuracy():
    (mine,) = fit_stacked(mlps([0]), DATA, RECIPE, seeds=[0], objective=Adversarial(0.2), progress=False)
    assert (
        mine.history[0]["train_loss"]
        > fit(mlps([0])[0], DATA, RECIPE, progress=False).history[0]["train_loss"]
    )
    assert any(row["validation_attacked_accuracy"] < row["validation_accuracy"] for row in mine.history)


def test_stacked_seeds_are_attacked_as_each_alone():
    together = fit_stacked(
        mlps(), DATA, RECIPE, seeds=[0, 3], objective=Adversarial(0.1), precision="fp64", progress=False
    )
    alone = fit(mlps()[1], DATA, RECIPE, seed=3, objective=Adversarial(0.1), precision="fp64", progress=False)
    for row, expected in zip(together[1].history, alone.history, strict=True):
        assert row == pytest.approx(expected, rel=1e-6)


def test_a_training_with_an_attack_resumes_bit_for_bit(tmp_path):
    arguments = {"seed": 1, "objective": Adversarial(0.1), "progress": False}
    whole = fit(small_cnn(), DATA, RECIPE, **arguments)
    fit(small_cnn(), DATA, RECIPE, checkpoint=tmp_path / "c", pause_after=1, **arguments)
    resumed = fit(small_cnn(), DATA, RECIPE, checkpoint=tmp_path / "c", **arguments)
    assert_states_equal(resumed.model.state_dict(), whole.model.state_dict())
    with pytest.raises(ValueError, match="belongs to another training"):
        fit(
            small_cnn(),
            DATA,
            RECIPE,
            checkpoint=tmp_path / "c",
            **(arguments | {"objective": Adversarial(0.2)}),
        )


@pytest.mark.parametrize("select", ["accuracy", "attacked_accuracy"])
def test_weights_are_kept_and_training_stops_by_the_metric_that_the_recipe_selects(select):
    recipe = replace(RECIPE, epochs=30, learning_rate=0.05, select=select, stopping=Patience(patience=4))
    trained = fit(mlps([0])[0], DATA, recipe, objective=Adversarial(0.05), progress=False)
    values = [row[f"validation_{select}"] for row in trained.history]
    assert trained.best_epoch == values.index(max(values)) + 1
    assert trained.status == "stopped"
    assert trained.epochs == trained.best_epoch + 4
    losses = [row["validation_loss"] for row in trained.history]
    assert trained.best_epoch != losses.index(min(losses)) + 1  # the default would keep another


def test_a_metric_that_nobody_measures_is_refused():
    with pytest.raises(
        ValueError, match="selects by 'attacked_accuracy', but validation measures loss, accuracy"
    ):
        fit(mlps([0])[0], DATA, replace(RECIPE, select="attacked_accuracy"))
    with pytest.raises(ValueError, match="label smoothing belongs to the cross-entropy"):
        fit(mlps([0])[0], DATA, replace(RECIPE, label_smoothing=0.1), objective=Adversarial(0.1))


def test_streams_of_a_step_depend_on_seed_name_and_step_alone():
    def drawn(seeds, step, name="attack"):
        batch = Batch(torch.zeros(1), torch.zeros(1), seeds, step)
        return [torch.rand(1, generator=stream).item() for stream in batch.generators(name)]

    assert drawn((0, 3), 5) == [*drawn((0,), 5), *drawn((3,), 5)]
    different = [*drawn((0, 3), 5), *drawn((0,), 6), *drawn((0,), 5, "noise")]
    assert len(set(different)) == 4


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("classes", [2, 15, 16, 40])
def test_losses_and_gradients_are_those_of_the_formula_for_few_and_many_classes(classes, smoothing):
    generator = torch.Generator().manual_seed(classes)
    logits = torch.randn(3, 5, classes, generator=generator, dtype=torch.float64, requires_grad=True)
    labels = torch.randint(0, classes, (3, 5), generator=generator)
    wanted = torch.full_like(logits, smoothing / classes).detach()
    wanted.scatter_add_(2, labels[..., None], torch.full((3, 5, 1), 1 - smoothing, dtype=torch.float64))
    expected = -(wanted * (logits - logits.exp().sum(2, keepdim=True).log())).sum(2)
    losses = sample_losses(logits, labels, smoothing)
    assert torch.allclose(losses, expected, rtol=1e-12)
    weights = torch.randn(3, 5, generator=generator, dtype=torch.float64)
    (gradient,) = torch.autograd.grad((weights * losses).sum(), logits)
    softmax = logits.detach().softmax(2)
    assert torch.allclose(gradient, weights[..., None] * (softmax - wanted), rtol=1e-12, atol=1e-14)
