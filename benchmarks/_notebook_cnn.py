"""The plain notebook loop that trains ResNet-20: PIL images, transforms one by one, a `DataLoader`."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from gradlab.data import Dataset
from gradlab.models import build

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
STEPS, WARM = 6, 1
"""Steps of one turn that count, and those before them that do not."""
Times = tuple[float, float]
"""Seconds of one step, of the clock and of the processor."""


class Pictures(TorchDataset[tuple[Tensor, int]]):
    """PIL images with the usual transforms, one image after the other."""

    def __init__(self, data: Dataset) -> None:
        assert data.train is not None
        self.pictures = [Image.fromarray(one) for one in data.train.images.permute(0, 2, 3, 1).numpy()]
        self.labels = data.train.labels.tolist()
        self.mean, self.std = (torch.tensor(one).view(3, 1, 1) for one in (MEAN, STD))

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        down, right, mirrored = (int(torch.randint(high, ())) for high in (9, 9, 2))
        picture = ImageOps.expand(self.pictures[index], 4).crop((right, down, right + 32, down + 32))
        picture = ImageOps.mirror(picture) if mirrored else picture
        tensor = torch.from_numpy(np.array(picture, dtype=np.float32) / 255).permute(2, 0, 1)
        return (tensor - self.mean) / self.std, self.labels[index]


class Notebook:
    """ResNet-20 trained by the plain loop."""

    def __init__(self, pictures: Pictures, workers: int) -> None:
        self.model = build("resnet20", mean=(0.0,), std=(1.0,))
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
        self.loader = DataLoader(
            pictures, batch_size=128, shuffle=True, num_workers=workers, persistent_workers=workers > 0
        )

    def turn(self) -> Times:
        """Return the times of one step; the loader's first batches do not count."""
        self.model.train()
        batches, steps = iter(self.loader), STEPS
        for _ in range(WARM):
            self._step(next(batches))
        workers = [worker.pid for worker in getattr(batches, "_workers", [])]
        clock, processor = time.perf_counter(), time.process_time() + seconds_of(workers)
        for _ in range(steps):
            self._step(next(batches))
        spent = time.process_time() + seconds_of(workers) - processor
        return (time.perf_counter() - clock) / steps, spent / steps

    def _step(self, batch: tuple[Tensor, Tensor]) -> None:
        self.optimizer.zero_grad()
        functional.cross_entropy(self.model(batch[0]), batch[1]).backward()
        self.optimizer.step()


def seconds_of(processes: list[int]) -> float:
    """Processor seconds that other processes have used so far, on Linux; else 0."""
    ticks = 0
    for process in processes:
        path = Path(f"/proc/{process}/stat")
        ticks += sum(map(int, path.read_text().rsplit(")", 1)[1].split()[11:13])) if path.is_file() else 0
    return ticks / os.sysconf("SC_CLK_TCK")
