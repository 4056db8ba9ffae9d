"""Arms and recipes of the published labs on residual MLPs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gradlab.lab.designing.design import Arm
from gradlab.models.mlp import MLP, Init
from gradlab.procedures.train import Train
from gradlab.studies._shared import PROTOCOL
from gradlab.studies.setup import Setup
from gradlab.training.recipe import Recipe
from gradlab.training.stopping import Patience, StagnationOverfit


@dataclass(frozen=True)
class Setting:
    """A published setting.

    Attributes:
        net: of all arms, in words. corrections: of the published protocol. unknown: what was not published.
        quick_recipe, quick_depths: of the preset quick. small_recipe: of data with few training images.
    """

    name: str
    net: str
    recipe: Recipe
    corrections: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    depths: tuple[int, ...] = ()
    width: int = 16
    init: Init = "default"
    quick_depths: tuple[int, ...] = ()
    quick_recipe: Mapping[str, Any] = field(default_factory=dict)
    small_recipe: Mapping[str, Any] = field(default_factory=dict)

    @property
    def has_depths(self) -> bool:
        """Whether the arms are one net at several depths."""
        return bool(self.depths)

    @property
    def gradient_depth(self) -> int:
        """The depth whose gradients are shown: 32 as published, or the deepest."""
        return 32 if 32 in self.depths else max(self.depths)


SMALL = {"learning_rate": 1e-3, "batch_size": 32, "epochs": 40}

SETTINGS: dict[str, Setting] = {
    "003": Setting(
        name="003",
        net="Width 16, ReLU, no normalisation; residual branches of one or of two layers with the ReLU inside",
        corrections=(
            *PROTOCOL,
            "plain nets are the residual nets' twins (published: one layer less, and a ReLU after the stem)",
        ),
        recipe=Recipe(optimizer="adam", learning_rate=1e-4, batch_size=128, epochs=21),
        depths=(2, 8, 32, 64),
        quick_depths=(2, 8, 32),
        quick_recipe={"epochs": 3, "learning_rate": 1e-3},
        small_recipe=SMALL,
    ),
    "004": Setting(
        name="004",
        net="Width 64, ReLU, no normalisation; residual branches of two layers with the ReLU inside",
        corrections=PROTOCOL,
        recipe=Recipe(optimizer="adam", learning_rate=1e-3, batch_size=256, epochs=50),
        depths=(10, 20, 30),
        width=64,
        quick_depths=(10, 30),
        quick_recipe={"epochs": 3},
        small_recipe=SMALL,
    ),
    "000": Setting(
        name="000",
        net="Plain MLP 128-64, residual MLP of two blocks of two layers (width 110, ReLU after the sum) and its plain twin; "
        "dropout 0.2 at the end of each block",
        corrections=(
            *PROTOCOL,
            "best weights kept (published: the last)",
            "5,000 validation images (published: 6,000)",
        ),
        recipe=Recipe(
            optimizer="adam", learning_rate=1e-3, batch_size=128, epochs=50, stopping=StagnationOverfit()
        ),
        width=110,
        quick_recipe={"epochs": 15},
        small_recipe=SMALL,
    ),
    "001": Setting(
        name="001",
        net="One hidden layer of width 10 or 64, and the same with three residual blocks of one layer, ReLU after the sum; "
        "and the residual nets' plain twins",
        corrections=PROTOCOL,
        unknown=("stopping rule patience 5 on the validation loss (the lab's is not published)",),
        recipe=Recipe(
            optimizer="adam", learning_rate=1e-3, batch_size=128, epochs=50, stopping=Patience(patience=5)
        ),
        width=64,
        quick_recipe={"epochs": 15},
        small_recipe=SMALL,
    ),
}


def quick(setting: Setting) -> Setting:
    """Return the setting as the preset quick runs it."""
    return replace(
        setting, depths=setting.quick_depths, recipe=replace(setting.recipe, **setting.quick_recipe)
    )


def build_arms(setting: Setting, setup: Setup) -> tuple[Arm, ...]:
    """Return the arms of a setting; factor "twin" names the plain arm that differs in the skip alone."""
    if setting.has_depths:
        return tuple(arm for depth in setting.depths for arm in _arms_of_depth(setting, setup, depth))
    return _arms_000(setting, setup) if setting.name == "000" else _arms_001(setting, setup)


def _arms_of_depth(setting: Setting, setup: Setup, depth: int) -> list[Arm]:
    base = MLP(width=setting.width, depth=depth, init=setting.init, stem_activation=setting.name == "004")
    two = 2 if depth % 2 == 0 else 1  # an odd depth cannot be cut into blocks of two

    def arm(name: str, net: str, twin: str, model: MLP) -> Arm:
        factors: dict[str, str | int | float] = {"net": net, "depth": depth, "twin": twin}
        return Arm(
            name=f"{name}-{depth}",
            label=f"{net}, depth {depth}",
            factors=factors,
            procedure=Train(data=setup.data, model=model, recipe=setting.recipe),
        )

    plain = arm("plain", "plain", "none", base)
    pairs = arm(
        "residual2",
        "residual, two layers a block",
        plain.name,
        replace(base, residual=True, layers_per_block=two),
    )
    if setting.name == "004":
        return [plain, pairs]
    single = arm("residual", "residual, one layer a block", plain.name, replace(base, residual=True))
    return [plain, single, pairs] if two == 2 else [plain, single]


def _arms_000(setting: Setting, setup: Setup) -> tuple[Arm, ...]:
    blocks = MLP(
        width=setting.width,
        depth=4,
        layers_per_block=2,
        dropout=0.2,
        dropout_place="block-end",
        activation_place="after-sum",
        init=setting.init,
    )
    nets = {
        "mlp": (
            "plain 128-64",
            "none",
            MLP(widths=(128, 64), dropout=0.2, dropout_place="block-end", init=setting.init),
        ),
        "plain": ("plain twin", "none", blocks),
        "residual": ("residual", "plain", replace(blocks, residual=True)),
    }
    return tuple(
        Arm(
            name=name,
            label=net,
            factors={"net": net, "arm": net, "size": "as published", "twin": twin},
            procedure=Train(data=setup.data, model=model, recipe=setting.recipe),
        )
        for name, (net, twin, model) in nets.items()
    )


def _arms_001(setting: Setting, setup: Setup) -> tuple[Arm, ...]:
    arms = []
    for width in (10, 64):
        deep = MLP(width=width, depth=3, activation_place="after-sum", init=setting.init)
        nets = {
            f"shallow-{width}": ("one hidden layer", "none", MLP(width=width, depth=0, init=setting.init)),
            f"plain-{width}": ("plain twin", "none", deep),
            f"residual-{width}": ("residual", f"plain-{width}", replace(deep, residual=True)),
        }
        arms += [
            Arm(
                name=name,
                label=f"{net}, width {width}",
                factors={"net": net, "arm": f"{net}, width {width}", "size": f"width {width}", "twin": twin},
                procedure=Train(data=setup.data, model=model, recipe=setting.recipe),
            )
            for name, (net, twin, model) in nets.items()
        ]
    return tuple(arms)
