"""What work on a network costs, relative to other work and in seconds, for plans and for the time that is left."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any

from gradlab.lab.designing.procedure import Procedure, walk
from gradlab.models.cnn import CNN
from gradlab.models.fast_cnn import FastCNN
from gradlab.models.mlp import MLP
from gradlab.models.vit import ViT

if TYPE_CHECKING:
    from gradlab.lab.running.desk import Desk, Job

IMAGES = 128
"""Images in what costs count: one pass forward and back. A pass forward alone is about a third of it."""
UNKNOWN = 240.0
"""Relative time of such a pass where nothing is known of the network: that of a CNN of eight blocks."""
REPEATS = 3


def step_cost(model: Any) -> float:
    """Return the relative time of one training step on a batch."""
    if isinstance(model, CNN):
        return 30.0 * sum(model.blocks_by_stage)
    if isinstance(model, ViT):
        return 30.0 * model.depth
    if isinstance(model, FastCNN):
        return 60.0 * len(model.widths)
    return float(len(model.hidden) + 4 if isinstance(model, MLP) else 4)


def pass_cost(net: Procedure) -> float:
    """Return the relative time of a pass of `IMAGES` images forward and back through the network that an input holds."""
    for one in walk(net):
        model, recipe = getattr(one, "model", None), getattr(one, "recipe", None)
        if model is not None and recipe is not None:
            return step_cost(model) * IMAGES / float(recipe.batch_size)
    return UNKNOWN


def pass_seconds(procedure: Any, job: Job, desk: Desk) -> float | None:
    """Seconds for one of what the cost of judging a network counts: a pass, over its relative time; None for texts."""
    from gradlab._torch import torch
    from gradlab.models.light import light

    test: Any = getattr(desk.data(procedure.data), "test", None)
    if not hasattr(test, "images"):
        return None
    images = test.images[:IMAGES].to(desk.device).float() / 255
    network = light(job.network(), images)
    seconds = []
    for _ in range(1 + REPEATS):
        begun = time.perf_counter()
        asked = images.detach().clone().requires_grad_(True)
        torch.autograd.grad(network(asked).sum(), asked)[0].sum().item()  # a number: waits for the device
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds[1:]) * IMAGES / len(images) / pass_cost(procedure.net)
