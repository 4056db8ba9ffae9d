"""What the study of detection claims: three labs' sentences, and the questions that they leave open."""

from __future__ import annotations

from gradlab.lab.designing.claims import Claim, Part
from gradlab.statistics import Contrast, against, difference
from gradlab.studies._foreign import NOISE
from gradlab.studies._shared import TWO_POINTS, part, published

AUROC, HEAT, SCORES = "AUROC", "auroc", "scores"
CHANCE = 0.5
NEAR_MEANS = (
    "Noise is easy: it looks like nothing that a network has seen. Images of a class that is missing look like the others, and "
    "these are what a network meets in use."
)
ERROR_MEANS = (
    "An auto-encoder learns to reproduce familiar images from few numbers. What it cannot reproduce is foreign; but a foreign "
    "image that is smoother than the familiar ones is easy to reproduce, and looks more familiar than they do."
)
OUTPUTS_MEANS = (
    "The maximum softmax forgets how large the logits are; the energy and the largest logit keep it. Both rest on the same "
    "numbers, so they often agree. Which is better depends on the training as well: label smoothing, as in the recipe fast, "
    "holds the logits of familiar images together and may favour the maximum softmax. Of a published ResNet-20, trained "
    "otherwise, the energy is the better one (docs/detection.md)."
)


BETTER_MEANS = (
    "A network that confuses its own classes is unsure of familiar images as well, and its maximum softmax falls for them too. "
    "Where the better classifier is more confident on the familiar images alone, the two are told apart more easily."
)
NOISE_MEANS = (
    "Noise is the easiest of foreign images, and one network alone says little. What a score does on noise says nothing of how "
    "it does on images that look like the familiar ones."
)
SEPARATES_MEANS = (
    "A score at chance tells nothing, and one below it takes the foreign images for more familiar than its own. A single run of "
    "a few hundred images cannot tell a score near chance from chance."
)
NEIGHBOURS_MEANS = (
    "The outputs hold only what separates the known classes. The features before them may still hold what is unlike every "
    "training image."
)


def claims_of(sets: list[str], *, has_two: bool) -> tuple[Claim, ...]:
    """Return the claims; δ is two points of AUROC throughout, what some hundred images of a set can tell.

    Args:
        sets: what the foreign sets are called, the nearest first. has_two: whether there is a weaker network.
    """
    near = sets[0]
    claims = [
        _outputs(near),
        _near_is_harder(near),
        _noise_softmax(),
        _noise_logit(),
        _error_on_noise(),
        _error(near),
    ]
    if has_two:
        claims.insert(2, _better(near))
    return (*claims, _separates(near), _neighbours(near))


def _auroc(label: str, contrast: Contrast) -> tuple[Part]:
    return (part(label, contrast, measure=AUROC, delta=TWO_POINTS),)


def _outputs(near: str) -> Claim:
    numbers = f"energy {{energy {near}}}, maximum softmax {{max-softmax {near}}} AUROC on {near}"
    return Claim(
        id="ood-energy",
        statement=f"The free energy detects {near} over two points of AUROC better than the maximum softmax",
        parts=_auroc("energy - max softmax", difference(f"energy {near}", f"max-softmax {near}")),
        says={
            "supported": f"Among scores of the outputs the energy is better than the maximum softmax: {numbers}.",
            "refuted": f"Of scores of the outputs, the energy against the maximum softmax: {{reading}}; {numbers}.",
            "open": f"Of scores of the outputs, the energy against the maximum softmax: {{reading}}; {numbers}.",
        },
        means=OUTPUTS_MEANS,
        figure=HEAT,
    )


def _near_is_harder(near: str) -> Claim:
    numbers = f"{{max-logit {near}}} against {{max-logit {NOISE}}} by the largest logit"
    return Claim(
        id="ood-near",
        statement=f"By the largest logit noise is detected over two points of AUROC better than {near}",
        parts=_auroc(f"noise - {near}", difference(f"max-logit {NOISE}", f"max-logit {near}")),
        says={
            "supported": f"Images of {near} are harder to notice than noise: {numbers}.",
            "refuted": f"Images of {near} are not two points harder to notice than noise: {numbers}.",
            "open": f"Whether images of {near} are two points harder to notice than noise is open: {numbers}.",
        },
        means=NEAR_MEANS,
        figure=HEAT,
    )


def _better(near: str) -> Claim:
    pair = difference(f"max-softmax {near}", f"weak max-softmax {near}")
    numbers = f"{{max-softmax {near}}} against {{weak max-softmax {near}}} AUROC on {near}"
    return Claim(
        id="C003-06",
        statement=f"By the maximum softmax the better classifier detects {near} over two points of AUROC better",
        parts=_auroc("better - weaker classifier", pair),
        published=published(
            "003",
            "ResNet-20 of 81 % accuracy against a CNN of 64 % with an AUROC of 0.63",
            "one run each; the ResNet-20, published with 92.6 %, was given images normalised otherwise than in its training",
        ),
        says={
            "supported": f"The better classifier also detects better: {numbers}.",
            "refuted": f"The better classifier does not detect two points better: {numbers}.",
            "open": f"Whether the better classifier detects two points better is open: {numbers}.",
        },
        means=BETTER_MEANS,
        figure=HEAT,
    )


def _noise_softmax() -> Claim:
    return Claim(
        id="C000-13",
        statement="The maximum softmax tells noise from familiar images with an AUROC above 80 %",
        parts=_auroc("AUROC", against(f"max-softmax {NOISE}", 0.8 - TWO_POINTS)),
        published=published(
            "000",
            "AUROC 0.83, average precision 0.98",
            "one run; 10,000 familiar images against 1,000 of noise, the only set",
        ),
        means=NOISE_MEANS,
        figure=SCORES,
    )


def _noise_logit() -> Claim:
    return Claim(
        id="C001-09",
        statement="The largest logit tells noise from familiar images with an AUROC above 80 %",
        parts=_auroc("AUROC", against(f"max-logit {NOISE}", 0.8 - TWO_POINTS)),
        published=published(
            "001", "AUROC 0.84 (0.79 in an older text)", "one run; noise the only foreign set"
        ),
        means=NOISE_MEANS,
        figure=SCORES,
    )


def _error_on_noise() -> Claim:
    return Claim(
        id="C001-10",
        statement="The error of an auto-encoder detects noise over two points of AUROC better than the largest logit "
        "and than the maximum softmax",
        parts=(
            *_auroc("error - max logit", difference(f"reconstruction {NOISE}", f"max-logit {NOISE}")),
            *_auroc("error - max softmax", difference(f"reconstruction {NOISE}", f"max-softmax {NOISE}")),
        ),
        published=published(
            "001",
            "AUROC 0.94 against 0.84; lab 002: 0.94 against 0.59",
            "one run each; the decoders end in a sigmoid and cannot reach half of the range of their targets, and lab 002 "
            "gave its classifier images normalised otherwise than in its training",
        ),
        means=ERROR_MEANS,
        figure=HEAT,
    )


def _error(near: str) -> Claim:
    numbers = f"{{reconstruction {near}}} against {{max-logit {near}}} AUROC"
    return Claim(
        id="ood-error-near",
        statement=f"The largest logit detects {near} over two points of AUROC better than the error of an auto-encoder",
        parts=_auroc("max logit - error", difference(f"max-logit {near}", f"reconstruction {near}")),
        says={
            "supported": f"On {near} the error of an auto-encoder is worse than the largest logit: {numbers}; on noise "
            f"{{reconstruction {NOISE}}} against {{max-logit {NOISE}}}.",
            "refuted": f"On {near} the error of an auto-encoder is not two points worse than the largest logit: {numbers}.",
            "open": f"Whether the error of an auto-encoder is two points worse than the largest logit on {near} is open: "
            f"{numbers}.",
        },
        means=ERROR_MEANS,
        figure=HEAT,
    )


def _separates(near: str) -> Claim:
    scores = {"max softmax": "max-softmax", "max logit": "max-logit", "error": "reconstruction"}
    return Claim(
        id="C004-14",
        statement=f"Maximum softmax, largest logit and reconstruction error all detect {near} with an AUROC over two points "
        "above chance",
        parts=tuple(
            one for told, name in scores.items() for one in _auroc(told, against(f"{name} {near}", CHANCE))
        ),
        published=published(
            "004",
            "AUROC 0.81 by the maximum softmax; histograms of the others",
            "one run; 20 classes of CIFAR-100 normalised by other numbers; by the histogram the auto-encoder, trained with one "
            "channel against three, takes foreign images for more familiar",
        ),
        means=SEPARATES_MEANS,
        figure=HEAT,
    )


def _neighbours(near: str) -> Claim:
    numbers = f"{{knn, tuned {near}}} against {{max-softmax {near}}}"
    return Claim(
        id="ood-neighbours",
        statement=f"The distance to nearest training images detects {near} over two points of AUROC better than the maximum "
        "softmax",
        parts=_auroc("k-NN - max softmax", difference(f"knn, tuned {near}", f"max-softmax {near}")),
        says={
            "supported": f"The distance to training images notices {near} better than the maximum softmax: {numbers}.",
            "refuted": f"On {near} the distance to training images against the maximum softmax: {{reading}}; {numbers}.",
            "open": f"On {near} the distance to training images against the maximum softmax: {{reading}}; {numbers}.",
        },
        means=NEIGHBOURS_MEANS,
        figure=HEAT,
    )
