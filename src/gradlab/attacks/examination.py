"""The stages of a certificate, one after the other: what was asked of a network, and what came out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from gradlab._torch import torch
from gradlab.attacks._asking import asked
from gradlab.attacks._battery import Battery
from gradlab.attacks._checks import check_logits
from gradlab.attacks._goal import prepare
from gradlab.attacks._preflight import Outcome, preflight
from gradlab.attacks._radii import radii
from gradlab.attacks.certificate import Certificate, Reason
from gradlab.attacks.effort import Effort, Norm
from gradlab.statistics import wilson
from gradlab.types import derive_seed

FIRST = 64
"""Images on which the network is looked at before it is attacked."""
NO_TWIN = "no undefended twin was given; train one and give it as twin."


def examine(
    model: torch.nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    radius: float,
    norm: Norm,
    effort: Effort,
    twin: torch.nn.Module | None = None,
    seed: int = 0,
) -> Examination:
    """Return the examination of a model in eval mode, of which no stage has run yet.

    Raises:
        UserError: images, labels or outputs that do not fit.
    """
    batch, goal = prepare(images, labels, None)
    with torch.no_grad():
        first = asked(model, batch[:1])
        check_logits(first, goal.labels[:1], None)
        check_logits(first.expand(len(batch), -1), goal.labels, None)
    battery = Battery(
        model, batch, goal.labels, radius, norm, effort.steps, effort.draws, effort.queries, torch.Generator()
    )
    return Examination(battery, effort, twin, seed)


@dataclass
class Examination:
    """A network under examination; it runs stage by stage, each with random numbers of its own.

    Attributes:
        battery: its attacks. effort: what is spent. twin: the network without a defence. seed: of all random numbers.
        outcomes: of the stages that ran. skipped: check -> why it was not asked.
    """

    battery: Battery
    effort: Effort
    twin: torch.nn.Module | None = None
    seed: int = 0
    outcomes: list[Outcome] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)

    @property
    def stages(self) -> dict[str, Callable[[], Iterable[Outcome]]]:
        """The stages in their order: the network itself, strong attacks, then weaker ones on what these left."""
        battery = self.battery
        found: dict[str, Callable[[], Iterable[Outcome]]] = {
            "the network itself": self._look,
            "attacks by gradients": battery.gradients,
            "one step": battery.single_step,
            "noise": battery.noise,
            "other radii": partial(radii, battery),
        }
        if self.twin is not None:
            found["transfer"] = partial(battery.transfer, self.twin)
        return found | {"attack without gradients": battery.gradient_free}

    def run(self, name: str) -> list[Outcome]:
        """Run one stage; returns what its checks found."""
        self.battery.generator = torch.Generator().manual_seed(derive_seed(self.seed, "certify", name))
        found = list(self.stages[name]())
        self.outcomes += found
        return found

    def run_all(self, minutes: float | None = None) -> None:
        """Run the stages until the time is over; the first two always."""
        begun = time.monotonic()
        for number, name in enumerate(self.stages):
            if minutes is not None and number > 1 and time.monotonic() - begun > 60 * minutes:
                self.skipped[name] = f"the {minutes:g} minutes were over."
            else:
                self.run(name)

    def certificate(self, more: str = "") -> Certificate:
        """Return what was found; `more` is said of the budget."""
        battery, effort, count = self.battery, self.effort, len(self.battery.images)
        unasked = {} if self.twin is not None else {"transfer": NO_TWIN}
        unasked |= {name: why for name, why in self.outcomes if isinstance(why, str)}
        return Certificate(
            eps=battery.eps,
            norm=battery.norm,
            images=count,
            clean=wilson(int((battery.fooled_by != 0).sum()), count),
            robust=wilson(int(battery.left.sum()), count),
            attacks=dict(battery.shares),
            reasons=tuple(reason for _, reason in self.outcomes if isinstance(reason, Reason)),
            passed=tuple(name for name, reason in self.outcomes if reason is None),
            skipped=unasked | self.skipped,
            budget=f"{count:,} images, PGD and Auto-PGD of {effort.steps} and {2 * effort.steps} steps, {effort.draws} draws "
            f"of noise, {effort.queries} queries without gradients{more}",
        )

    def _look(self) -> Iterator[Outcome]:
        battery, first = self.battery, slice(0, FIRST)
        size = battery.images[0].numel() ** 0.5 if battery.norm == "l2" else 1
        return preflight(
            battery.model, battery.images[first], battery.labels[first], battery.eps / size, battery.generator
        )
