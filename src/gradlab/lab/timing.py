"""A process that times a few steps of every arm: JSON task on stdin, seconds per block on stdout."""

from __future__ import annotations

import json
import sys
from typing import Any

import torch

from gradlab.data import Dataset, load
from gradlab.lab.spec import RunSpec, read_spec
from gradlab.models.mlp import MLP
from gradlab.training import time_steps


def main() -> None:
    """Answer one task."""
    task: dict[str, Any] = json.load(sys.stdin)
    data = load(task["data"], task["data_dir"])
    answer = {
        name: block_seconds([read_spec(spec) for spec in specs], data)
        for name, specs in task["blocks"].items()
    }
    sys.stdout.write(json.dumps(answer))


def block_seconds(specs: list[RunSpec], data: Dataset) -> float:
    """Seconds that the block would train and validate, from the median of a few steps."""
    spec = specs[0]
    torch.set_num_threads(spec.threads)
    networks = [
        one.model.build(data.input_shape, data.num_classes, seed=one.seed, mean=data.mean, std=data.std)
        for one in specs
        if isinstance(one.model, MLP)
    ]
    return time_steps(
        networks,
        data,
        spec.recipe,
        seeds=[one.seed for one in specs],
        device=spec.device,
        precision=spec.precision,
        train_images=spec.train_images,
    )


if __name__ == "__main__":
    main()
