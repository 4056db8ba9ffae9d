"""A seed far from the others: the interval cannot mend it, so it is said."""

from __future__ import annotations

import numpy as np

from gradlab._scipy import special
from gradlab.statistics._checks import Floats

FEWEST = 4
ERROR = 0.01


def outlying_seed(values: Floats) -> int | None:
    """Return the place of the seed that lies far from the others, or None.

    Its distance from the mean of the others is compared with their SD by Student's t, at an error of 1 % over all
    seeds (Bonferroni): Grubbs' test (1950, doi:10.1214/aoms/1177729885). Two outlying seeds hide each other.

    Args:
        values: (n,), one per seed; below four there is nothing to compare with.
    """
    n = values.size
    if n < FEWEST:
        return None
    place = int(np.argmax(np.abs(values - values.mean())))
    others = np.delete(values, place)
    spread = float(others.std(ddof=1))
    distance = abs(float(values[place] - others.mean()))
    if distance <= 1e-12 * float(np.abs(values).max()):
        return None
    if spread == 0:
        return place
    beyond = 2 * n * float(special.stdtr(n - 2, -distance / (spread * np.sqrt(1 + 1 / (n - 1)))))
    return place if beyond < ERROR else None
