"""What is claimed about activations, each as a comparison fixed before the runs."""

from __future__ import annotations

from gradlab.lab.designing.claims import Claim
from gradlab.statistics import difference
from gradlab.studies._shared import POINT, TWO_POINTS, part, published

SATURATING = ("sigmoid", "tanh")
FLOW = "gradient flow at the start"
WORDS = {"leaky-relu": "leaky relu"}
LAB = published(
    "002",
    "training loss: sigmoid stuck at 2.30, tanh ends near 0.11, relu near 0.02",
    "one run each; a plot of the training loss, no gradient; the text says that both saturating ones fail",
)
SLOPES = (
    "The gradient reaches the first layers as a product of the slopes of all later ones. A sigmoid's slope is at most a quarter, "
    "so ten of them leave almost nothing; relu's is one wherever it is on."
)
STARTS = (
    "The initialisation decides how large the signals are that pass through the layers. One that is made for an activation "
    "keeps them neither too small nor too large, so that what remains is the activation's own doing."
)
SHALLOW = "With few layers there is little along the way that could shrink the gradient. So activations differ less there."
UNSTEADY = "deep nets from the default initialisation differ by tens of points from seed to seed; take more seeds or epochs"
CLOSE = "a few hundred test images hardly show a difference of two points; mnist has 10,000"
CURVE, GRADIENTS = "accuracy-by-depth", "gradients"


def claims_of(kinds: tuple[str, ...], depths: tuple[int, ...], *, small: bool = False) -> tuple[Claim, ...]:
    """Return the claims that these activations and depths allow, the published ones first.

    Args:
        small: ask what a few hundred test images can settle: differences of two points.
    """
    deep, shallow = max(depths), min(depths)
    saturating = [kind for kind in SATURATING if kind in kinds]
    others = [kind for kind in kinds if kind not in (*SATURATING, "relu")]
    claims = [_behind(kind, deep, small) for kind in saturating]
    if deep > 2:  # two hidden layers have one block alone, along which nothing can shrink
        claims += [_shrinks(kind, deep) for kind in saturating]
    claims += [_matched(kind, deep) if small else _xavier(kind, deep) for kind in saturating]
    claims += [_equal(kind, deep, "smooth", small) for kind in others]
    if shallow < deep:
        claims += [_equal(kind, shallow, "shallow", small) for kind in saturating]
    return tuple(claims)


def _words(small: bool) -> tuple[float, str]:
    return (TWO_POINTS, "two points") if small else (POINT, "a point")


def _behind(kind: str, deep: int, small: bool) -> Claim:
    delta, _ = _words(small)
    here, relu = f"{{{kind}-{deep}}}", f"{{relu-{deep}}}"
    return Claim(
        id=f"C002-01-{kind}",
        statement=f"With {deep} hidden layers {kind} falls behind relu" + (" by over two points" if small else ""),
        parts=(part(f"relu above {kind}", difference(f"relu-{deep}", f"{kind}-{deep}"), delta=delta),),
        published=LAB,
        reach=UNSTEADY if small and kind == "tanh" else "",
        says={
            "supported": f"{kind.capitalize()} falls behind at {deep} hidden layers: {here} of the test images classified "
            f"correctly, relu {relu}.",
            "refuted": f"At {deep} hidden layers {{subjects}} {{does|do}} not fall behind relu ({relu}).",
            "open": f"At {deep} hidden layers {kind} reaches {here}, which leaves open whether it falls behind relu.",
        },
        subject=f"{kind} ({here})",
        means=SLOPES,
        figure=CURVE,
    )  # fmt: skip


def _shrinks(kind: str, deep: int) -> Claim:
    return Claim(
        id=f"C002-01g-{kind}",
        statement=f"At the start {kind} shrinks the gradient on its way to the input over tenfold more than relu",
        parts=(part(kind, difference(f"relu-{deep}", f"{kind}-{deep}"), measure=FLOW, delta=1.0),),
        published=LAB,
        means=SLOPES,
        figure=GRADIENTS,
    )


def _xavier(kind: str, deep: int) -> Claim:
    after = f"{{{kind}-{deep}-xavier}}"
    return Claim(
        id=f"activations-xavier-{kind}",
        statement=f"Xavier initialisation makes {kind} nets of {deep} hidden layers over a point more accurate",
        parts=(part(kind, difference(f"{kind}-{deep}-xavier", f"{kind}-{deep}")),),
        says={
            "supported": f"Xavier initialisation helps {{subjects}} at {deep} layers.",
            "refuted": f"Xavier initialisation does not help {{subjects}} at {deep} layers.",
        },
        subject=f"{kind} (then {after})",
        means=STARTS,
        figure=CURVE,
    )


def _matched(kind: str, deep: int) -> Claim:
    """Ask whether the right initialisation mends it: no longer behind relu with the one made for relu."""
    here, relu = f"{kind}-{deep}-xavier", f"relu-{deep}-he"
    return Claim(
        id=f"activations-matched-{kind}",
        statement=f"With the initialisation made for it {kind} is at most two points less accurate than relu at {deep} layers",
        parts=(part(kind, difference(here, relu), delta=TWO_POINTS, kind="not less"),),
        says={
            "supported": f"With the initialisation made for it {kind} keeps up with relu: {{{here}}} and {{{relu}}}.",
            "refuted": f"The initialisation made for it does not mend {kind}: {{{here}}}, relu {{{relu}}}.",
        },
        means=STARTS,
        figure=CURVE,
    )


def _equal(kind: str, depth: int, name: str, small: bool) -> Claim:
    delta, words = _words(small)
    named = WORDS.get(kind, kind)
    return Claim(
        id=f"activations-{name}-{kind}",
        statement=f"With {depth} hidden layers {named} is as accurate as relu, to within {words}",
        parts=(part(kind, difference(f"{kind}-{depth}", f"relu-{depth}"), delta=delta, kind="same"),),
        reach=CLOSE if small and kind == "sigmoid" else "",
        says={
            "supported": f"With {depth} layers {{subjects}} {{does|do}} as well as relu ({{relu-{depth}}}).",
            "refuted": f"With {depth} layers {{subjects}} {{is|are}} not as accurate as relu ({{relu-{depth}}}).",
        },
        subject=f"{named} ({{{kind}-{depth}}})",
        means=SHALLOW if name == "shallow" else SLOPES,
        figure=CURVE,
    )  # fmt: skip
