"""Few-pixel attack: differential evolution over positions and colours."""

from __future__ import annotations

from collections.abc import Callable
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
from gradlab.types import STRICT, Count, PixelEps, UserError, check_pixels

SCALE = 0.5
"""F of the paper: by which the difference of two candidates is added to a third."""


def few_pixel(
    model: torch.nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    *,
    pixels: int,
    eps: float,
    population: int,
    generations: int,
    targets: torch.Tensor | None = None,
    generator: torch.Generator | None = None,
) -> Found:
    """Change a few pixels, found by differential evolution (Su, Vargas and Sakurai, 2019, arXiv:1710.08864, section 3.2).

    A candidate is the position and the colour of every pixel that it changes. The first population has uniform positions
    and normal colours (mean and standard deviation half the range). A child is candidate + 0.5·(another - a third), and
    replaces the parent of its own number if it is better, without crossover. The paper leaves open what becomes of a child
    outside the image: here its position is drawn anew, and its colour is clipped.

    Args:
        model: maps images (N, C, H, W) in [0, 1] to logits (N, K); normalises inside. It runs in eval mode and is left
            as it was found, also when it raises. Only its outputs are used.
        images: (N, C, H, W) float in [0, 1].
        labels: (N,) int64 in [0, K).
        pixels: positions that may change, in all channels.
        eps: how far a channel of these may change, on the [0, 1] pixel scale; 1 allows any colour.
        population: candidates of an image, at least 4.
        generations: how often they have children.
        targets: (N,) int64 in [0, K), other than the labels: go towards these classes instead of away from the labels.
        generator: its seed, with the image, names the random numbers of that image; left out, seed 0.

    Returns: images in which at most `pixels` pixels differ, each channel by at most `eps`, exactly. Iteration 0 is the image
        as given, 1 the first population, 1 + g that of generation g.

    Raises:
        UserError: as `fgsm` does, fewer than 4 candidates, no generation, or more pixels than an image has.
    """
    _check(pixels, eps, population, generations)
    with undisturbed(model):
        images, goal = prepare(images, labels, targets)
        if pixels > images.shape[2] * images.shape[3]:
            raise UserError(
                f"an image has {images.shape[2] * images.shape[3]} pixels, got pixels={pixels}; take fewer."
            )
        search = Search(model, images, goal)
        evolution = _Evolution(images, eps, pixels, population, Draws(images, generator))
        _evolve(search, evolution, population, generations)
    return search.found


def _evolve(search: Search, evolution: _Evolution, population: int, generations: int) -> None:
    rows = search.going
    if not len(rows):
        return
    members = evolution.first(rows)
    fitness = torch.full((len(rows), population), -torch.inf, device=rows.device)
    for generation in range(generations + 1):
        children = evolution.children(rows, members) if generation else members
        asked = search.ask(rows, population, evolution.painter(rows, children), 1 + generation)
        better = asked > fitness
        members = torch.where(better[:, :, None, None], children, members)
        fitness = torch.where(better, asked, fitness)
        going = ~search.tally.is_done[rows]
        rows, members, fitness = rows[going], members[going], fitness[going]
        if not len(rows):
            return


class _Evolution:
    """Candidates (n, population, pixels, 2 + C) float32: row and column as shares of the image, and the colour."""

    def __init__(self, images: torch.Tensor, eps: float, pixels: int, population: int, draws: Draws) -> None:
        self.images, self.draws = images, draws
        self.low, self.high = ball(images, eps)
        self.shape = (population, pixels)

    def first(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the first population."""
        positions = self.draws.uniform(rows, *self.shape, 2)
        colours = 0.5 + 0.5 * self.draws.normal(rows, *self.shape, self.images.shape[1])
        return torch.cat([positions, colours.clamp(0, 1)], -1)

    def children(self, rows: torch.Tensor, members: torch.Tensor) -> torch.Tensor:
        """Return a child for every member."""
        one, other, third = (
            members.gather(1, place[:, :, None, None].expand_as(members)) for place in self._three(rows)
        )
        children = one + SCALE * (other - third)
        anew = self.draws.uniform(rows, *self.shape, 2)
        positions = children[..., :2]
        outside = (positions < 0) | (positions >= 1)
        return torch.cat([torch.where(outside, anew, positions), children[..., 2:].clamp(0, 1)], -1)

    def _three(self, rows: torch.Tensor) -> list[torch.Tensor]:
        """Draw three different numbers of candidates for every child, each (n, population) int64."""
        count = self.shape[0]
        drawn = self.draws.uniform(rows, 3, count)
        first, second, third = ((drawn[:, n] * (count - n)).long().clamp(max=count - 1 - n) for n in range(3))
        second += second >= first
        low, high = torch.minimum(first, second), torch.maximum(first, second)
        third += third >= low
        third += third >= high
        return [first, second, third]

    def painter(self, rows: torch.Tensor, members: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
        """Return what makes the images of the candidates of some of the rows."""
        return lambda part: self._paint(rows[part], members[part])

    def _paint(self, rows: torch.Tensor, members: torch.Tensor) -> torch.Tensor:
        count, (height, width) = self.shape[0], self.images.shape[2:]
        source = rows.repeat_interleave(count)
        painted, place = self.images[source], torch.arange(len(source), device=rows.device)
        for spot in members.flatten(0, 1).unbind(1):  # one after the other: two may meet on one pixel
            y, x = ((spot[:, n] * size).long().clamp(max=size - 1) for n, size in ((0, height), (1, width)))
            low, high = self.low[source, :, y, x], self.high[source, :, y, x]
            painted[place, :, y, x] = spot[:, 2:].to(painted.dtype).clamp(low, high)
        return painted.view(len(rows), count, *painted.shape[1:])


def _check(pixels: int, eps: float, population: int, generations: int) -> None:
    check_pixels(eps)
    check_counts(pixels=pixels, generations=generations)
    if population < 4:
        raise UserError(
            f"a child has three parents beside its rival, so population must be at least 4, got {population}."
        )


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FewPixel(Explorer):
    """Change a few pixels, found by differential evolution; 400 candidates and 100 generations are the published strength.

    Attributes:
        pixels: positions that may change. eps: how far a channel of these may change; 1 allows any colour.
        population: candidates of an image. generations: how often they have children.
    """

    attack: ClassVar = staticmethod(few_pixel)
    kind: Literal["few-pixel"] = "few-pixel"
    pixels: Count = 1
    eps: PixelEps = 1.0
    population: Count = 400
    generations: Count = 100

    def __post_init__(self) -> None:
        _check(self.pixels, self.eps, self.population, self.generations)

    @property
    def norm(self) -> Norm:
        """Norm of the radius."""
        return "linf"
