"""What is claimed about residual CNNs, each as a comparison fixed before the runs."""

from __future__ import annotations

from gradlab.lab.designing.claims import Claim
from gradlab.statistics import difference
from gradlab.studies._cnn_depth import (
    CURVE,
    GRADIENTS,
    LAB_000,
    LAB_002,
    LAB_004_PLAIN,
    LAB_004_RESIDUAL,
    NORM,
    SKIP,
    by_depth,
    matter_more,
    skips,
)
from gradlab.studies._cnn_published import claims_of_lab
from gradlab.studies._cnn_settings import SCALED, Setting
from gradlab.studies._shared import TWO_POINTS, part


def claims_of(setting: Setting, *, small: bool = False) -> tuple[Claim, ...]:
    """Return the claims of a setting, the main one first.

    Args:
        small: ask what a few hundred test images can settle: differences of two points.
    """
    if setting.name != SCALED:
        return claims_of_lab(setting)
    return _small(setting) if small else _scaled(setting)


def _flow(setting: Setting) -> Claim:
    most, counted = max(setting.depths), setting.counted
    grows = part(
        f"{most} {counted}",
        difference(f"plain-{most}", f"residual-{most}"),
        measure="gradient flow at the start",
        delta=0.5,
    )
    return Claim(
        id="residual-cnn-flow",
        statement=f"With batch norm the gradient of a plain CNN of {most} {counted} does not vanish at the start: towards the "
        "input it grows over threefold more than with skips",
        parts=(grows,),
        means=NORM,
        figure=GRADIENTS,
    )


def _scaled(setting: Setting) -> tuple[Claim, ...]:
    claims = [skips("C000-04", setting, LAB_000, scaled=True)]
    if len(setting.depths) > 1:
        claims += [
            by_depth("C004-05", setting, "plain", LAB_004_PLAIN, rises=False, scaled=True),
            by_depth("C004-04", setting, "residual", LAB_004_RESIDUAL, rises=True, scaled=True),
            by_depth("C002-03", setting, "residual", LAB_002, rises=True, kind="not less", scaled=True),
            matter_more("C000-06", setting, scaled=True),
        ]
    return (*claims, _flow(setting))


def _small(setting: Setting) -> tuple[Claim, ...]:
    """What a few hundred test images can settle: large effects."""
    least, most, counted = min(setting.depths), max(setting.depths), setting.counted
    gains = difference(f"residual-{most}", f"plain-{most}")
    here = f"{{residual-{most}}} of the test images classified correctly, plain ones {{plain-{most}}}"
    deep = Claim(
        id="residual-cnn-deep",
        statement=f"At {most} {counted} residual CNNs are better than their plain twins by over two points",
        parts=(part(f"{most} {counted}", gains, delta=TWO_POINTS),),
        says={
            "supported": f"At {most} {counted} skips help: {here}.",
            "refuted": f"At {most} {counted} skips do not gain two points: {here}.",
            "open": f"At {most} {counted} residual CNNs reach {here}; whether skips help by two points is open.",
        },
        means=SKIP,
        figure=CURVE,
    )
    if least == most:
        return (deep, _flow(setting))
    return (
        deep,
        by_depth("C004-05", setting, "plain", LAB_004_PLAIN, rises=False, delta=TWO_POINTS, scaled=True),
        matter_more("C000-06", setting, delta=TWO_POINTS, scaled=True),
        _flow(setting),
    )
