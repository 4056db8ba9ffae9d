"""Layers of a CNN: a block with its skip, and the mean over all places."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional


class ConvolutionBlock(nn.Module):
    """shortcut(x) + f(x), or f(x) for the plain twin; `after` acts on the sum.

    Its children run in the order of `path`; then the skip is added, which `projection` names where it has parameters.
    """

    def __init__(
        self,
        path: Sequence[tuple[str, nn.Module]],
        after: nn.Module,
        *,
        residual: bool,
        stride: int,
        extra: int,
        projection: tuple[str, nn.Module] | None = None,
    ) -> None:
        super().__init__()
        for name, layer in (*path, *([projection] if projection else [])):
            self.add_module(name, layer)
        self.after = after
        self.path = tuple(name for name, _ in path)
        self.projection_name = projection[0] if projection else None
        self.residual = residual
        self.stride = stride
        self.extra = extra

    def forward(self, features: Tensor) -> Tensor:
        """Map features (N, C, H, W) to (N, C + extra, ⌈H / stride⌉, ⌈W / stride⌉)."""
        output = features
        for name in self.path:
            output = getattr(self, name)(output)
        if self.projection_name:
            output = getattr(self, self.projection_name)(features) + output
        elif self.residual:
            output = shortcut(features, self.stride, self.extra) + output
        return self.after(output)  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        """Show whether there is a skip."""
        return f"residual={self.residual}"


def sides(extra: int) -> tuple[int, int]:
    """Split the new channels of a shortcut into those before and those after the old ones."""
    return extra // 2, extra - extra // 2


def shortcut(features: Tensor, stride: int, extra: int) -> Tensor:
    """Take every `stride`-th place of features (N, C, H, W), with `extra` channels of zeros around the old ones."""
    if stride > 1:
        features = features[..., ::stride, ::stride]
    return functional.pad(features, (0, 0, 0, 0, *sides(extra))) if extra else features


class PlaceMean(nn.Module):
    """The mean over all places: (N, C, H, W) to (N, C)."""

    def forward(self, features: Tensor) -> Tensor:
        """Average each channel."""
        return features.mean((-2, -1))
