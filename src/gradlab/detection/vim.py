"""Virtual-logit matching: what of a feature lies outside the space of the training features, beside the energy."""

from __future__ import annotations

from dataclasses import dataclass as plain
from typing import Any, ClassVar, Literal

import numpy as np

from gradlab._configuration import dataclass
from gradlab.detection._features import checked_features, fitting_features
from gradlab.detection.energy import energy
from gradlab.detection.head import Head
from gradlab.metrics.arrays import Floats
from gradlab.types import STRICT, Count, UserError


@plain(frozen=True, eq=False)
class FittedViM:
    """The head, the origin (D,), the basis (D, R) of the residual space, and the scale of the virtual logit."""

    head: Head
    origin: Floats
    residual: Floats
    scale: float

    def score(self, features: Any) -> Floats:
        """Return virtual logit plus free energy, (N,) float64, for (N, D) features; larger = more out-of-distribution.

        The softmax probability of the virtual class, which the paper reports, is a rising function of it (its eq. 6).
        """
        values = checked_features(features, len(self.origin))
        virtual = self.scale * np.linalg.norm((values - self.origin) @ self.residual, axis=1)
        result: Floats = virtual + energy(self.head.logits(values))
        return result


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ViM:
    """Virtual-logit matching (Wang et al., 2022, arXiv:2203.10807).

    Attributes:
        dimension: of the principal space, less than D; left out: as the authors' code has it, 1,000 from 2,048 features on
            and 512 from 768 on, and half of fewer.
    """

    needs: ClassVar[tuple[str, ...]] = ("features",)
    fits: ClassVar[tuple[str, ...]] = ("features", "head")
    kind: Literal["vim"] = "vim"
    dimension: Count | None = None

    def fit(self, features: Any, head: Head) -> FittedViM:
        """Fit the residual space and the scale to training features.

        Args:
            features: (N, D) finite numbers, of training images. head: the last linear layer, of these features.

        Raises:
            UserError: features of test images, no such features, or a principal space that leaves nothing over.
        """
        values = fitting_features(features, "ViM")
        width = values.shape[1]
        principal = self.dimension or (1000 if width >= 2048 else 512 if width >= 768 else max(1, width // 2))
        if principal >= width:
            raise UserError(
                f"dimension must be less than the {width} features, so that a residual is left, got {principal}."
            )
        origin: Floats = (
            -np.linalg.pinv(head.weight) @ head.bias
        )  # where all logits are as near 0 as possible
        centred = values - origin
        _, vectors = np.linalg.eigh(centred.T @ centred)
        residual = vectors[:, : width - principal]  # eigenvalues ascend: the smallest come first
        lengths = np.linalg.norm(centred @ residual, axis=1).mean()
        scale = (
            float(head.logits(values).max(axis=1).mean() / lengths) if lengths else 0.0
        )  # a dead layer: the energy alone
        return FittedViM(head, origin, residual, scale)
