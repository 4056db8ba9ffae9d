"""What each lab claims about residual CNNs in its own setting."""

from __future__ import annotations

from gradlab.lab.designing.claims import Claim
from gradlab.statistics import difference
from gradlab.studies._cnn_depth import (
    CURVE,
    DEEP,
    LAB_000,
    LAB_001,
    LAB_002,
    LAB_003,
    LAB_004_PLAIN,
    LAB_004_RESIDUAL,
    ONE_RUN,
    SKIP,
    by_depth,
    matter_more,
    skips,
)
from gradlab.studies._cnn_settings import Setting
from gradlab.studies._shared import part, published


def claims_of_lab(setting: Setting) -> tuple[Claim, ...]:
    """Return the claims of a lab, the main one first."""
    made = {
        "000": _claims_000,
        "001": _claims_001,
        "002": _claims_002,
        "003": _claims_003,
        "004": _claims_004,
    }
    return made[setting.name](setting)


def _claims_000(setting: Setting) -> tuple[Claim, ...]:
    shallow, deep = min(setting.depths), max(setting.depths)
    published_pairs = tuple(
        part(f"depth {n}", difference(f"residual-{n}", f"flat-{n}")) for n in setting.depths
    )
    return (
        skips("C000-04m", setting, None),
        Claim(
            id="C000-04",
            statement="Residual CNNs are better than the published plain ones at every depth",
            parts=published_pairs,
            published=LAB_000,
            means=SKIP,
            figure=CURVE,
        ),
        Claim(
            id="C000-05",
            statement=f"Without skips deeper is not always better: {shallow} convolutions instead of {deep} cost at most a point",
            parts=(part("shallow - deep", difference(f"flat-{shallow}", f"flat-{deep}"), kind="not less"),),
            published=published("000", "the text; its table: 67.9 % at 2, 81.1 % at 6", ONE_RUN),
            means=DEEP,
            figure=CURVE,
        ),
        matter_more("C000-06", setting),
    )  # fmt: skip


def _claims_001(setting: Setting) -> tuple[Claim, ...]:
    del setting  # its three nets have names, not depths
    both = "{three-stage} against {simple-cnn} of the test images classified correctly; ResNet-18 reaches {resnet18}"
    return (
        Claim(
            id="C001-03",
            statement="Three stages with batch norm are better than two convolutions",
            parts=(part("three stages - two convolutions", difference("three-stage", "simple-cnn")),),
            published=LAB_001,
            says={
                "supported": f"Three stages with batch norm are better than two convolutions: {both}.",
                "refuted": f"Three stages with batch norm are no better than two convolutions: {both}.",
                "open": f"Whether three stages with batch norm are better than two convolutions is open: {both}.",
            },
            means=DEEP,
            figure=CURVE,
        ),
        Claim(
            id="C001-03b",
            statement="ResNet-18 is worse than three stages without skips",
            parts=(part("three stages - ResNet-18", difference("three-stage", "resnet18")),),
            published=LAB_001,
            means=SKIP,
            figure=CURVE,
        ),
    )


def _claims_002(setting: Setting) -> tuple[Claim, ...]:
    return (
        skips("C002-03", setting, LAB_002),
        by_depth("C002-03b", setting, "residual", LAB_002, rises=True),
    )


def _claims_003(setting: Setting) -> tuple[Claim, ...]:
    return (skips("C003-04", setting, LAB_003),)


def _claims_004(setting: Setting) -> tuple[Claim, ...]:
    return (
        by_depth("C004-04", setting, "residual", LAB_004_RESIDUAL, rises=True),
        by_depth("C004-05", setting, "plain", LAB_004_PLAIN, rises=False),
        skips("C004-04m", setting, None),
    )
