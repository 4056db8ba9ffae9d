"""Detectors of pytorch-ood that define what ours define, and what turns their scores into ours.

Its GEN is another score: it cuts probabilities off at 1e-7, to which a small γ is sensitive.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from _torchvision import without_torchvision
from torch import Tensor, nn

Score = Callable[[Tensor], Tensor]
QUANTILE, SHARE, RESIDUAL = 0.9, 0.9, 0.5
"""Settings that both sides are given: where ReAct cuts, what ASH drops, how much of the features ViM takes for principal."""


def package() -> Any | None:
    """Import the detectors of pytorch-ood; None where it is not installed.

    It imports torchvision, whose wheels on PyPI are built for torch with CUDA: beside torch for CPUs their compiled operations
    cannot be loaded and the import ends for want of two names. These are declared, without any code: no detector runs them.
    Where there is no torchvision, an empty one stands for it.
    """
    for name in ("nms", "qnms"):
        if not hasattr(torch.ops.torchvision, name):
            torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou) -> Tensor")
    without_torchvision()
    try:
        from pytorch_ood import detector
    except ImportError:
        return None
    return detector


def detectors_of_peers(
    theirs: Any, network: nn.Module, features: Tensor, labels: Tensor
) -> dict[str, tuple[Score, Callable[[Tensor], Tensor]]]:
    """Return our name -> (their score of images, what turns it into our score).

    Args:
        theirs: the package. network: ResNet-20, in eval mode. features: (N, 64) of training images. labels: (N,).
    """
    linear: Any = network.get_submodule("linear")
    count = len(features)
    seen: dict[str, Tensor] = {}
    linear.register_forward_pre_hook(lambda _, inputs: seen.update(features=inputs[0]))

    def encoder(pictures: Tensor) -> Tensor:
        network(pictures)
        return seen["features"]

    def maps(pictures: Tensor) -> Tensor:
        return encoder(pictures)[:, :, None, None]

    def head(found: Tensor) -> Tensor:
        return linear(found.flatten(1))

    residual = round(RESIDUAL * features.shape[1])
    weights, bias = linear.weight, linear.bias
    fitted = {
        "mahalanobis": theirs.Mahalanobis(encoder).fit_features(features, labels),
        "relative-mahalanobis": theirs.RMD(encoder).fit_features(features, labels),
        "vim": theirs.ViM(encoder, d=residual, w=weights, b=bias).fit_features(features, labels),
        "react": theirs.ReAct(encoder, head, percentile=QUANTILE).fit_feature_maps(features, labels),
    }
    scores: dict[str, Score] = {
        "max-softmax": theirs.MaxSoftmax(network).predict,
        "max-logit": theirs.MaxLogit(network).predict,
        "energy": theirs.EnergyBased(network).predict,
        "entropy": theirs.Entropy(network).predict,
        "ash": theirs.ASH(maps, head, percentile=SHARE).predict,
        **{name: one.predict for name, one in fitted.items()},
    }
    # theirs: minus the probability; the scatter matrix, which is N times the covariance, and half the distance
    into: dict[str, Callable[[Tensor], Tensor]] = {
        "max-softmax": lambda score: 1 + score,
        "mahalanobis": lambda score: 2 * count * score,
        "relative-mahalanobis": lambda score: count * score,
    }
    return {name: (score, into.get(name, lambda found: found)) for name, score in scores.items()}
