"""The attacks of a certificate, one after the other on the images that are left, and what their order reveals."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from gradlab._torch import torch
from gradlab.attacks._asking import asked
from gradlab.attacks._ball import Ball, unit
from gradlab.attacks._preflight import Outcome
from gradlab.attacks.apgd import APGD
from gradlab.attacks.certificate import Reason
from gradlab.attacks.pgd import PGD
from gradlab.attacks.square import Square

BATCH = 250
"""Images that are attacked together."""
FEW = 20
"""Images that must be left for a check to be passed."""


@dataclass
class Battery:
    """Attacks the images that are still classified correctly.

    Attributes:
        model: in eval mode. images: (N, C, H, W) in [0, 1]. labels: (N,). eps: radius. norm: its norm.
        steps: of PGD. draws: of noise. queries: of the gradient-free attack. generator: of all of them.
        left: (N,) bool, what has withstood everything. shares: of N, after each attack.
        fooled_by: (N,) int64, which of these attacks fooled an image: 0 where none was needed, -1 where none did.
    """

    model: torch.nn.Module
    images: torch.Tensor
    labels: torch.Tensor
    eps: float
    norm: Literal["linf", "l2"]
    steps: int
    draws: int
    queries: int
    generator: torch.Generator
    left: torch.Tensor = field(init=False)
    shares: dict[str, float] = field(default_factory=dict)
    fooled_by: torch.Tensor = field(init=False)

    def __post_init__(self) -> None:
        self.left = self.right(self.images)
        self.fooled_by = -self.left.long()
        self.shares["no attack"] = self._share()

    def gradients(self) -> Iterator[Outcome]:
        """Attack with gradients: PGD, twice as long, on logits of a fixed spread, and Auto-PGD, also towards other classes."""
        from gradlab.attacks._scaled import Scaled

        self._attack("PGD", self.plain(self.eps))
        left, longer = int(self.left.sum()), self._attack("PGD, twice the steps, two restarts", self._long())
        yield judged_among(
            "more steps change little",
            longer,
            left,
            share=0.15,
            most=0.05 * len(self.images),
            text="Twice the steps from two starts fool {count} images that PGD did not",
            remedy="Take more steps and restarts before you believe the number.",
        )
        left = int(self.left.sum())
        others = self._attack("PGD on scaled logits", self._long(), Scaled(self.model))
        others += self._attack("Auto-PGD", APGD(eps=self.eps, norm=self.norm, steps=2 * self.steps))
        others += self._attack("Auto-PGD towards other classes", self._towards())
        yield judged_among(
            "losses agree",
            others,
            left,
            share=0.2,
            most=0.1 * len(self.images),
            text="Other losses fool {count} images that the cross-entropy did not",
            remedy="The cross-entropy misleads; find out whether it saturates, and judge by the worst case over losses alone.",
        )

    def single_step(self) -> Iterator[Outcome]:
        """Ask whether one step fools what many do not, which points to masked gradients."""
        yield self._weaker(
            "iterations beat one step",
            "a single step",
            lambda: self._attack("a single step", self._one_step()),
        )

    def noise(self) -> Iterator[Outcome]:
        """Ask whether random changes of the same size fool what gradients do not."""
        yield self._weaker("gradients beat noise", "random noise of the same size", self._noise)

    def gradient_free(self) -> Iterator[Outcome]:
        """Ask whether an attack without gradients fools what gradients do not."""
        square = Square(eps=self.eps, norm=self.norm, queries=self.queries)
        yield self._weaker(
            "gradients beat queries", "an attack without gradients", lambda: self._attack("square", square)
        )

    def transfer(self, twin: torch.nn.Module) -> Iterator[Outcome]:
        """Ask whether images that fool an undefended twin fool what the network's own gradients do not."""
        yield self._weaker(
            "gradients beat transfer",
            "images made for the twin",
            lambda: self._attack("transfer from the twin", self._long(stop=False), twin),
        )

    def plain(self, eps: float) -> PGD:
        """In L2 it starts at the image: a random point of that ball lies near its surface, where steps lead less far."""
        at_random = self.norm == "linf"
        return PGD(eps=eps, norm=self.norm, steps=self.steps, random_start=at_random, stop_at_success=True)

    def _long(self, *, stop: bool = True) -> PGD:
        return PGD(eps=self.eps, norm=self.norm, steps=2 * self.steps, restarts=2, stop_at_success=stop)

    def _one_step(self) -> PGD:
        return PGD(
            eps=self.eps,
            norm=self.norm,
            step_size=self.eps,
            steps=1,
            random_start=False,
            stop_at_success=False,
        )

    def _towards(self) -> APGD:
        """Go towards the likeliest other classes, by a loss that no scaling hides where there are enough of them."""
        classes = self.classes()
        loss: Literal["ce", "dlr"] = "dlr" if classes >= 4 else "ce"
        return APGD(
            eps=self.eps, norm=self.norm, steps=2 * self.steps, loss=loss, target_classes=min(3, classes - 1)
        )

    @torch.no_grad()
    def classes(self) -> int:
        return int(asked(self.model, self.images[:1]).shape[1])

    def _weaker(self, check: str, what: str, attack: Callable[[], int]) -> Outcome:
        """Judge what should fool hardly anything more; where it fools much, the attacks by gradients have failed."""
        before = int(self.left.sum())
        return judged_among(
            check,
            attack(),
            before,
            share=0.02,
            text=f"{what[0].upper()}{what[1:]} fools {{count}} images that gradients with many steps did not",
            remedy="The gradients mislead the attacks; attack without them, or with a stand-in for what hides them.",
            failed=0.25,
        )

    def _attack(
        self,
        name: str,
        attack: Callable[..., torch.Tensor],
        source: torch.nn.Module | None = None,
    ) -> int:
        """Attack what is left, with gradients of `source`; returns how many are fooled."""
        rows = self.left.nonzero()[:, 0]
        if not len(rows):
            self.shares[name] = self._share()
            return 0
        right = []
        for part in torch.split(rows, BATCH):
            images, labels = self.images[part], self.labels[part]
            found = attack(source or self.model, images, labels, generator=self.generator)
            right.append(self.right(found, part))
        return self._take(name, rows, torch.cat(right))

    def _noise(self) -> int:
        rows = self.left.nonzero()[:, 0]
        right = torch.ones_like(rows, dtype=torch.bool)
        around = Ball.around(self.images, self.eps, self.norm)
        for _ in range(self.draws if len(rows) else 0):
            images = self.images[rows]
            noise = torch.randn(images.shape, generator=self.generator, device=self.generator.device).to(
                images
            )
            change = self.eps * (noise.sign() if self.norm == "linf" else unit(noise))
            right &= self.right(around.rows(rows).project(images + change), rows)
        return self._take("noise", rows, right)

    def _take(self, name: str, rows: torch.Tensor, right: torch.Tensor) -> int:
        self.left[rows] &= right
        self.fooled_by[rows[~right]] = len(self.shares)
        self.shares[name] = self._share()
        return int((~right).sum())

    def _share(self) -> float:
        return float(self.left.double().mean())

    @torch.no_grad()
    def right(self, images: torch.Tensor, rows: torch.Tensor | None = None) -> torch.Tensor:
        labels = self.labels if rows is None else self.labels[rows]
        predicted = [asked(self.model, part).argmax(1) for part in torch.split(images, BATCH)]
        return torch.cat(predicted) == labels


def judged_among(
    check: str,
    fooled: int,
    among: int,
    *,
    share: float,
    text: str,
    remedy: str,
    failed: float = math.inf,
    most: float = math.inf,
) -> Outcome:
    """Judge how many images were fooled `among` those that were left.

    Args:
        share: of them from which on, and from 5 images on, a check is not passed.
        most: images from which on it is not passed either, whatever their share.
        failed: share from which on, and from 10 images on, the attacks before it are shown to fail.
    """
    if fooled >= max(5, min(share * among, most)):
        finding: Literal["suspect", "invalid"] = "invalid" if fooled >= max(10, failed * among) else "suspect"
        return check, Reason(
            check, finding, f"{text.format(count=fooled)} (of {among} that were left).", remedy
        )
    return check, None if among >= FEW else too_few(among)


def too_few(count: int) -> str:
    """Say why a check was not asked on this many images."""
    return f"too few images were left, {count} where {FEW} are needed."
