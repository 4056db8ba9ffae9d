"""Whether a map is to be believed: beside random maps and edges, and with the network's weights randomised."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from gradlab._torch import torch
from gradlab.explain._checks import checked, checked_maps, unwrapped
from gradlab.explain._network import logits, undisturbed
from gradlab.explain.average_drop import average_drop
from gradlab.explain.baselines import edge_maps, random_maps
from gradlab.explain.compare_maps import is_empty
from gradlab.explain.deletion_insertion import deletion_insertion
from gradlab.explain.method import Bound
from gradlab.explain.pointing import pointing
from gradlab.explain.randomised import cascade
from gradlab.explain.road import road
from gradlab.explain.targets import choose
from gradlab.statistics import Interval, Sampled, contrast_values, difference, interval, ratio_samples
from gradlab.types import UserError

Finding = Literal["faithful", "no better than edges", "fails the sanity check", "open"]
GAP, POINTING = "insertion minus deletion", "pointing"
MATTERS = 0.05
"""Smallest difference that matters: in the mean probability over a curve, and in the share of images pointed at."""
SIMILAR = 0.5
"""Mean rank correlation with the maps of randomised weights from which maps count as the same."""
DRAWS = 5
"""Draws of random weights, over which the correlation varies more than over images."""
OTHERS = ("random", "edges")


@dataclass(frozen=True)
class Faithfulness:
    """The judgement of a method on N images of one network.

    Attributes:
        finding: "faithful": better than random maps and edges by more than `delta` in every deciding measure, and other
            maps with randomised weights; "fails the sanity check": surely as similar as 0.5 or more to the maps of
            randomised weights; "no better than edges": surely not better by `delta` than random maps or edges in a
            deciding measure; "open": more images, or draws of the weights, are needed.
        scores: measure -> "map", "random" or "edges" -> (N,), one number for each image.
        differences: measure -> "random" or "edges" -> interval over images of the map's score minus theirs; the deciding
            ones are insertion minus deletion and, where masks are given, pointing.
        similarity: interval of the rank correlation with maps of the wholly randomised network, over images and over draws of
            the weights; without bounds where fewer than two draws can be compared (`gradlab.explain.similarity`). stages:
            share of layers randomised -> mean correlation on the way there, NaN where nothing can be compared.
        empty: share of the images whose map is the same at all pixels. silent: share of the pairs of an image and a draw that
            say nothing about the weights, because one of their maps is empty or almost no pixel can change.
        delta: smallest difference that matters.
    """

    finding: Finding
    scores: Mapping[str, Mapping[str, np.ndarray]]
    differences: Mapping[str, Mapping[str, Interval]]
    similarity: Interval
    stages: Mapping[float, float]
    delta: float
    empty: float
    silent: float
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
        lines.append(
            f"  empty maps: {self.empty:.1%}; not comparable with randomised weights: {self.silent:.1%}"
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
    draws: int = DRAWS,
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
        delta: smallest difference that matters.
        level: of the intervals, which hold for all deciding differences together (Bonferroni). draws: of random weights, at
            least 2; the similarity varies with them as well.
        generator: of random maps and noise, on the images' device; left out, that of seed 0.

    Returns: the finding, with everything that it rests on.

    The check with randomised weights is that of Adebayo et al. (2018, arXiv:1810.03292), over several draws of the weights.

    Raises:
        UserError: fewer than 2 images or draws, or maps of another shape.
    """
    model, images = checked(model, images)
    if len(images) < 2 or draws < 2 or not 0 < delta < 1:
        raise UserError(
            f"a judgement needs at least 2 images, 2 draws of random weights and a delta between 0 and 1, got {len(images)}, "
            f"{draws} and {delta:g}."
        )
    generator = generator or torch.Generator(images.device).manual_seed(0)
    _check_explainer(explain, model)
    with undisturbed(model, gradient=False):
        chosen = choose(logits(model, images), classes)
    if not isinstance(chosen, torch.Tensor):
        raise UserError("faithfulness follows the probability of classes, got a function; give classes (N,).")
    rivals = {
        "map": checked_maps(explain(images), images),
        "random": random_maps(images, generator=generator),
        "edges": edge_maps(images),
    }
    scores = _scores(model, images, rivals, chosen, masks, generator)
    deciding = [name for name in (GAP, POINTING) if name in scores]
    each = 1 - (1 - level) / (len(deciding) * len(OTHERS) + 1)
    differences = {
        name: {other: _over_images(name, scores[name]["map"], scores[name][other], each) for other in OTHERS}
        for name in deciding
    }
    shares, found = cascade(model, explain, images, draws=draws)
    similarity = _over_draws(found[-1].cpu().numpy(), each)
    stages = dict(zip(shares, found.flatten(1).nanmean(1).tolist(), strict=True))
    finding = _finding(differences, similarity, delta)
    empty, silent = (float(one.double().mean()) for one in (is_empty(rivals["map"]), found[-1].isnan()))
    return Faithfulness(finding, scores, differences, similarity, stages, delta, empty, silent)


def _check_explainer(explain: Any, model: torch.nn.Module) -> None:
    """Refuse what is not called with images alone, or explains another network."""
    try:
        inspect.signature(explain).bind(None)
    except TypeError as error:
        raise UserError(
            f"explain is called with images alone and returns maps ({error}); give GradCAM(model), or write "
            "lambda images: grad_cam(model, images)."
        ) from None
    except ValueError:  # nothing says what it takes
        return
    if isinstance(explain, Bound) and unwrapped(explain.model) is not model:
        raise UserError(
            f"explain has another network than the {type(model).__name__} judged, whose weights would be randomised in vain; "
            "give both the same."
        )


def _scores(
    model: torch.nn.Module,
    images: torch.Tensor,
    rivals: Mapping[str, torch.Tensor],
    classes: torch.Tensor,
    masks: torch.Tensor | None,
    generator: torch.Generator,
) -> dict[str, dict[str, np.ndarray]]:
    scores: dict[str, dict[str, np.ndarray]] = {}
    # of pixels that share the maximum one is drawn, so that every image is hit or missed
    drawn = torch.rand(len(images), generator=generator, device=images.device)

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
            put(POINTING, name, drawn < pointing(maps, masks))
    return scores


def _over_images(name: str, own: np.ndarray, other: np.ndarray, level: float) -> Interval:
    """Return the interval of a mean difference over images of one given network, within what is possible."""
    hits = name == POINTING
    arms = {
        arm: Sampled(
            np.array([values.mean()]), {"images": values[None]}, range=None if hits else (-1, 1), binary=hits
        )
        for arm, values in (("own", own), ("other", other))
    }
    return interval(contrast_values(difference("own", "other"), arms), level=level, given=True)


def _over_draws(found: np.ndarray, level: float) -> Interval:
    """Return the interval of the similarity (draws, N) over draws of the weights and images, NaN left out of the means."""
    there = [each for each in found if np.isfinite(each).any()]
    if len(there) < 2:
        mean = float(np.nanmean(there)) if there else math.nan
        return Interval(mean, -1.0, 1.0, level, len(there), math.nan, 0)
    each = [ratio_samples(np.nan_to_num(one), np.isfinite(one)) for one in there]
    values = Sampled(
        np.array([one.value for one in each]),
        {"images": np.stack([one.samples for one in each])},
        range=(-1, 1),
    )
    return interval(values, level=level)


def _finding(
    differences: Mapping[str, Mapping[str, Interval]], similarity: Interval, delta: float
) -> Finding:
    found = [one for by_other in differences.values() for one in by_other.values()]
    if similarity.low >= SIMILAR:
        return "fails the sanity check"
    if any(one.high <= delta for one in found):
        return "no better than edges"
    changes = similarity.high < SIMILAR
    return "faithful" if changes and all(one.low > delta for one in found) else "open"
