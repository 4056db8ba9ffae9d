"""Augmentation in the training loop: training batches alone, every seed by its own streams."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from gradlab.augmentation import AUGMENTATION_SETS, CutMix, FeatureAugmentation, Flip, Mixup, Rotation, Shift
from gradlab.data import from_tensors
from gradlab.models import MLP
from gradlab.training import Recipe, fit, fit_stacked
from gradlab.training.augment import Augmenter, build_augmenter, last_linear
from gradlab.training.objective import batch_loss, training_loss
from gradlab.types import UserError

CONFIG = MLP(width=6, depth=1)
QUICK = {"epochs": 2, "batch_size": 16, "learning_rate": 1e-2}
RECIPES = {
    "light": Recipe(augmentation=AUGMENTATION_SETS["light"], **QUICK),
    "heavy": Recipe(augmentation=AUGMENTATION_SETS["heavy"], **QUICK),
    "mixup": Recipe(mixing=Mixup(alpha=1.0), **QUICK),
    "cutmix": Recipe(mixing=CutMix(), label_smoothing=0.1, **QUICK),
    "features": Recipe(feature_augmentation=FeatureAugmentation(), **QUICK),
    "noise": Recipe(feature_augmentation=FeatureAugmentation(kind="noise"), **QUICK),
    "alternating": Recipe(augmentation=(Flip(alternate=True), Shift(fraction=0.1)), **QUICK),
    "all": Recipe(augmentation=(Flip(), Shift(fraction=0.1)), mixing=Mixup(), **QUICK),
}


@pytest.fixture(scope="module")
def data():
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (100, 1, 8, 8), generator=generator, dtype=torch.uint8)
    labels = torch.arange(100) % 3
    return from_tensors(images, labels, name="made")


def networks(seeds):
    return [CONFIG.build((1, 8, 8), 3, seed=seed).double() for seed in seeds]


def flat(model: nn.Module) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


@pytest.mark.parametrize("name", RECIPES)
def test_stacked_seeds_are_augmented_as_each_alone(data, name):
    seeds = (0, 1, 2)
    together = fit_stacked(networks(seeds), data, RECIPES[name], seeds=seeds, precision="fp64")
    for seed, one in zip(seeds, together, strict=True):
        alone = fit(networks([seed])[0], data, RECIPES[name], seed=seed, precision="fp64")
        torch.testing.assert_close(flat(one.model), flat(alone.model), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", RECIPES)
def test_the_same_seed_gives_the_same_bits_and_another_recipe_others(data, name):
    first, second = (fit(networks([0])[0], data, RECIPES[name], seed=3) for _ in range(2))
    plain = fit(networks([0])[0], data, Recipe(**QUICK), seed=3)
    assert torch.equal(flat(first.model), flat(second.model))
    assert not torch.equal(flat(first.model), flat(plain.model))
    assert first.history == second.history


@pytest.mark.parametrize("name", ["light", "mixup", "features"])
def test_a_run_that_was_paused_goes_on_bit_for_bit(data, name, tmp_path):
    whole = fit(networks([0])[0], data, RECIPES[name], seed=1)
    fit(networks([0])[0], data, RECIPES[name], seed=1, checkpoint=tmp_path / "c", pause_after=1)
    resumed = fit(networks([0])[0], data, RECIPES[name], seed=1, checkpoint=tmp_path / "c")
    assert torch.equal(flat(whole.model), flat(resumed.model))
    assert whole.history == resumed.history


def test_validation_images_and_the_data_stay_as_they_are(data):
    """The validation loss of the kept weights is that of the plain images, and no image in the data has changed."""
    before = {role: split.images.clone() for role, split in data.splits.items()}
    recipe = Recipe(augmentation=AUGMENTATION_SETS["heavy"], mixing=CutMix(), keep="last", **QUICK)
    done = fit(networks([0])[0], data, recipe, seed=0, precision="fp64")
    with torch.no_grad():
        logits = done.model(data.validation.images.double() / 255)
    loss = functional.cross_entropy(logits, data.validation.labels).item()
    assert done.history[-1]["validation_loss"] == pytest.approx(loss, rel=1e-12)
    for role, split in data.splits.items():
        assert torch.equal(split.images, before[role])


@pytest.mark.parametrize("hidden", [False, True])
def test_features_change_in_training_alone(data, hidden):
    recipe = Recipe(feature_augmentation=FeatureAugmentation(), **QUICK) if hidden else Recipe(**QUICK)
    seen = []

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.head = nn.Linear(64, 5), nn.Linear(5, 3)

        def forward(self, images):
            features = self.body(images.flatten(1))
            logits = self.head(features)
            direct = functional.linear(features, self.head.weight, self.head.bias)
            seen.append((self.training, torch.equal(logits, direct)))
            return logits

    fit(Net(), data, recipe, seed=0)
    assert {same for training, same in seen if not training} == {True}
    assert {same for training, same in seen if training} == {not hidden}


def test_every_seed_and_epoch_draws_afresh_and_the_same_again():
    augmenter = Augmenter(Recipe(augmentation=(Rotation(degrees=45),)))
    images = torch.rand(2, 4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    images[1] = images[0]

    def drawn(seeds, epoch):
        augmenter.start(seeds, epoch)
        changed, mixture = augmenter.change(images, *torch.zeros(2, 2, 4, dtype=torch.int64))
        assert mixture is None
        return changed

    first = drawn((0, 1), 1)
    assert not torch.equal(first[0], first[1])
    assert torch.equal(first, drawn((0, 1), 1))
    assert not torch.equal(first, drawn((0, 1), 2))
    assert torch.equal(first.flip(0), drawn((1, 0), 1))


def test_an_alternating_flip_mirrors_each_image_in_one_of_two_epochs(data):
    seen = []

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(64, 3)

        def forward(self, images):
            if self.training:
                seen.extend(images.mul(255).round().to(torch.uint8))
            return self.layer(images.flatten(1))

    fit(Net(), data, Recipe(augmentation=(Flip(alternate=True),), **QUICK | {"epochs": 4}), seed=0)
    count = len(data.train)
    visits = [torch.stack(seen[start : start + count]) for start in range(0, 4 * count, count)]
    plain, mirrored = data.train.images, data.train.images.flip(-1)

    def has(visit, one):
        return bool((visit == one).flatten(1).all(1).any())

    sides = [[has(visit, one) for one in plain] for visit in visits]
    assert [[has(visit, one) for one in mirrored] for visit in visits] == [
        [not one for one in row] for row in sides
    ]
    assert sides[0] == sides[2] != sides[1] == sides[3]
    assert [not one for one in sides[0]] == sides[1]
    assert 0.25 < sum(sides[0]) / count < 0.75


def test_a_mixed_loss_is_the_weighted_sum_over_both_labels():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 5, 3, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, 3, (2, 5), generator=generator)
    augmenter = Augmenter(Recipe(mixing=Mixup(alpha=1.0)))
    augmenter.start((0, 1), 1)
    _, mixture = augmenter.change(torch.rand(2, 5, 1, 4, 4, generator=generator), labels, labels)
    by_hand = [
        sum(
            float(mixture.weight[s, i]) * functional.cross_entropy(logits[s, i], labels[s, i]).item()
            + (1 - float(mixture.weight[s, i]))
            * functional.cross_entropy(logits[s, i], mixture.labels[s, i]).item()
            for i in range(5)
        )
        / 5
        for s in range(2)
    ]
    assert training_loss(logits, labels, mixture, 0.0).tolist() == pytest.approx(by_hand, rel=1e-6)
    assert torch.equal(training_loss(logits, labels, None, 0.1), batch_loss(logits, labels, 0.1))


def test_a_recipe_without_augmentation_has_no_augmenter():
    assert build_augmenter(Recipe()) is None
    assert Recipe().describe() == "Adam 0.001, batch 128, 20 epochs, best validation loss kept"
    assert "augmented by rotation, shift, scale, blur" in RECIPES["light"].describe()


def test_mixing_and_feature_augmentation_exclude_each_other():
    with pytest.raises(ValueError, match="mixing blends the classes"):
        Recipe(mixing=Mixup(), feature_augmentation=FeatureAugmentation())


def test_the_features_are_those_before_the_last_linear_layer():
    network = CONFIG.build((1, 8, 8), 3, seed=0)
    assert last_linear(network) is network.head
    with pytest.raises(UserError, match="this model has none"):
        last_linear(nn.Sequential(nn.Flatten()))


def test_training_images_are_drawn_by_seed_and_nothing_else_is_visited(data):
    visited = {}

    class Spy(nn.Module):
        def __init__(self, seed: int) -> None:
            super().__init__()
            self.linear, self.seen = nn.Linear(64, 3), visited.setdefault(seed, set())

        def forward(self, images):
            if self.training:
                self.seen |= {tuple(row) for row in (255 * images).round().int().flatten(1).tolist()}
            return self.linear(images.flatten(1))

        def __deepcopy__(self, _memo):
            return self

    for seed in (0, 1):
        fit(Spy(seed), data, Recipe(**QUICK), seed=seed, train_images=20)
    known = {tuple(row) for row in data.train.images.flatten(1).tolist()}
    assert visited[0] <= known
    assert visited[1] <= known
    assert len(visited[0]) == len(visited[1]) <= 21
    assert visited[0] != visited[1]


@pytest.mark.parametrize("count", [0, -1, 10**6])
def test_more_or_fewer_training_images_than_there_are_is_one_sentence(data, count):
    with pytest.raises(UserError, match="train_images must lie between 1 and"):
        fit(networks([0])[0], data, Recipe(**QUICK), train_images=count)
