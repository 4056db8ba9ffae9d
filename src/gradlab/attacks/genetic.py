"""Genetic attack: GenAttack."""

from __future__ import annotations

from dataclasses import dataclass as plain_dataclass
from typing import ClassVar, Literal

from gradlab._configuration import dataclass
from gradlab._torch import torch
from gradlab.attacks._ball import Norm
from gradlab.attacks._draws import Draws
from gradlab.attacks._goal import prepare
from gradlab.attacks._search import Search, check_counts
from gradlab.attacks._undisturbed import undisturbed
from gradlab.attacks.found import Explorer, Found
from gradlab.attacks.project_linf import ball
from gradlab.types import STRICT, Count, Fraction, PixelEps, PositiveFloat, UserError, check_pixels


def genetic(
    model: torch.nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    *,
    eps: float,
    population: int,
    generations: int,
    mutation_probability: float,
    mutation_range: float,
    temperature: float,
    targets: torch.Tensor | None = None,
    generator: torch.Generator | None = None,
) -> Found:
    """GenAttack in the L-infinity ball (Alzantot et al., 2019, arXiv:1805.11090, algorithm 1).

    The first population is uniform in the ball. The fittest member, by the log odds of the target, lives on; every other
    place is taken by a child of two parents, drawn with probabilities softmax(fitness / temperature). Each number of the
    child is that of one parent or the other, in the ratio of these probabilities, and mutates with `mutation_probability`
    by up to mutation_range·eps; then the child is clipped to the ball. The paper attacks towards a target; without
    targets the fitness is minus the log odds of the label. The fittest member is not asked again.

    Args:
        model: maps images (N, C, H, W) in [0, 1] to logits (N, K); normalises inside. It runs in eval mode and is left
            as it was found, also when it raises. Only its outputs are used.
        images: (N, C, H, W) float in [0, 1].
        labels: (N,) int64 in [0, K).
        eps: radius on the [0, 1] pixel scale, e.g. 8/255.
        population: members of an image, at least 2.
        generations: how often they have children.
        mutation_probability: of every number of a child, in [0, 1].
        mutation_range: largest mutation, in units of eps.
        temperature: of the selection; smaller prefers the fittest more.
        targets: (N,) int64 in [0, K), other than the labels: go towards these classes instead of away from the labels.
        generator: its seed, with the image, names the random numbers of that image; left out, seed 0.

    Returns: images at most `eps` from the given ones, exactly. Iteration 0 is the image as given, 1 the first population,
        1 + g generation g.

    Raises:
        UserError: as `fgsm` does, fewer than 2 members, or no generation.
    """
    _check(eps, population, generations)
    with undisturbed(model):
        images, goal = prepare(images, labels, targets)
        search = Search(model, images, goal)
        draws, reach = Draws(images, generator), mutation_range * eps
        breeding = _Breeding(images, *ball(images, eps), eps, draws, mutation_probability, reach, temperature)
        _evolve(search, breeding, population, generations)
    return search.found


def _evolve(search: Search, breeding: _Breeding, population: int, generations: int) -> None:
    rows = search.going
    if not len(rows):
        return
    members = breeding.first(rows, population)
    fitness = search.ask(rows, population, members.__getitem__, 1)
    for generation in range(1, generations + 1):
        going = ~search.tally.is_done[rows]
        rows, members, fitness = rows[going], members[going], fitness[going]
        if not len(rows):
            return
        elite = torch.arange(len(rows)), fitness.argmax(1)
        children = breeding.children(rows, members, fitness)
        asked = search.ask(rows, population - 1, children.__getitem__, 1 + generation)
        members = torch.cat([members[elite][:, None], children], 1)
        fitness = torch.cat([fitness[elite][:, None], asked], 1)


@plain_dataclass(frozen=True)
class _Breeding:
    """How children come about; members are images (n, population, C, H, W)."""

    images: torch.Tensor
    low: torch.Tensor
    high: torch.Tensor
    eps: float
    draws: Draws
    probability: float
    reach: float
    temperature: float

    def first(self, rows: torch.Tensor, population: int) -> torch.Tensor:
        noise = 2 * self.draws.uniform(rows, population, *self.images.shape[1:]) - 1
        return self._clipped(rows, self.images[rows][:, None] + (self.eps * noise).to(self.images.dtype))

    def children(self, rows: torch.Tensor, members: torch.Tensor, fitness: torch.Tensor) -> torch.Tensor:
        """Return one child less than there are members."""
        count, shape = members.shape[1] - 1, members.shape[2:]
        scaled = (fitness - fitness.amax(1, keepdim=True)) / self.temperature
        upto = scaled.softmax(1).cumsum(1)
        drawn = self.draws.uniform(rows, 2, count).flatten(1) * upto[:, -1:]
        parents = torch.searchsorted(upto, drawn, right=True).clamp(max=count).view(-1, 2, count)
        first, second = (members[torch.arange(len(rows))[:, None], parents[:, n]] for n in (0, 1))
        odds = scaled.gather(1, parents[:, 0]) - scaled.gather(1, parents[:, 1])
        of_first = self.draws.uniform(rows, count, *shape) < odds.sigmoid()[:, :, None, None, None]
        mutates = self.draws.uniform(rows, count, *shape) < self.probability
        mutation = self.reach * (2 * self.draws.uniform(rows, count, *shape) - 1)
        children = torch.where(of_first, first, second) + (mutation * mutates).to(members.dtype)
        return self._clipped(rows, children)

    def _clipped(self, rows: torch.Tensor, members: torch.Tensor) -> torch.Tensor:
        return members.clamp(self.low[rows][:, None], self.high[rows][:, None])


def _check(eps: float, population: int, generations: int) -> None:
    check_pixels(eps)
    check_counts(generations=generations)
    if population < 2:
        raise UserError(f"a child has two parents, so population must be at least 2, got {population}.")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Genetic(Explorer):
    """GenAttack; population 6, mutation probability 0.05 and range 1 are the paper's for MNIST and CIFAR-10.

    The paper allows 100,000 questions an image, 20,000 generations; the default are 500.

    Attributes:
        eps: L-infinity radius on the [0, 1] pixel scale, such as 8/255.
        population: members of an image. generations: how often they have children.
        mutation_probability: of every number of a child. mutation_range: largest mutation, in units of eps.
        temperature: of the selection; smaller prefers the fittest more.
    """

    attack: ClassVar = staticmethod(genetic)
    kind: Literal["genetic"] = "genetic"
    eps: PixelEps = 8 / 255
    population: Count = 6
    generations: Count = 500
    mutation_probability: Fraction = 0.05
    mutation_range: PositiveFloat = 1.0
    temperature: PositiveFloat = 0.1

    def __post_init__(self) -> None:
        _check(self.eps, self.population, self.generations)

    @property
    def norm(self) -> Norm:
        """Norm of the radius."""
        return "linf"
