"""The feed of a distillation: one view of each image in an epoch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from gradlab.data import Split, gather, order
from gradlab.training.feed import ranges
from gradlab.transfer.views import VIEWS, check_views
from gradlab.types import derive_seed


class ViewFeed:
    """Images of a part in several fixed views; an epoch shows every image once, in a view that is drawn afresh.

    Sample v·N + n is view v of image n, so that what a teacher says of each is one row of a table.

    Args:
        split: N images. views: names in `VIEWS`, each once. dtype: of the images in batches, which lie in [0, 1].

    Raises:
        UserError: no view, an unknown one, or one that stands there twice.
    """

    def __init__(self, split: Split, views: Sequence[str], dtype: torch.dtype = torch.float32) -> None:
        check_views(views)
        self.split, self.views, self.dtype = split, tuple(views), dtype
        self.role, self.origin = split.role, split.origin
        self.labels = split.labels.repeat(len(self.views))

    def __len__(self) -> int:
        """Count the images of one epoch."""
        return len(self.split)

    def digest(self) -> str:
        """Return a SHA-256 over the images, labels and views."""
        found = hashlib.sha256("/".join(self.views).encode())
        if self.origin.digest:
            found.update(self.origin.digest.encode())
        else:
            for tensor in (self.split.images, self.split.labels):
                found.update(np.ascontiguousarray(tensor.cpu().numpy()).data)
        return found.hexdigest()

    def order(self, seed: int, epoch: int, batch_size: int = 1) -> Tensor:  # noqa: ARG002 - of the protocol
        """Return what `seed` visits in `epoch`: every image once, in one of its views, (N,) int64."""
        count = len(self.split)
        visits = order(count, seed=seed, epoch=epoch, device=self.labels.device)
        stream = torch.Generator().manual_seed(derive_seed(seed, "view", epoch))
        drawn = torch.randint(len(self.views), (count,), generator=stream)
        return visits + count * drawn.to(visits.device)

    def batch(self, indices: Tensor) -> Tensor:
        """Return the images at `indices` of any shape, in their views and in [0, 1]: (*indices.shape, C, H, W)."""
        flat, count = indices.reshape(-1), len(self.split)
        images = gather(self.split, flat % count, dtype=self.dtype)
        for number, name in enumerate(self.views):
            if name != "identity":
                rows = (flat // count == number).nonzero().flatten()
                images[rows] = VIEWS[name](images[rows])
        return images.view(*indices.shape, *images.shape[1:])

    def parts(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield indices (B,) and images (B, C, H, W) of all views of all images, in batches for evaluation."""
        for start, stop in ranges(len(self.labels), self.split.images[:1].numel()):
            indices = torch.arange(start, stop, device=self.labels.device)
            yield indices, self.batch(indices)

    def to(self, device: torch.device, dtype: torch.dtype) -> ViewFeed:
        """Return this feed on `device`, with images of type `dtype`."""
        return ViewFeed(self.split.to(device), self.views, dtype)
