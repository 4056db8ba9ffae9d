"""Views of training images that a teacher's outputs can be kept of; no torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from gradlab.types import UserError, did_you_mean

if TYPE_CHECKING:
    from torch import Tensor

View = Literal["identity", "mirror"]
VIEWS: dict[str, Callable[[Tensor], Tensor]] = {
    "identity": lambda images: images,
    "mirror": lambda images: images.flip(-1),
}
"""Name -> view of images (..., C, H, W): as they are, or left and right exchanged."""


def check_views(views: Sequence[str]) -> None:
    """Refuse views that are none.

    Raises:
        UserError: what is wrong with them.
    """
    unknown = [name for name in views if name not in VIEWS]
    if unknown:
        raise UserError(f"there is no view '{unknown[0]}'; {did_you_mean(unknown[0], list(VIEWS))}")
    if not views or len(set(views)) < len(views):
        raise UserError(
            f"views must name at least one view, and each once, got {list(views)}; take identity."
        )
