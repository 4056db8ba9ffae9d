"""What `Explain` and `Disturb` do with images: which are taken, how maps are judged, and the few pictures that are kept."""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from gradlab import explain
from gradlab.data import Dataset, gather, parse, planted_masks
from gradlab.lab.records.columns import Columns
from gradlab.procedures.attack import chosen_rows
from gradlab.types import UserError

if TYPE_CHECKING:
    from gradlab.lab.running.desk import Job

BATCH = 256
"""Images of one pass."""
MOSAICS = 50
"""Mosaics at most; each costs as much as four images."""
SHOWN = 5
"""Images of which maps are kept as pictures; measures are over all images."""
SIDE = 64
"""Pixels of the shorter side from which a picture is kept as it is; smaller ones are enlarged by whole factors."""


def chosen_images(
    data: Dataset, name: str, count: int | None, device: str
) -> tuple[np.ndarray, Tensor, np.ndarray, Tensor | None]:
    """Return rows, images in [0, 1], labels, and masks of a planted patch where the data have one.

    Args:
        name: of the data, as the procedure says. count: of images; None for all.

    Raises:
        UserError: the data have no test images.
    """
    if data.test is None:
        raise UserError(f"'{data.name}' has no test images here to explain; choose data with a test part.")
    rows = chosen_rows(data, count)
    test = data.test.to(device)
    images = gather(test, torch.from_numpy(rows).to(device))
    base, derivation = parse(name)
    masks = None
    if base == "planted" and derivation.size is None:
        masks = torch.from_numpy(planted_masks(data.test.images.cpu().numpy()[rows])).to(device)
    return rows, images, data.test.labels.cpu().numpy()[rows], masks


def own_copy(job: Job) -> nn.Module:
    """Return a copy of the network in eval mode, whose weights may be randomised meanwhile."""
    return copy.deepcopy(job.network()).eval()


@torch.no_grad()
def logits_of_images(network: nn.Module, images: Tensor) -> Tensor:
    """Return logits (N, K) float32 in eval mode."""
    return torch.cat([network(some).float() for some in torch.split(images, BATCH)])


def judged(
    network: nn.Module,
    method: Callable[..., Tensor] | str,
    images: Tensor,
    classes: Tensor,
    masks: Tensor | None,
    mosaic: tuple[Tensor, Tensor, Tensor] | None,
    generator: Callable[..., torch.Generator],
    *,
    weights: Sequence[int] = (),
) -> dict[str, Tensor]:
    """Return what is measured of the maps of N images, (N,) each, and the first maps, "shown".

    Args:
        method: a configuration, or "random" or "edges". classes: (N,) that the maps explain.
        mosaic: of `in_mosaics`; None for none. generator: name -> stream of random numbers.
        weights: seeds of the draws of random weights; without them faithfulness is not judged.
    """

    def maps_of(images: Tensor, classes: Tensor = classes) -> Tensor:
        if method == "edges":
            return explain.edge_maps(images)
        if method == "random":
            return explain.random_maps(images, generator=generator("maps"))
        assert not isinstance(method, str)  # the two above
        stream = generator("maps")
        return explain.in_batches(
            lambda some, its: method(network, some, its, generator=stream), images, classes
        )

    maps = maps_of(images)
    centres = explain.centre_of_mass(maps)
    points = torch.zeros(len(images))
    if masks is not None:
        # of pixels that share the maximum one is drawn, so that every image is hit or missed
        drawn = torch.rand(len(images), generator=generator("ties")).to(images.device)
        points = drawn < explain.pointing(maps, masks)
    found = {
        "pointing": points,
        "area": explain.area(maps),
        "row": centres[:, 0],
        "column": centres[:, 1],
        "empty": explain.is_empty(maps),
    }
    if weights:
        found |= _faithfulness(network, images, maps, classes, maps_of, generator, weights)
    if mosaic is not None:
        found |= _on_mosaics(network, maps_of, classes, *mosaic)
    return {name: value.float() for name, value in found.items()} | {"shown": maps[:SHOWN].float()}


def in_mosaics(
    images: Tensor, classes: Tensor, labels: np.ndarray, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Return mosaics of the first images that are classified correctly, their own cells, and which these are, (N,) bool.

    There is none where these are of fewer than two classes.
    """
    right = classes == torch.from_numpy(labels).to(classes.device)
    right &= right.cumsum(0) <= MOSAICS
    if len(set(classes[right].tolist())) < 2:
        right = torch.zeros_like(right)
        return images[right], classes[right], right
    return *explain.mosaics(images[right], classes[right], generator=generator), right


def _on_mosaics(
    network: nn.Module,
    maps_of: Callable[..., Tensor],
    classes: Tensor,
    mosaics: Tensor,
    cells: Tensor,
    right: Tensor,
) -> dict[str, Tensor]:
    """Return which images have a mosaic, and the share of its map on the own cell, 0 for the others, (N,) each."""
    shares = torch.zeros(len(classes), dtype=torch.float64, device=classes.device)
    if len(mosaics):
        with explain.taking(network, mosaics.shape[1:]):
            shares[right] = explain.share_in_cell(maps_of(mosaics, classes[right]), cells)
    return {"own_cell": shares, "in_mosaic": right}


def _faithfulness(
    network: nn.Module,
    images: Tensor,
    maps: Tensor,
    classes: Tensor,
    maps_of: Callable[..., Tensor],
    generator: Callable[..., torch.Generator],
    weights: Sequence[int],
) -> dict[str, Tensor]:
    """Return what says whether maps are about the network, (N,) each."""
    curves = explain.deletion_insertion(network, images, maps, classes)
    drop, rose = explain.average_drop(network, images, maps, classes)
    drawn = []
    for seed in weights:
        with explain.restored(network):
            explain.randomise(network, seed)
            drawn.append(maps_of(images))
    similar = explain.similarity(maps, torch.stack(drawn))
    return {
        "deletion": curves.deletion,
        "insertion": curves.insertion,
        "road": explain.road(network, images, maps, classes, generator=generator("road")),
        "drop": drop,
        "rose": rose,
        # the mean over those draws that can be compared with the map, 0 where there is none
        "similarity": similar.nanmean(0).nan_to_num(0.0),
        "compared": ~similar.isnan().all(0),
        "empty_random": torch.stack([explain.is_empty(one) for one in drawn]).double().mean(0),
    }


def pictures(
    names: Sequence[str],
    found: Sequence[Mapping[str, Tensor]],
    images: Tensor,
    predictions: Columns,
) -> Columns:
    """Return a row for each method and each of the first images: the overlay and the image, PNG in base64."""
    count = min(SHOWN, len(images))
    shown = images[:count].cpu()
    plain = [encoded(one) for one in shown]
    overlays = [encoded(one) for maps in found for one in explain.overlay(shown, maps["shown"].cpu())]
    return {
        "method": np.repeat(np.array(names, dtype=str), count),
        **_captions(predictions, count, len(names)),
        "png": np.array(overlays, dtype=str),
        "plain": np.array(plain * len(names), dtype=str),
    }


def _captions(predictions: Columns, count: int, times: int) -> dict[str, np.ndarray]:
    """Return index, label, prediction and confidence of the first images, several times."""
    logits = np.stack([predictions[name][:count] for name in predictions if name.startswith("logit_")], 1)
    shares = np.exp(logits - logits.max(1, keepdims=True))
    confidence = (shares / shares.sum(1, keepdims=True)).max(1).astype(np.float64)
    columns: dict[str, Any] = {name: predictions[name][:count] for name in ("index", "label", "prediction")}
    return {name: np.tile(one, times) for name, one in (columns | {"confidence": confidence}).items()}


def encoded(picture: Tensor) -> str:
    """Return a picture (1 or 3, H, W) in [0, 1] as PNG in base64, a small one enlarged by a whole factor."""
    factor = max(1, SIDE // min(picture.shape[1:]))
    return base64.b64encode(
        explain.png(picture.repeat_interleave(factor, 1).repeat_interleave(factor, 2))
    ).decode()
