"""What is claimed about the capacity of MLPs, each as a comparison fixed before the runs."""

from __future__ import annotations

import itertools

from gradlab.lab.designing.claims import Claim, Published
from gradlab.statistics import against, difference
from gradlab.studies._shared import part

LAB_WIDTHS: tuple[int, ...] = (3, 10, 64)


def claims_of(
    widths: tuple[int, ...], depths: tuple[int, ...], labs: dict[str, tuple[str, ...]]
) -> tuple[Claim, ...]:
    """Return the claims that these widths and depths allow; `labs` says how each lab's setting was changed."""
    shown = [width for width in LAB_WIDTHS if width in widths]
    steps = list(itertools.pairwise(shown)) or [(widths[0], widths[-1])]
    ladder = " < ".join(str(width) for width in (steps[0][0], *(wider for _, wider in steps)))
    claims = [
        Claim(
            id="C001-01",
            statement=f"A wider hidden layer makes a better MLP: {ladder} units",
            parts=tuple(
                part(f"width {b} above {a}", difference(f"width-{b}", f"width-{a}")) for a, b in steps
            ),
            published=Published(
                value="69.92, 92.75 and 97.35 % at widths 3, 10 and 64", source="lab 001", protocol="one run"
            ),
            deviations=(
                *labs["001"],
                "at most 50 epochs and patience 5 on the validation loss (the lab's are not published)",
                *(() if len(shown) == 3 else ("other widths",)),
            ),
        ),
        Claim(
            id="C000-01",
            statement="A small MLP (128-64) classifies these images well: above 97 % test accuracy",
            parts=(part("128-64", against("lab-000", 0.97), delta=0.001),),
            published=Published(
                value="97.39 %", source="lab 000", protocol="one run; the last, not the best weights"
            ),
            deviations=labs["000"],
        ),
        Claim(
            id="C004-01",
            statement="An MLP (64-64) does equally well with SGD and with Adam, to half a point",
            parts=(part("Adam - SGD", difference("lab-004-adam", "lab-004-sgd"), delta=0.005),),
            published=Published(
                value="97.8 % with Adam, 97.7 % with SGD",
                source="lab 004",
                protocol="one seed; best validation epoch quoted beside the test value",
            ),
            predicts="refuted",
            deviations=labs["004"],
        ),
    ]
    return (*claims, *_own(widths, depths))


def _own(widths: tuple[int, ...], depths: tuple[int, ...]) -> list[Claim]:
    """Claims of the study itself."""
    deep, deeper = (
        f"depth-{d}" if (d, 64) not in {(1, w) for w in widths} else "width-64" for d in depths[:2]
    )
    claims = [
        Claim(
            id="capacity-depth",
            statement=f"At width 64, {depths[1]} hidden layers are over half a point better than {depths[0]}",
            parts=(part(f"{depths[1]} - {depths[0]} layers", difference(deeper, deep), delta=0.005),),
        ),
    ]
    if len(widths) > 3 and 64 in widths[:-1]:
        largest = widths[-1]
        claims.append(
            Claim(
                id="capacity-width",
                statement=f"Width still pays beyond 64: {largest} units are over half a point better",
                parts=(part(f"{largest} - 64", difference(f"width-{largest}", "width-64"), delta=0.005),),
            )
        )
    return claims
