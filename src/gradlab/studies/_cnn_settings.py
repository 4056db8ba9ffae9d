"""Nets and recipes of the published labs on residual CNNs, and the setting in which two cores can ask their question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gradlab.augmentation import Crop, Flip
from gradlab.lab.designing.design import Arm
from gradlab.models.cnn import CNN
from gradlab.models.named import NETS
from gradlab.procedures.train import Train
from gradlab.studies._shared import PROBE_STEPS, PROTOCOL
from gradlab.studies.setup import Setup
from gradlab.training.recipe import Recipe
from gradlab.training.stopping import Patience, StagnationOverfit
from gradlab.types import UserError

SCALED = "scaled"
"""The setting of no lab: nets of He et al. on small images, deep enough that depth matters."""
MOVED = (Crop(padding=4), Flip())


@dataclass(frozen=True)
class Setting:
    """A setting of the study.

    Attributes:
        net: of all arms, in words. corrections: of the published protocol. unknown: what was not published.
        depths: of the nets, in `counted`, such as blocks. train_images: of the preset standard, where that has fewer.
    """

    name: str
    net: str
    recipe: Recipe
    depths: tuple[int, ...]
    counted: str
    corrections: tuple[str, ...] = PROTOCOL
    unknown: tuple[str, ...] = ()
    train_images: int | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)


SETTINGS: dict[str, Setting] = {
    SCALED: Setting(
        name=SCALED,
        net="Three stages of 16, 32 and 64 channels in blocks of two convolutions with batch norm, as He et al. for CIFAR; "
        "plain and residual twins",
        recipe=Recipe(batch_size=64, epochs=4, memory_format="channels-last"),
        depths=(8, 20, 32),
        counted="layers",
        corrections=(),
        train_images=8_000,
    ),
    "000": Setting(
        name="000",
        net="Plain: convolutions that double their channels, pooling, a hidden layer, no norm; residual: blocks of constant "
        "width 64 with batch norm; and the residual nets' plain twins",
        recipe=Recipe(
            batch_size=128, epochs=30, augmentation=MOVED, memory_format="channels-last",
            stopping=StagnationOverfit(patience=8, overfit_patience=8),
        ),
        depths=(2, 3, 6),
        counted="convolutions or blocks",
        corrections=(*PROTOCOL, "best weights kept (published: the last)", "a plain twin beside every residual net"),
    ),
    "001": Setting(
        name="001",
        net="Two convolutions; three stages of two with norm; ResNet-18 with a stem for small images",
        recipe=Recipe(batch_size=128, epochs=30, memory_format="channels-last", stopping=Patience(patience=5)),
        depths=(2, 6, 18),
        counted="convolutions",
        unknown=("stopping rule patience 5 on the validation loss, and widths of the smaller nets (not published)",),
    ),
    "002": Setting(
        name="002",
        net="Two stages of 16 and 32 channels at full resolution, blocks of two convolutions, no norm; with skips and without",
        recipe=Recipe(batch_size=64, epochs=50, memory_format="channels-last", stopping=Patience(patience=10)),
        depths=(2, 5, 7),
        counted="blocks a stage",
        corrections=(*PROTOCOL, "one recipe for all nets (published: dropout, augmentation and epochs differ)"),
    ),
    "003": Setting(
        name="003",
        net="Four stages of 64 to 512 channels as in ResNet-18 and ResNet-34, 1×1 projections where the shape changes; "
        "with skips and without",
        recipe=Recipe(batch_size=128, epochs=21, memory_format="channels-last"),
        depths=(18, 34),
        counted="layers",
    ),
    "004": Setting(
        name="004",
        net="Blocks of constant width 64 at full resolution with batch norm; with skips and without",
        recipe=Recipe(batch_size=64, epochs=100, augmentation=MOVED, memory_format="channels-last"),
        depths=(5, 10, 15),
        counted="blocks",
    ),
}  # fmt: skip
_FOUR_STAGE = {18: "four-stage-2", 34: "four-stage-3"}
_001 = {2: "simple-cnn", 6: "three-stage", 18: "resnet18"}


def at_preset(setting: Setting, setup: Setup) -> Setting:
    """Return a setting as the preset and the data ask for it; only the scaled one is made for less than published sizes."""
    if setting.name != SCALED or setup.preset == "full":
        return replace(setting, train_images=None)
    if setup.is_small:
        recipe = replace(setting.recipe, learning_rate=3e-3, epochs=6)
        net = setting.net.replace("16, 32 and 64", "8, 16 and 32")
        changes = {"widths": (8, 16, 32)}
        return replace(setting, net=net, depths=(8, 32), recipe=recipe, train_images=None, changes=changes)
    if setup.preset == "quick":
        return replace(setting, depths=(8, 20), recipe=replace(setting.recipe, epochs=2), train_images=2_000)
    return (
        setting if setup.train_images > (setting.train_images or 0) else replace(setting, train_images=None)
    )


def build_arms(setting: Setting, setup: Setup) -> tuple[Arm, ...]:
    """Return the arms of a setting; factor "twin" names the plain arm that differs in the skips alone."""
    if setting.name == "001":
        return tuple(_arm(setting, setup, _001[n], _001[n], n, _named(_001[n])) for n in setting.depths)
    return tuple(arm for depth in setting.depths for arm in _twins(setting, setup, depth))


def _twins(setting: Setting, setup: Setup, depth: int) -> list[Arm]:
    residual = _residual(setting, depth)
    plain = replace(residual, residual=False)
    arms = [
        _arm(setting, setup, f"plain-{depth}", "plain", depth, plain),
        _arm(setting, setup, f"residual-{depth}", "residual", depth, residual, twin=f"plain-{depth}"),
    ]
    if setting.name == "000":
        flat = _named(f"pool-flatten-{depth}")
        arms.insert(0, _arm(setting, setup, f"flat-{depth}", "plain as published", depth, flat))
    return arms


def _residual(setting: Setting, depth: int) -> CNN:
    if setting.name == SCALED:
        if depth < 8 or (depth - 2) % 6:
            raise UserError(
                f"depths are 8, 14, 20, … (three stages of two-layer blocks, stem and head), got {depth}."
            )
        return CNN(blocks=(depth - 2) // 6, residual=True, **setting.changes)
    if setting.name == "002":
        return replace(_named("two-stage-2"), blocks=depth, **setting.changes)
    if setting.name == "003":
        return replace(_named(_FOUR_STAGE[depth]), **setting.changes)
    return replace(
        _named("constant-64-2"),
        blocks=depth,
        dropout=0.3 if setting.name == "000" else 0.0,
        **setting.changes,
    )


def _named(name: str) -> CNN:
    config = NETS[name].config
    assert isinstance(config, CNN)
    return config


def _arm(
    setting: Setting, setup: Setup, name: str, net: str, depth: int, model: CNN, *, twin: str = "none"
) -> Arm:
    label = net if setting.name == "001" else f"{net}, {depth} {setting.counted}"
    return Arm(
        name=name,
        label=label,
        factors={"net": net, "depth": depth, "twin": twin},
        procedure=Train(
            data=setup.data,
            model=model,
            recipe=setting.recipe,
            train_images=setting.train_images,
            probe_steps=PROBE_STEPS,
        ),
    )
