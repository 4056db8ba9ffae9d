"""Score-CAM (Wang et al., 2020): channels weighted by the score of the image that they leave visible."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from gradlab._configuration import dataclass
from gradlab._torch import torch
from gradlab.explain._network import MOST, logits, undisturbed
from gradlab.explain._place import Layer
from gradlab.explain.method import Method
from gradlab.explain.scaled import finished, wide
from gradlab.explain.targets import Targets, rows_of, score_of
from gradlab.explain.watch import Watched, watch
from gradlab.models.light import light
from gradlab.types import STRICT, Count, UserError


def score_cam(
    model: torch.nn.Module,
    images: torch.Tensor,
    targets: Targets = None,
    layer: Layer = None,
    *,
    budget: int = 128,
    raw: bool = False,
) -> torch.Tensor:
    """Score-CAM (Wang et al., 2020, arXiv:1910.01279): no gradients; each channel, as a mask, shows a part of the image.

    Every channel is resized to the image and stretched to [0, 1], the image is multiplied by it, and the softmax over
    channels of the scores of these masked images are the weights (eq. 5 to 7; the score of the black image is the same
    for every channel and leaves the softmax as it is).

    Args: as `grad_cam`.
        budget: masked images for each image, at least 1. Of a layer with more channels, those with the largest sum of
            squares are taken for each image; the others weigh nothing.
        raw: the weighted sum, (N, h, w), without ReLU and scaling.

    Returns: (N, H, W) in [0, 1].

    Raises:
        UserError: as `grad_cam`, or a budget below 1.
    """
    if budget < 1:
        raise UserError(f"budget counts masked images for each image and must be at least 1, got {budget}.")
    seen = watch(model, images, targets, layer, gradient=False)
    count = min(budget, seen.activations.shape[1])
    channels = seen.activations.square().sum((2, 3)).topk(count, dim=1).indices
    chosen = seen.activations.gather(
        1, channels[:, :, None, None].expand(-1, -1, *seen.activations.shape[2:])
    )
    weights = wide(_scores(model, seen, chosen)).softmax(1)  # eq. 6
    return finished(torch.einsum("nc,nchw->nhw", weights, chosen), seen.images, raw=raw)


def _scores(model: torch.nn.Module, seen: Watched, chosen: torch.Tensor) -> torch.Tensor:
    """Return (N, channels): the score of each image behind each of its masks."""
    count = chosen.shape[1]
    images = max(1, MOST // count)
    found = []
    with undisturbed(model, gradient=False):
        quick = light(model, seen.images)
        for start in range(0, len(chosen), images):
            rows = slice(start, start + images)
            masks = _masks(chosen[rows].flatten(0, 1), (seen.images.shape[2], seen.images.shape[3]))
            masked = seen.images[rows].repeat_interleave(count, 0) * masks[:, None].to(seen.images.dtype)
            owners = torch.arange(start, start + len(masked) // count, device=masked.device)
            target = rows_of(seen.chosen, owners.repeat_interleave(count))
            parts = zip(torch.split(masked, MOST), _split(target, len(masked)), strict=True)
            scores = [score_of(logits(quick, one), part) for one, part in parts]
            found.append(torch.unflatten(torch.cat(scores), 0, (-1, count)))
    return torch.cat(found)


def _split(target: Any, count: int) -> list[Any]:
    """Cut targets as their images are cut."""
    if isinstance(target, torch.Tensor):
        return list(torch.split(target, MOST))
    return [target] * -(-count // MOST)


def _masks(channels: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Resize channels (M, h, w) and stretch each to [0, 1]; one that is constant hides everything."""
    masks = torch.nn.functional.interpolate(
        channels[:, None], size=size, mode="bilinear", align_corners=False
    )[:, 0]
    low, high = masks.amin((1, 2), keepdim=True), masks.amax((1, 2), keepdim=True)
    return (masks - low) / (high - low).clamp(min=1e-8)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ScoreCAM(Method):
    """Score-CAM: channels weighted by the score of the image that they leave visible; as many passes as `budget`.

    Attributes:
        layer: by name; left out, the last with spatial positions that the logits depend on. budget: masked images for each image.
    """

    explain: ClassVar = staticmethod(score_cam)
    kind: Literal["score-cam"] = "score-cam"
    layer: str | None = None
    budget: Count = 128
