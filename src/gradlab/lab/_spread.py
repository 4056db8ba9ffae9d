"""How much a comparison varies over seeds and test samples: from earlier records, else an assumption."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gradlab._scipy import special
from gradlab.lab.designing.claims import Part
from gradlab.lab.designing.design import Arm
from gradlab.lab.designing.procedure import Pick
from gradlab.lab.judging.results import Results
from gradlab.lab.judging.tables import sampled
from gradlab.lab.kinds import kind_of
from gradlab.lab.records.binding import Binder
from gradlab.lab.running.request import Request
from gradlab.statistics import Differences, contrast_values

ASSUMED_SD = {
    "fraction": (0.003, 0.02),
    "epochs": (1.0, 4.0),
    "decades": (0.1, 0.5),
    "nats": (0.01, 0.1),
    "layers": (0.5, 3.0),
}
"""Standard deviation of a paired difference over seeds where no earlier record tells it, as a range."""
ASSUMED_SAMPLE_SD = (0.1, 0.4)
"""Likewise over test images of the difference in correctness: 0.1 where two nets disagree on 1 % of the images, 0.4
where they do on 16 %."""
FEWEST = 3
"""Earlier seeds from which a standard deviation is estimated."""


@dataclass(frozen=True)
class Spread:
    """Standard deviations of a paired difference over seeds and over test samples, (low, high) each."""

    sd: tuple[float, float]
    sample_sd: tuple[float, float]
    source: str


def spread_of(
    part: Part, arms: Mapping[str, Arm], binder: Binder, request: Request, samples: int | None
) -> Spread:
    """Return the spread that earlier records of this very comparison show, as an 80 % range, else an assumption.

    Args:
        arms: name -> arm, of those compared. samples: how many test samples the plan counts on.
    """
    measure = kind_of(next(iter(arms.values())).procedure, binder.kinds).measures[part.measure]
    assumed = Spread(ASSUMED_SD.get(measure.unit, (0.01, 0.1)), ASSUMED_SAMPLE_SD, "assumed")
    found = {}
    for name, arm in arms.items():
        runs = _runs(arm, binder, request)
        if runs is None:
            return assumed
        found[name] = sampled(runs[0].kind.measures[part.measure], runs)
    d = contrast_values(part.contrast, found)
    assert isinstance(d, Differences)  # of samples, as given
    sd, free = max(float(np.std(d.values, ddof=1)), 1e-6), len(d.values) - 1
    low, high = (sd * math.sqrt(free / float(special.chdtri(free, tail))) for tail in (0.1, 0.9))
    variances = [float(np.var(axis.mean(axis=0), ddof=1)) / axis.shape[1] for axis in d.axes.values()]
    over_samples = max(math.sqrt(sum(variances) * (samples or 1)), 1e-6) if variances else 1.0
    return Spread((low, high), (over_samples, over_samples), f"{len(d.values)} earlier seeds")


def _runs(arm: Arm, binder: Binder, request: Request) -> list[Results] | None:
    """Return the earlier runs of an arm, of all seeds that ran with those asked for; None where one lacks."""
    if isinstance(arm.procedure, Pick):  # what tuning will choose is not known yet
        return None
    seeds = dict.fromkeys(mate for seed in request.seeds for mate in binder.block(arm.procedure, seed))
    records = [request.store.find(binder.bind(arm.procedure, seed).hash) for seed in seeds]
    kind = binder.kinds[arm.procedure.kind]
    if len(records) < FEWEST or any(record is None for record in records):
        return None
    return [Results(record, kind, arm.at) for record in records if record is not None]
