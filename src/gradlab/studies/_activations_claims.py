"""What is claimed about activations, each as a comparison fixed before the runs."""

from __future__ import annotations

from gradlab.lab.designing.claims import Claim, Published
from gradlab.statistics import difference
from gradlab.studies._shared import part

SATURATING = ("sigmoid", "tanh")
FLOW = "gradient flow at the start"


def claims_of(kinds: tuple[str, ...], depths: tuple[int, ...]) -> tuple[Claim, ...]:
    """Return the claims that these activations and depths allow, the published ones first."""
    deep, shallow = max(depths), min(depths)
    saturating = [kind for kind in SATURATING if kind in kinds]
    others = [kind for kind in kinds if kind not in (*SATURATING, "relu")]
    published = Published(
        value="training loss: sigmoid stuck at 2.30, tanh ends near 0.11, relu near 0.02",
        source="lab 002",
        protocol="one run each; a plot of the training loss, no gradient; the text says that both saturating ones fail",
    )
    claims = []
    if saturating:
        claims += [
            Claim(
                id="C002-01",
                statement=f"With {deep} hidden layers saturating activations ({', '.join(saturating)}) fall behind relu",
                parts=tuple(
                    part(f"relu above {k}", difference(f"relu-{deep}", f"{k}-{deep}")) for k in saturating
                ),
                published=published,
            ),
            Claim(
                id="activations-xavier",
                statement=f"Xavier initialisation makes saturating nets of {deep} hidden layers over a point more accurate",
                parts=tuple(part(k, difference(f"{k}-{deep}-xavier", f"{k}-{deep}")) for k in saturating),
            ),
        ]
    if saturating and deep > 2:  # two hidden layers have one block alone, along which nothing can shrink
        claims.insert(
            1,
            Claim(
                id="C002-01g",
                statement="Saturation shrinks the gradient on its way to the input over tenfold more than relu, at the start",
                parts=tuple(
                    part(k, difference(f"relu-{deep}", f"{k}-{deep}"), measure=FLOW, delta=1.0)
                    for k in saturating
                ),
                published=published,
            ),
        )
    if others:
        claims.append(
            Claim(
                id="activations-smooth",
                statement=f"With {deep} hidden layers {' and '.join(others)} are as accurate as relu, to a point",
                parts=tuple(part(k, difference(f"{k}-{deep}", f"relu-{deep}")) for k in others),
                predicts="refuted",
            )
        )
    if shallow < deep and saturating:
        claims.append(
            Claim(
                id="activations-shallow",
                statement=f"With {shallow} hidden layers {' and '.join(saturating)} are as accurate as relu, to a point",
                parts=tuple(part(k, difference(f"{k}-{shallow}", f"relu-{shallow}")) for k in saturating),
                predicts="refuted",
            )
        )
    return tuple(claims)
