"""What lab 003 claims about residual MLPs at several depths, and what small data can say about it."""

from __future__ import annotations

from gradlab.lab.designing.claims import Claim
from gradlab.statistics import difference
from gradlab.studies._residual_settings import Setting
from gradlab.studies._shared import part, published

FLOW = "gradient flow at the start"
DECADE, TWENTY = 1.0, 0.2
CURVE, GRADIENTS = "accuracy-by-depth", "gradients"
SKIP = (
    "A residual block computes x + f(x) instead of f(x): its input always gets through. So the gradient has a short way back to "
    "the first layers, and a deep network can begin as if it were a shallow one."
)
DEEP = (
    "A network of more layers could represent all that one of fewer layers can. Where it does worse all the same, it is the "
    "training that fails, not the network's capacity."
)
FLOWS = (
    "On its way back the gradient is multiplied by every layer's weights. Where these factors are small on average the first "
    "layers receive almost nothing and cannot learn; where they are large, steps there are too big."
)


def claims_003(setting: Setting, classes: int, small: bool) -> tuple[Claim, ...]:
    """Return the claims of lab 003; on small data its fourth gives way to one that a few hundred images can settle."""
    shallow, deep = min(setting.depths), max(setting.depths)
    claims = [_better(setting.depths, f"{100 / classes:.3g} %")]
    if deep > shallow:
        claims.append(_skip(deep) if small else _falls_too(shallow, deep))
    if deep % 2 == 0:
        claims.append(_two_layers(shallow, deep, small))
    return (*claims, *_gradient_claims(setting.gradient_depth, shallow))


def _better(depths: tuple[int, ...], chance: str) -> Claim:
    shallow, deep = min(depths), max(depths)
    beyond = [depth for depth in depths if depth > shallow] or [deep]
    falls = []
    if deep > shallow:
        contrast = difference(f"plain-{shallow}", f"plain-{deep}")
        falls.append(part(f"plain falls, depth {shallow} to {deep}", contrast))
    beats = [
        part(f"residual above plain, depth {d}", difference(f"residual-{d}", f"plain-{d}")) for d in beyond
    ]
    plain, residual = (
        f"{{plain-{deep}}} of the test images correctly (chance: {chance})",
        f"{{residual-{deep}}} (one layer a block)",
    )
    return Claim(
        id="C003-01",
        statement=f"{'Plain MLPs fail with depth; r' if falls else 'R'}esidual MLPs (one layer a block) are better at "
        f"{'every greater depth' if falls else f'depth {deep}'}",
        parts=(*falls, *beats),
        published=published(
            "003",
            "plain .93 .88 .11 .11, residual .94 .95 .95 .35 at depths 2 8 32 64",
            "one run, no seed, best of 21 epochs chosen on the test set",
        ),
        says={
            "supported": f"At depth {deep} plain networks classify {plain}, residual ones {residual}.",
            "refuted": f"Residual networks are not better at every depth: at depth {deep} plain ones classify {plain}, "
            f"residual ones {residual}.",
            "open": f"At depth {deep} plain networks classify {plain}, residual ones {residual}; whether residual ones are "
            "better at every depth is open.",
        },
        means=SKIP,
        figure=CURVE,
    )


def _falls_too(shallow: int, deep: int) -> Claim:
    contrast = difference(f"residual-{shallow}", f"residual-{deep}")
    return Claim(
        id="C003-01b",
        statement=f"At depth {deep} even the residual MLP with one layer a block falls behind depth {shallow}",
        parts=(part(f"depth {shallow} above {deep}", contrast),),
        published=published(
            "003",
            "the text: residual nets do not fail; the table: .94 at depth 2, .35 at depth 64",
            "text and table contradict each other; one run",
        ),
        predicts="refuted",
        means=DEEP,
        figure=CURVE,
    )


def _skip(deep: int) -> Claim:
    """What small data can settle: a large effect of the skip alone."""
    name, what = ("residual2", "two layers") if deep % 2 == 0 else ("residual", "one layer")
    return Claim(
        id="residual-skip",
        statement=f"At depth {deep} the skip alone is worth over 20 points: {what} a block against the plain twin",
        parts=(part(f"depth {deep}", difference(f"{name}-{deep}", f"plain-{deep}"), delta=TWENTY),),
        means=SKIP,
        figure=CURVE,
    )


def _two_layers(shallow: int, deep: int, small: bool) -> Claim:
    reached = f"{{residual2-{deep}}} at depth {deep}"
    if shallow < deep and shallow % 2 == 0:
        reached += f" and {{residual2-{shallow}}} at depth {shallow}"
    one = f"with one layer a block it is {{residual-{deep}}} at depth {deep}"
    return Claim(
        id="C003-02",
        statement=f"At depth {deep} two layers a block are better than one",
        parts=(part(f"depth {deep}", difference(f"residual2-{deep}", f"residual-{deep}")),),
        reach="a few hundred test images cannot show a difference of one point; mnist has 10,000"
        if small
        else "",
        published=published(
            "003", ".96 against .35 at depth 64", "one run, best of 21 epochs chosen on the test set"
        ),
        says={
            "supported": f"With two layers a block they reach {reached}.",
            "refuted": f"Two layers a block are not better than one: {reached}; {one}.",
            "open": f"With two layers a block they reach {reached}.",
        },
        means=DEEP,
        figure=CURVE,
    )


def _gradient_claims(depth: int, shallow: int) -> tuple[Claim, ...]:
    plot = "plain falls to about 1e-13, residual stays at 1e0 to 1e3, 32 layers, at initialisation"
    vanishes = part(
        f"depth {depth}", difference(f"residual-{depth}", f"plain-{depth}"), measure=FLOW, delta=DECADE
    )
    claims = [
        Claim(
            id="C003-03",
            statement=f"At initialisation skips keep the gradient from vanishing on its way through {depth} layers",
            parts=(vanishes,),
            published=published("003", plot, "one net of each kind, weights and biases mixed in one line"),
            means=FLOWS,
            figure=GRADIENTS,
        )
    ]
    if depth > shallow:
        contrast = difference(f"residual-{depth}", f"residual-{shallow}")
        grows = part(
            f"depth {shallow} to {depth}", contrast, measure="first-layer gradient at the start", delta=DECADE
        )
        claims.append(
            Claim(
                id="C003-03b",
                statement=f"The residual gradient does not merely survive: from depth {shallow} to {depth} it grows over tenfold",
                parts=(grows,),
                published=published("003", plot, "stands in the lab's plot and is not mentioned"),
                means=FLOWS,
                figure=GRADIENTS,
            )
        )
    return tuple(claims)
