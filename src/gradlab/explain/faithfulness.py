"""Whether a map is to be believed: beside random maps and edges, and with the network's weights randomised."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from gradlab._torch import torch
from gradlab.explain._checks import checked, checked_maps
from gradlab.explain._network import logits, undisturbed
from gradlab.explain.average_drop import average_drop
from gradlab.explain.baselines import edge_maps, random_maps
from gradlab.explain.deletion_insertion import deletion_insertion
from gradlab.explain.pointing import pointing
from gradlab.explain.randomised import cascade
from gradlab.explain.road import road
from gradlab.explain.targets import choose
from gradlab.statistics import Interval, Sampled, interval
from gradlab.types import UserError

Finding = Literal["faithful", "no better than edges", "fails the sanity check", "open"]
GAP, POINTING = "insertion minus deletion", "pointing"
MATTERS = 0.05
"""Smallest difference that matters: in the mean probability over a curve, and in the share of images pointed at."""
SIMILAR = 0.5
"""Mean rank correlation with the maps of randomised weights from which maps count as the same."""
OTHERS = ("random", "edges")


@dataclass(frozen=True)
class Faithfulness:
    """The judgement of a method on N images of one network.

    Attributes:
        finding: "faithful": better than random maps and edges by more than `delta` in every deciding measure, and other
            maps with randomised weights; "fails the sanity check": it is not surely less similar than 0.5 to the maps of
            randomised weights; "no better than edges": surely not better by `delta` than random maps or edges in a
            deciding measure; "open": more images are needed.
        scores: measure -> "map", "random" or "edges" -> (N,), one number for each image.
        differences: measure -> "random" or "edges" -> interval over images of the map's score minus theirs; the deciding
            ones are insertion minus deletion and, where masks are given, pointing.
        similarity: interval of the rank correlation with maps of the wholly randomised network. stages: share of layers
            randomised -> mean correlation on the way there.
        delta: smallest difference that matters.
    """

    finding: Finding
    scores: Mapping[str, Mapping[str, np.ndarray]]
    differences: Mapping[str, Mapping[str, Interval]]
    similarity: Interval
    stages: Mapping[float, float]
    delta: float
    names: tuple[str, ...] = field(default=("map", *OTHERS))

    def __str__(self) -> str:
        """The finding, then one line for each measure and check."""
        count = self.scores[GAP]["map"].size
        lines = [f"{self.finding} ({count} images, a difference of {self.delta:g} matters)"]
        for name, by_map in self.scores.items():
            means = ", ".join(f"{one} {by_map[one].mean():.3f}" for one in self.names)
            lines.append(f"  {name}: {means}")
            lines += [
                f"    minus {other}: {found.estimate:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"
                for other, found in self.differences.get(name, {}).items()
            ]
        alike = self.similarity
        lines.append(
            f"  rank correlation with randomised weights: {alike.estimate:.3f} [{alike.low:.3f}, {alike.high:.3f}]; "
            f"the same map from {SIMILAR:g}"
        )
        return "\n".join(lines)


def faithfulness(
    model: torch.nn.Module,
    explain: Callable[[torch.Tensor], torch.Tensor],
    images: torch.Tensor,
    classes: torch.Tensor | None = None,
    *,
    masks: torch.Tensor | None = None,
    delta: float = MATTERS,
    level: float = 0.95,
    generator: torch.Generator | None = None,
) -> Faithfulness:
    """Judge any explainer of a network.

    Args:
        model: that the maps are about; maps images (N, C, H, W) in [0, 1] to logits (N, K). Its weights are randomised
            meanwhile, and then given back bit for bit.
        explain: images -> maps (N, H, W), larger is more important, of that very model object: a function of one's own, or
            `GradCAM(model)`.
        images: (N, C, H, W) in [0, 1], at least 2. classes: (N,) int64 that the maps explain; the predicted ones where left
            out.
        masks: (N, H, W) bool, where the object is, if that is known; then pointing decides as well.
        delta: smallest difference that matters. level: of the intervals over images, which hold for all deciding
            differences together (Bonferroni).
        generator: of random maps and noise, on the images' device; left out, that of seed 0.

    Returns: the finding, with everything that it rests on.

    Raises:
        UserError: fewer than 2 images, or maps of another shape.
    """
    images = checked(model, images)
    if len(images) < 2 or not 0 < delta < 1:
        raise UserError(
            f"a judgement needs at least 2 images and a delta between 0 and 1, got {len(images)} and {delta:g}."
        )
    generator = generator or torch.Generator(images.device).manual_seed(0)
    with undisturbed(model, gradient=False):
        chosen = choose(logits(model, images), classes)
    assert isinstance(chosen, torch.Tensor)  # None or classes were given
    rivals = {
        "map": checked_maps(explain(images), images),
        "random": random_maps(images, generator=generator),
        "edges": edge_maps(images),
    }
    scores = _scores(model, images, rivals, chosen, masks, generator)
    deciding = [name for name in (GAP, POINTING) if name in scores]
    each = 1 - (1 - level) / (len(deciding) * len(OTHERS) + 1)
    differences = {
        name: {other: _over_images(scores[name]["map"] - scores[name][other], each) for other in OTHERS}
        for name in deciding
    }
    shares, found = cascade(model, explain, images)
    similarity = _over_images(found[-1].cpu().numpy(), each)
    stages = dict(zip(shares, found.mean(1).tolist(), strict=True))
    finding = _finding(differences, similarity, delta)
    return Faithfulness(finding, scores, differences, similarity, stages, delta)


def _scores(
    model: torch.nn.Module,
    images: torch.Tensor,
    rivals: Mapping[str, torch.Tensor],
    classes: torch.Tensor,
    masks: torch.Tensor | None,
    generator: torch.Generator,
) -> dict[str, dict[str, np.ndarray]]:
    scores: dict[str, dict[str, np.ndarray]] = {}

    def put(measure: str, name: str, values: torch.Tensor) -> None:
        scores.setdefault(measure, {})[name] = values.double().cpu().numpy()

    for name, maps in rivals.items():
        curves = deletion_insertion(model, images, maps, classes)
        put(GAP, name, curves.gap)
        put("deletion", name, curves.deletion)
        put("insertion", name, curves.insertion)
        put("ROAD", name, road(model, images, maps, classes, generator=generator))
        drop, rose = average_drop(model, images, maps, classes)
        put("average drop", name, drop)
        put("increase", name, rose)
        if masks is not None:
            put(POINTING, name, pointing(maps, masks))
    return scores


def _over_images(values: np.ndarray, level: float) -> Interval:
    """Return the interval of a mean over images of one given network."""
    return interval(Sampled(np.array([values.mean()]), {"images": values[None]}), level=level, given=True)


def _finding(
    differences: Mapping[str, Mapping[str, Interval]], similarity: Interval, delta: float
) -> Finding:
    found = [one for by_other in differences.values() for one in by_other.values()]
    if similarity.high >= SIMILAR:
        return "fails the sanity check"
    if all(one.low > delta for one in found):
        return "faithful"
    if any(one.high <= delta for one in found):
        return "no better than edges"
    return "open"
