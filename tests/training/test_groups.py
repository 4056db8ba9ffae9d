"""Groups of parameters against PyTorch's own parameter groups."""

import pytest
import torch
from torch import nn

from gradlab.data import order
from gradlab.models import MLP
from gradlab.training import Group, Recipe, fit, fit_stacked

from .examples import CLASSES, SHAPE, assert_states_close, blobs, small_cnn

DATA = blobs()
GROUPS = (Group(shape="vectors", decay=0.0), Group(match="head.*", rate=3.0, decay=0.2))
RECIPE = {"epochs": 2, "batch_size": 16, "learning_rate": 0.01, "weight_decay": 0.05, "keep": "last"}


def by_hand(model, make, clip=None):
    """The notebook loop over PyTorch's own groups, in float64."""
    model = model.double().train()
    vectors = [p for p in model.parameters() if p.dim() <= 1]
    head = [p for name, p in model.named_parameters() if p.dim() > 1 and name.startswith("head")]
    rest = [p for name, p in model.named_parameters() if p.dim() > 1 and not name.startswith("head")]
    optimizer = make(
        [
            {"params": vectors, "weight_decay": 0.0},
            {"params": head, "lr": 0.03, "weight_decay": 0.2},
            {"params": rest},
        ]
    )
    for epoch in (1, 2):
        for chosen in order(len(DATA.train), seed=4, epoch=epoch).split(16):
            optimizer.zero_grad()
            logits = model(DATA.train.images[chosen].double() / 255)
            nn.functional.cross_entropy(logits, DATA.train.labels[chosen]).backward()
            if clip:
                nn.utils.clip_grad_norm_(model.parameters(), clip)
            optimizer.step()
    return model.state_dict()


def mlp(seed=0):
    return MLP(width=6, depth=2, norm="layer").build(SHAPE, CLASSES, seed=seed)


def cnn():
    model = small_cnn()
    model.drop.p = 0.0
    return model


OPTIMIZERS = {
    "adamw": lambda groups: torch.optim.AdamW(groups, lr=0.01, weight_decay=0.05),
    "sgd": lambda groups: torch.optim.SGD(groups, lr=0.01, weight_decay=0.05),
}


@pytest.mark.parametrize("make", [mlp, cnn])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("clip", [None, 0.3])
def test_groups_train_as_pytorch_s_own(make, optimizer, clip):
    expected = by_hand(make(), OPTIMIZERS[optimizer], clip)
    recipe = Recipe(**RECIPE, optimizer=optimizer, groups=GROUPS, clip_norm=clip)
    trained = fit(make(), DATA, recipe, seed=4, precision="fp64", progress=False)
    assert_states_close(trained.model.state_dict(), expected, 1e-10)
    assert trained.history[0]["learning_rate"] == 0.01


def test_stacked_seeds_with_groups_equal_solo_ones_and_resume(tmp_path):
    recipe = Recipe(**RECIPE, optimizer="adamw", groups=GROUPS, ema=0.5)
    arguments = {"seeds": [0, 4], "precision": "fp64", "progress": False}
    models = [mlp(0), mlp(4)]
    together = fit_stacked(models, DATA, recipe, **arguments)
    alone = fit(mlp(4), DATA, recipe, seed=4, precision="fp64", progress=False)
    assert_states_close(together[1].model.state_dict(), alone.model.state_dict(), 1e-9)
    fit_stacked(models, DATA, recipe, checkpoint=tmp_path / "c", pause_after=1, **arguments)
    resumed = fit_stacked(models, DATA, recipe, checkpoint=tmp_path / "c", **arguments)
    for mine, theirs in zip(resumed, together, strict=True):
        assert mine.history == theirs.history
        assert_states_close(mine.model.state_dict(), theirs.model.state_dict(), 0.0)


def test_a_group_without_a_parameter_is_refused_with_names():
    recipe = Recipe(epochs=1, groups=(Group(match="stem.*", rate=0.1), Group(match="classifier.*")))
    with pytest.raises(
        ValueError, match=r"no trained parameter is left for .*'classifier\.\*'.*called stem.0.weight"
    ):
        fit(mlp(), DATA, recipe)
    with pytest.raises(ValueError, match="'any', 'vectors', 'matrices' or 'head'"):
        Group(shape="biases")


def test_groups_are_said():
    recipe = Recipe(groups=GROUPS)
    assert "vectors with weight decay 0, 'head.*' with rate × 3 and weight decay 0.2" in recipe.describe()
