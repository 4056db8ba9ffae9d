"""What the labs claim about residual MLPs, each as a comparison fixed before the runs."""

from __future__ import annotations

from gradlab.lab.designing.claims import Claim, Published
from gradlab.statistics import Contrast, against, difference
from gradlab.studies._residual_settings import Setting
from gradlab.studies._shared import part

FLOW = "gradient flow at the start"
LEARNT = 0.9
"""Test accuracy from which a net counts as having learnt."""
DECADE = 1.0


def claims_of(setting: Setting) -> tuple[Claim, ...]:
    """Return the claims of a setting, the main one first."""
    if setting.name == "003":
        return _claims_003(setting)
    if setting.name == "004":
        return _claims_004(setting)
    return _claims_000() if setting.name == "000" else _claims_001()


def _claims_003(setting: Setting) -> tuple[Claim, ...]:
    shallow, deep = min(setting.depths), max(setting.depths)
    beyond = [depth for depth in setting.depths if depth > shallow] or [deep]
    table = "plain .93 .88 .11 .11, residual .94 .95 .95 .35 at depths 2 8 32 64"
    falls = []
    if deep > shallow:
        contrast = difference(f"plain-{shallow}", f"plain-{deep}")
        falls.append(part(f"plain falls, depth {shallow} to {deep}", contrast))
    beats = [
        part(f"residual above plain, depth {d}", difference(f"residual-{d}", f"plain-{d}")) for d in beyond
    ]
    claims = [
        Claim(
            id="C003-01",
            statement=f"{'Plain MLPs fail with depth; r' if falls else 'R'}esidual MLPs (one layer a block) are better at "
            f"{'every greater depth' if falls else f'depth {deep}'}",
            parts=(*falls, *beats),
            published=Published(
                value=table,
                source="lab 003",
                protocol="one run, no seed, best of 21 epochs chosen on the test set",
            ),
        )
    ]
    if deep > shallow:
        claims.append(
            Claim(
                id="C003-01b",
                statement=f"At depth {deep} even the residual MLP with one layer a block falls behind depth {shallow}",
                parts=(
                    part(
                        f"depth {shallow} above {deep}", difference(f"residual-{shallow}", f"residual-{deep}")
                    ),
                ),
                published=Published(
                    value="the text: residual nets do not fail; the table: .94 at depth 2, .35 at depth 64",
                    source="lab 003",
                    protocol="text and table contradict each other; one run",
                ),
                predicts="refuted",
            )
        )
    if deep % 2 == 0:
        claims.append(
            Claim(
                id="C003-02",
                statement=f"At depth {deep} two layers a block are better than one",
                parts=(part(f"depth {deep}", difference(f"residual2-{deep}", f"residual-{deep}")),),
                published=Published(
                    value=".96 against .35 at depth 64",
                    source="lab 003",
                    protocol="one run, best of 21 epochs chosen on the test set",
                ),
            )
        )
    return (*claims, *_gradient_claims(setting.gradient_depth, shallow))


def _gradient_claims(depth: int, shallow: int) -> tuple[Claim, ...]:
    plot = "plain falls to about 1e-13, residual stays at 1e0 to 1e3, 32 layers, at initialisation"
    protocol = "one net of each kind, weights and biases mixed in one line"
    vanishes = part(
        f"depth {depth}", difference(f"residual-{depth}", f"plain-{depth}"), measure=FLOW, delta=DECADE
    )
    claims = [
        Claim(
            id="C003-03",
            statement=f"At initialisation skips keep the gradient from vanishing on its way through {depth} layers",
            parts=(vanishes,),
            published=Published(value=plot, source="lab 003", protocol=protocol),
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
                published=Published(
                    value=plot, source="lab 003", protocol="stands in the lab's plot and is not mentioned"
                ),
            )
        )
    return tuple(claims)


def _claims_004(setting: Setting) -> tuple[Claim, ...]:
    one_seed = "one seed; best validation epoch quoted beside the test value"
    deep = max(setting.depths)
    fails = part(f"depth {deep}", Contrast(weights={f"plain-{deep}": -1.0}, constant=LEARNT))
    return (
        Claim(
            id="C004-03",
            statement="Residual MLPs learn at any depth: above 90 % test accuracy at every one",
            parts=tuple(part(f"depth {d}", against(f"residual2-{d}", LEARNT)) for d in setting.depths),
            published=Published(
                value=".976 .979 .979 at depths 10 20 30", source="lab 004", protocol=one_seed
            ),
        ),
        Claim(
            id="C004-02",
            statement=f"A deep plain MLP fails: at depth {deep} it stays below 90 % test accuracy",
            parts=(fails,),
            published=Published(
                value="plain .973 .963 .114 at depths 10 20 30",
                source="lab 004",
                protocol=f"{one_seed}; its text speaks of all three depths, its table shows failure at 30 alone",
            ),
        ),
    )


def _claims_000() -> tuple[Claim, ...]:
    one_run = "one run; nets differ in width, depth and size; the last, not the best weights"
    return (
        Claim(
            id="C000-02",
            statement="The residual MLP is better than the plain 128-64 and stops at least one epoch sooner",
            parts=(
                part("accuracy", difference("residual", "mlp"), delta=0.002),
                part("epochs", difference("mlp", "residual"), measure="epochs trained", delta=1.0),
            ),
            published=Published(
                value="97.73 against 97.39 %, 11 against 17 epochs", source="lab 000", protocol=one_run
            ),
        ),
        Claim(
            id="C000-02m",
            statement="Against its plain twin, equal in all but the skip, the residual MLP is better",
            parts=(part("accuracy", difference("residual", "plain"), delta=0.002),),
        ),
        Claim(
            id="C000-03",
            statement="Residual connections give a larger gradient in the first layer after training",
            parts=(
                part(
                    "first layer",
                    difference("residual", "mlp"),
                    measure="first-layer gradient at the end",
                    delta=0.1,
                ),
            ),
            published=Published(
                value="norm .4660 against .1896",
                source="lab 000",
                protocol="each net on a different batch after a different number of epochs; shallow nets",
            ),
        ),
    )


def _claims_001() -> tuple[Claim, ...]:
    protocol = "one run; the residual net has three layers more; two runs of one net differ by half a point"
    widths = (10, 64)
    epochs = [
        part(f"width {w}", difference(f"shallow-{w}", f"residual-{w}"), measure="epochs trained", delta=1.0)
        for w in widths
    ]
    quality = [part(f"width {w}", difference(f"residual-{w}", f"shallow-{w}"), delta=0.005) for w in widths]
    return (
        Claim(
            id="C001-02",
            statement="A residual MLP needs fewer epochs than one hidden layer of the same width",
            parts=tuple(epochs),
            published=Published(
                value="11 against 29 and 9 against 24 epochs", source="lab 001", protocol=protocol
            ),
        ),
        Claim(
            id="C001-02b",
            statement="A residual MLP beats one hidden layer of its width by half a point (the lab says: same quality)",
            parts=tuple(quality),
            published=Published(
                value="94.59 against 93.22 and 97.09 against 97.53 %", source="lab 001", protocol=protocol
            ),
            predicts="refuted",
        ),
    )
