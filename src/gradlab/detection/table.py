"""What detectors achieved on sets of foreign images, readable as text, in a notebook, and as a data frame."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from html import escape
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from gradlab.metrics import aupr_in, aupr_out, auroc, auroc_samples, detection_error, fpr_at_tpr
from gradlab.metrics.arrays import Floats
from gradlab.statistics import Sampled, interval

if TYPE_CHECKING:
    import pandas as pd

LEVEL = 0.95
SHOWN = {
    "auroc": "AUROC",
    "fpr95_in": "FPR95 (in +)",
    "fpr95_out": "FPR95 (out +)",
    "aupr_in_balanced": "AUPR-in",
    "aupr_out_balanced": "AUPR-out",
    "detection_error": "error",
}
CONVENTION = (
    "FPR95 (in +): foreign images accepted where 95 % of in-distribution ones are (ODIN, energy); (out +): in-distribution "
    "images rejected where 95 % of foreign ones are (OpenOOD). AUPR as if both sets were equally large."
)


@dataclass(frozen=True)
class Row:
    """One detector on one set; every number is a fraction in [0, 1].

    Attributes:
        detector: its name. set: that of the foreign images. known, foreign: how many images.
        auroc: with low and high, its 95 % interval, which holds the variance of both sets of images.
        aupr_in, aupr_out: average precision of finding in-distribution or foreign images, at the true ratio of both.
        aupr_in_balanced, aupr_out_balanced: as if both sets were equally large.
        fpr95_in: false positives at 95 % true positives, in-distribution images being positive; fpr95_out: foreign ones.
        detection_error: smallest mean of both error rates.
    """

    detector: str
    set: str
    known: int
    foreign: int
    auroc: float
    low: float
    high: float
    aupr_in: float
    aupr_out: float
    aupr_in_balanced: float
    aupr_out_balanced: float
    fpr95_in: float
    fpr95_out: float
    detection_error: float


def row_of(detector: str, name: str, inside: Floats, outside: Floats) -> Row:
    """Measure scores of in-distribution and foreign images, (N,) and (M,); larger = more out-of-distribution."""
    low, high = auroc_ends(inside, outside)
    return Row(
        detector=detector,
        set=name,
        known=len(inside),
        foreign=len(outside),
        auroc=auroc(inside, outside),
        low=low,
        high=high,
        aupr_in=aupr_in(inside, outside),
        aupr_out=aupr_out(inside, outside),
        aupr_in_balanced=aupr_in(inside, outside, balanced=True),
        aupr_out_balanced=aupr_out(inside, outside, balanced=True),
        fpr95_in=fpr_at_tpr(inside, outside, positive="in"),
        fpr95_out=fpr_at_tpr(inside, outside, positive="out"),
        detection_error=detection_error(inside, outside),
    )


def auroc_ends(inside: Floats, outside: Floats) -> tuple[float, float]:
    """Return the ends of the 95 % interval of the AUROC of one network, over both sets of images.

    They are the outer ones of `gradlab.statistics.interval` and of DeLong's variance on the logit scale (Pepe, 2003, section
    5.2.5), which leans towards 1/2 as the error of an AUROC near 1 does. Where the sets are perfectly apart neither sees any
    variance: min(N, M) disjoint pairs were all in order then, and the end is Clopper's and Pearson's for these.
    """
    samples = auroc_samples(inside, outside)
    value, pairs = samples.value, min(len(inside), len(outside))
    if value in (0, 1):
        far = (1 - LEVEL) / 2
        bound = far ** (1 / pairs)
        return (bound, 1.0) if value == 1 else (0.0, 1 - bound)
    axes = {"in": samples.in_distribution[None], "out": samples.out_of_distribution[None]}
    found = interval(Sampled([value], axes, range=(0, 1)), given=True, level=LEVEL)  # type: ignore[arg-type]
    if not found.is_bounded:
        return 0.0, 1.0
    wide = NormalDist().inv_cdf(0.5 + LEVEL / 2) * math.sqrt(found.sample_variance) / (value * (1 - value))
    place = math.log(value / (1 - value))
    low, high = (1 / (1 + math.exp(-one)) for one in (place - wide, place + wide))
    return max(0.0, min(low, found.low)), min(1.0, max(high, found.high))


@dataclass(frozen=True)
class DetectionTable:
    """What `evaluate` found.

    Attributes:
        rows: one a detector and set. accuracy: share of the in-distribution images that are classified correctly.
        chosen: name of a tuned detector -> the setting that was taken. tuned_on: the foreign images it was chosen by.
        flags: what makes a number mean less than it seems to.
    """

    rows: tuple[Row, ...]
    accuracy: float
    chosen: Mapping[str, str]
    tuned_on: str | None
    flags: tuple[str, ...]

    def __getitem__(self, place: tuple[str, str]) -> Row:
        """Return the row of (detector, set)."""
        return next(row for row in self.rows if (row.detector, row.set) == place)

    @property
    def frame(self) -> pd.DataFrame:
        """The rows as a data frame."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.rows])

    def as_record(self) -> dict[str, Any]:
        """Return everything as plain JSON data."""
        return {**asdict(self), "chosen": dict(self.chosen)}

    def __str__(self) -> str:
        """A table with percentages, and what is to be said about it."""
        header, body = self._cells()
        widths = [max(map(len, column)) for column in zip(header, *body, strict=True)]
        lines = [
            "  ".join(cell.ljust(w) if k < 2 else cell.rjust(w) for k, (cell, w) in enumerate(zip(row, widths, strict=True)))
            for row in (header, *body)
        ]  # fmt: skip
        return "\n".join([*(line.rstrip() for line in lines), *self._said()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """The same for a notebook."""
        header, body = self._cells()
        head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
        rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in body)
        said = "".join(f"<p>{escape(line)}</p>" for line in self._said())
        return f"<div><table><tr>{head}</tr>{rows}</table>{said}</div>"

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        body = []
        for row in self.rows:
            values = [f"{100 * getattr(row, name):.1f}" for name in SHOWN]
            body.append(
                [
                    row.detector,
                    row.set,
                    values[0],
                    f"[{100 * row.low:.1f}, {100 * row.high:.1f}]",
                    *values[1:],
                ]
            )
        labels = list(SHOWN.values())
        return ["detector", "set", labels[0], "95 % interval", *labels[1:]], body

    def _said(self) -> list[str]:
        tuned = [f"{name}: {setting}, chosen on {self.tuned_on}" for name, setting in self.chosen.items()]
        return [
            f"in %; in-distribution accuracy {100 * self.accuracy:.1f} %",
            *tuned,
            *(f"note: {flag}" for flag in self.flags),
            CONVENTION,
        ]
