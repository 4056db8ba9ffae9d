"""Coverage of an AUROC's interval with both sample axes, one of them, or seeds alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from gradlab.metrics import auroc_samples
from gradlab.statistics import Sampled, interval

Floats = NDArray[np.float64]
SIZES = (3, 6, 12)
WAYS = {"both": ("in", "out"), "in_alone": ("in",), "out_alone": ("out",), "seeds_alone": ()}


@dataclass(frozen=True)
class Detection:
    """Scores are normal: image + noise, foreign ones higher by `shift` + the seed's effect.

    `seed` and `noise` are SDs; that of the images is 1.
    """

    inside: int
    outside: int
    shift: float
    seed: float
    noise: float

    @property
    def name(self) -> str:
        """What is scored, and how well."""
        return f"{self.inside:,} in, {self.outside:,} out, AUROC {self.truth:.3f}, seeds' SD {self.seed:g}"

    @property
    def truth(self) -> float:
        """Expected AUROC over all seeds and images."""
        return float(ndtr(self.shift / np.sqrt(2 + 2 * self.noise**2 + self.seed**2)))


DETECTIONS = (
    Detection(360, 300, 1.5, 0.05, 0.5),
    Detection(360, 300, 3.0, 0.05, 0.5),
    Detection(2000, 200, 1.5, 0.1, 0.5),
    Detection(200, 2000, 1.5, 0.1, 0.5),
    Detection(1000, 1000, 1.5, 0.5, 0.5),
)


def auroc_coverage(repeats: int, stream: Callable[..., np.random.Generator]) -> list[dict[str, Any]]:
    """One network's AUROC against its expectation over new seeds, in-distribution and foreign images."""
    rows = []
    for case in DETECTIONS:
        rng = stream("auroc", case.name)
        held = {(n, way): 0 for n in SIZES for way in WAYS}
        for _ in range(repeats):
            arm = _draw(case, max(SIZES), rng)
            for n, way in held:
                some = Sampled(arm.values[:n], {axis: arm.axes[axis][:n] for axis in WAYS[way]})
                found = interval(some)
                held[n, way] += found.low <= case.truth <= found.high
        rows += [{"case": case.name, "n": n, **{way: held[n, way] / repeats for way in WAYS}} for n in SIZES]
    return rows


def _draw(case: Detection, n: int, rng: np.random.Generator) -> Sampled:
    """AUROC of n seeds on the same images, with what each image contributes."""
    inside = rng.standard_normal(case.inside) + case.noise * rng.standard_normal((n, case.inside))
    outside = rng.standard_normal(case.outside) + case.noise * rng.standard_normal((n, case.outside))
    outside += case.shift + case.seed * rng.standard_normal((n, 1))
    runs = [auroc_samples(one, other) for one, other in zip(inside, outside, strict=True)]
    values: Floats = np.array([run.value for run in runs])
    return Sampled(
        values,
        {
            "in": np.stack([run.in_distribution for run in runs]),
            "out": np.stack([run.out_of_distribution for run in runs]),
        },
    )
