"""Claims that several settings of the study on residual CNNs make: skips against none, and what depth does."""

from __future__ import annotations

from gradlab.lab.designing.claims import Claim, Kind, Published, Verdict
from gradlab.statistics import Contrast, difference
from gradlab.studies._cnn_settings import Setting
from gradlab.studies._shared import POINT, TWO_POINTS, part, published

CURVE, GRADIENTS = "accuracy-by-depth", "gradients"
SKIP = (
    "A residual block adds its input to its output. So a deep net begins as if it were a shallow one, and the gradient has a "
    "short way back to the first layers."
)
DEEP = (
    "A deeper net could represent all that a shallower one can. Where it does worse all the same it is the training that fails, "
    "not the net's capacity: He et al. call this degradation."
)
NORM = (
    "Batch norm keeps the signals at one scale on their way forward. On the way back the gradient of a plain net then does not "
    "vanish: every norm before a ReLU enlarges it a little, so that it grows towards the input; a skip lets it pass unchanged."
)
ONE_RUN = "one run of each net, no seed"
LAB_000 = published(
    "000",
    "plain 67.9 74.1 81.1 %, residual 76.9 80.5 83.7 % at 2, 3 and 6",
    f"{ONE_RUN}; the plain nets have another width, no norm and up to 19 times the parameters",
)
LAB_003 = published(
    "003",
    "residual .847 and .850, plain .852 and .814 at 18 and 34 layers",
    f"{ONE_RUN}, best epoch chosen on the test images; its own first pair contradicts the text",
)
LAB_004_PLAIN = published(
    "004", "plain .851 .836 .830 at 5, 10 and 15 blocks", f"{ONE_RUN}; lab 000's plain nets gain with depth"
)
LAB_004_RESIDUAL = published("004", "residual .852 .868 .876 at 5, 10 and 15 blocks", ONE_RUN)
LAB_002 = published(
    "002",
    "plain 68 77 75 %, with skips 63 79 82 % at 2, 5 and 7 blocks a stage",
    f"{ONE_RUN}; dropout, augmentation and epochs differ between the nets",
)
LAB_001 = published(
    "001", "68.7, 79.2 and 75.7 % on validation images", f"{ONE_RUN}; the nets differ in all respects"
)
OTHER = ("nets, images and training scaled down for two cores",)


def skips(id_: str, setting: Setting, source: Published | None, *, scaled: bool = False) -> Claim:
    """Residual against plain twins at every depth."""
    least, most, counted = min(setting.depths), max(setting.depths), setting.counted
    numbers = f"at {least} {counted} {{residual-{least}}} against {{plain-{least}}} of the test images classified correctly"
    if most > least:
        numbers += f", at {most} {{residual-{most}}} against {{plain-{most}}}"
    parts = tuple(part(f"{n} {counted}", difference(f"residual-{n}", f"plain-{n}")) for n in setting.depths)
    return Claim(
        id=id_,
        statement="Residual CNNs are better than their plain twins at every depth",
        parts=parts,
        published=source,
        deviations=OTHER if scaled else None,
        says={
            "supported": f"Residual CNNs are better than plain ones at every depth: {numbers}.",
            "refuted": f"Residual CNNs are not better than plain ones at every depth: {numbers}.",
            "open": f"Whether residual CNNs are better than plain ones at every depth is open: {numbers}.",
        },
        means=SKIP,
        figure=CURVE,
    )


def _points(delta: float) -> str:
    return "two points" if delta == TWO_POINTS else "a point"


def by_depth(
    id_: str,
    setting: Setting,
    net: str,
    source: Published | None,
    *,
    rises: bool,
    kind: Kind = "more",
    delta: float = POINT,
    scaled: bool = False,
) -> Claim:
    """Say how the accuracy of one kind of net changes from the least to the greatest depth."""
    least, most, counted = min(setting.depths), max(setting.depths), setting.counted
    ends = (most, least) if rises else (least, most)
    change = part(f"{least} to {most}", difference(*(f"{net}-{n}" for n in ends)), delta=delta, kind=kind)
    amount, numbers = _points(delta), f"from {{{net}-{least}}} to {{{net}-{most}}}"
    verb, statement = (
        ("hold up", f"With skips depth costs at most {amount}: {most} {counted} against {least}")
        if kind == "not less"
        else ("gain" if rises else "lose", f"{net.capitalize()} CNNs {'gain' if rises else 'lose'}")
    )
    if kind != "not less":
        statement += f" over {amount} from {least} to {most} {counted}"
    deeper = f"with {most} {counted} instead of {least}"
    says: dict[Verdict, str] = {
        "supported": f"{deeper.capitalize()} {net} CNNs {verb}: {numbers}.",
        "refuted": f"{deeper.capitalize()} {net} CNNs do not {verb}: {numbers}.",
        "open": f"Whether {net} CNNs {verb} {deeper} is open: {numbers}.",
    }
    return Claim(
        id=id_,
        statement=statement,
        parts=(change,),
        published=source,
        deviations=OTHER if scaled else None,
        says=says,
        means=DEEP,
        figure=CURVE,
    )


def matter_more(id_: str, setting: Setting, *, delta: float = POINT, scaled: bool = False) -> Claim:
    least, most, counted = min(setting.depths), max(setting.depths), setting.counted
    weights = {
        f"residual-{least}": 1.0,
        f"plain-{least}": -1.0,
        f"residual-{most}": -1.0,
        f"plain-{most}": 1.0,
    }
    here = f"{{residual-{least}}} against {{plain-{least}}} at {least} {counted}"
    there = f"{{residual-{most}}} against {{plain-{most}}} at {most}"
    return Claim(
        id=id_,
        statement=f"Skips matter more in shallow CNNs than in deep ones: {least} against {most} {counted}",
        parts=(part("gain, shallow - deep", Contrast(weights=weights), delta=delta),),
        published=LAB_000,
        deviations=OTHER if scaled else None,
        says={
            "supported": f"Skips matter more in shallow nets: {here}, {there}.",
            "refuted": f"Skips do not matter more in shallow nets than in deep ones: {here}, {there}.",
        },
        means=SKIP,
        figure=CURVE,
    )
