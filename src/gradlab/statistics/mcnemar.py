"""McNemar's exact test of two models on the same test images, for one seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradlab._scipy import special
from gradlab.types import UserError


@dataclass(frozen=True)
class McNemar:
    """How two models differ on n images: counts of images that only one of them gets right, and the p-value."""

    only_a: int
    only_b: int
    n: int
    p_value: float


def mcnemar(a_correct: ArrayLike, b_correct: ArrayLike) -> McNemar:
    """Test whether models a and b of ONE seed are right equally often (exact, two-sided).

    Under the null the images that only one model gets right fall to a or b with probability 1/2
    (McNemar, 1947, doi:10.1007/BF02295996).

    Args:
        a_correct: (N,) true or 1 where a is right.
        b_correct: (N,) the same for b, on the same images in the same order.

    Raises:
        UserError: several seeds stacked (2-D), unequal lengths, no images, or values other than 0 and 1.
    """
    a, b = _correctness(a_correct, "a_correct"), _correctness(b_correct, "b_correct")
    if a.shape != b.shape:
        raise UserError(
            f"a_correct and b_correct must be of the same images, got {a.size} and {b.size}; "
            "compare both models on one test set in one order."
        )
    only_a, only_b = int(np.sum(a & ~b)), int(np.sum(b & ~a))
    p_value = min(1.0, 2 * float(special.bdtr(min(only_a, only_b), only_a + only_b, 0.5)))
    return McNemar(only_a, only_b, a.size, p_value)


def _correctness(values: ArrayLike, name: str) -> NDArray[np.bool_]:
    array = np.asarray(values)
    if array.ndim != 1:
        raise UserError(
            f"McNemar compares two models of one seed, so {name} must have shape (images,), got {array.shape}: "
            "predictions of several seeds on one image are not several images; call it once per seed, "
            "or give all seeds to judge."
        )
    if array.size == 0 or not np.isin(array, (0, 1)).all():
        raise UserError(f"{name} must hold one true or false (1 or 0) per image, and at least one image.")
    return array.astype(np.bool_)
