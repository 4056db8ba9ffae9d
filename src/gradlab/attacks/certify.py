"""The robustness certificate: how many images withstand every attack, and whether the attacks can be believed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, get_args

from gradlab._torch import torch
from gradlab.attacks._battery import Battery
from gradlab.attacks._checks import check_logits
from gradlab.attacks._goal import prepare
from gradlab.attacks._preflight import Outcome, preflight
from gradlab.attacks._undisturbed import undisturbed
from gradlab.attacks.certificate import Certificate
from gradlab.attacks.pgd import PGD
from gradlab.statistics import wilson
from gradlab.types import UserError

if TYPE_CHECKING:
    from gradlab.data import Dataset, Split

Norm = Literal["linf", "l2"]
FIRST = 64
"""Images on which the network is looked at before it is attacked."""


@dataclass(frozen=True)
class Effort:
    """How much is spent: images, steps of PGD, draws of noise, queries without gradients."""

    images: int
    steps: int
    draws: int
    queries: int


EFFORTS = {"quick": Effort(200, 20, 20, 300), "standard": Effort(1000, 50, 100, 2000)}


def certify(
    model: torch.nn.Module,
    data: Dataset | Split | tuple[torch.Tensor, torch.Tensor],
    eps: float | str,
    norm: Norm = "linf",
    *,
    quick: bool = False,
    images: int | None = None,
    minutes: float | None = None,
    twin: torch.nn.Module | None = None,
    seed: int = 0,
) -> Certificate:
    """Attack a network in many ways, and judge whether surviving them means anything.

    The checks are those of Carlini et al. (2019, arXiv:1902.06705) and the flags of AutoAttack (Croce & Hein, 2020,
    arXiv:2003.01690) that a machine can run. *Valid*: all that were asked were passed. *Suspect*: a better attack may
    find less robustness. *Invalid*: the attacks were shown to fail, so that surviving them is no evidence. Robust accuracy
    counts an image if no attack fooled it, and is an upper bound; no finite number of attacks proves robustness.

    Args:
        model: maps images (N, C, H, W) in [0, 1] to logits (N, K); runs in eval mode and is left as it was found.
        data: a data set, whose test images are attacked, a part of one, or images (N, C, H, W) float in [0, 1] and labels
            (N,) int64.
        eps: radius on the [0, 1] pixel scale, such as 8/255 or "8/255"; in L2 such as 0.5. norm: "linf" or "l2".
        quick: 200 images and 20 steps of PGD instead of 1,000 and 50.
        images: how many instead, drawn with the class shares of the whole. minutes: after which no further check begins.
        twin: the same network trained without a defence; images that fool it are tried on this one.
        seed: of images, starts and noise.

    Raises:
        UserError: no images, another norm, a radius of 0 or outside the norm's range, or a model that does not fit.
    """
    if norm not in get_args(Norm):
        raise UserError(f"certify judges the norms {' and '.join(get_args(Norm))}, got {norm!r}.")
    radius = PGD(eps=eps, norm=norm).eps  # type: ignore[arg-type] # it reads the text as well
    if not radius:
        raise UserError("certify needs a radius above 0, such as 8/255, got 0.")
    effort = EFFORTS["quick" if quick else "standard"]
    generator = torch.Generator().manual_seed(seed)
    with undisturbed(model), undisturbed(model if twin is None else twin):
        batch, goal = prepare(*_drawn(data, images or effort.images, seed, model), None)
        with torch.no_grad():
            check_logits(model(batch[:1]).expand(len(batch), -1), goal.labels, None)
        battery = Battery(
            model, batch, goal.labels, radius, norm, effort.steps, effort.draws, effort.queries, generator
        )
        clean = battery.left.clone()
        outcomes, skipped = _asked(_stages(battery, twin), minutes)
    budget = (
        f"{len(batch):,} images, PGD and Auto-PGD of {effort.steps} and {2 * effort.steps} steps, {effort.draws} draws of noise, "
        f"{effort.queries} queries without gradients"
        + (f", at most {minutes:g} minutes" if minutes is not None else "")
    )
    return Certificate(
        eps=radius,
        norm=norm,
        images=len(batch),
        clean=wilson(int(clean.sum()), len(batch)),
        robust=wilson(int(battery.left.sum()), len(batch)),
        attacks=dict(battery.shares),
        reasons=tuple(reason for _, reason in outcomes if reason is not None),
        passed=tuple(name for name, reason in outcomes if reason is None),
        skipped=_unasked(twin) | skipped,
        budget=budget,
    )


Stages = dict[str, Callable[[], Iterable[Outcome]]]


def _stages(battery: Battery, twin: torch.nn.Module | None) -> Stages:
    """Return the stages in their order: the network itself, strong attacks, then weaker ones on what these left."""
    first = slice(0, FIRST)

    def look() -> Iterator[Outcome]:
        size = battery.images[0].numel() ** 0.5 if battery.norm == "l2" else 1
        return preflight(
            battery.model, battery.images[first], battery.labels[first], battery.eps / size, battery.generator
        )

    stages: Stages = {"the network itself": look, "attacks by gradients": battery.gradients}
    stages |= {"one step": battery.single_step, "noise": battery.noise, "other radii": battery.radii}
    if twin is not None:
        stages["transfer"] = partial(battery.transfer, twin)
    stages["attack without gradients"] = battery.gradient_free
    return stages


def _asked(stages: Stages, minutes: float | None) -> tuple[list[Outcome], dict[str, str]]:
    """Run the stages until the time is over; the first two always."""
    begun = time.monotonic()
    outcomes: list[Outcome] = []
    skipped: dict[str, str] = {}
    for number, (name, stage) in enumerate(stages.items()):
        if minutes is not None and number > 1 and time.monotonic() - begun > 60 * minutes:
            skipped[name] = f"the {minutes:g} minutes were over."
        else:
            outcomes += list(stage())
    return outcomes, skipped


def _unasked(twin: torch.nn.Module | None) -> dict[str, str]:
    if twin is not None:
        return {}
    return {"transfer": "no undefended twin was given; train one and give it as twin."}


def _drawn(
    data: Dataset | Split | tuple[torch.Tensor, torch.Tensor], count: int, seed: int, model: torch.nn.Module
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return images in [0, 1] and labels, on the device and in the number format of the model."""
    from gradlab.data import draw, gather
    from gradlab.training.checks import like

    split = getattr(data, "test", data) if not isinstance(data, tuple) else None
    if split is None and not isinstance(data, tuple):
        raise UserError(
            f"'{getattr(data, 'name', data)}' has no test images here to attack; give another part of it."
        )
    labels = data[1] if isinstance(data, tuple) else split.labels  # type: ignore[union-attr] # one of the two
    if not len(labels):
        raise UserError("certify needs at least one image, got none.")
    rows = (
        torch.arange(len(labels))
        if count >= len(labels)
        else draw(labels.cpu(), count, seed=seed).sort().values
    )
    wanted = like(model)
    if isinstance(data, tuple):
        images = data[0][rows]
    else:
        images = gather(split, rows.to(labels.device), dtype=wanted.dtype)  # type: ignore[arg-type] # there is one
    return images.to(wanted.device), labels[rows.to(labels.device)].to(wanted.device)
