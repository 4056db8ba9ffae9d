"""What is claimed about foreign sentences, from publications on transformers, each as a comparison fixed before the runs."""

from __future__ import annotations

from gradlab.lab.designing.claims import Claim
from gradlab.statistics import against, difference
from gradlab.studies._shared import part

AUROC, FIGURE = "AUROC", "auroc"
CHANCE, FIVE_POINTS = 0.5, 0.05
SURE = (
    "A classifier is trained to be sure of familiar sentences. That it is less sure of others is a hope, not a part of its "
    "training."
)
FEATURES = (
    "The logits of two classes are two numbers, and what is unlike every training sentence need not show in them. The features "
    "before them hold more, and Podolskiy et al. (2021, arXiv:2101.03778) found the Mahalanobis distance the better score for "
    "transformers."
)
NEARER = (
    "Questions differ from reviews in nearly every word, sentences about a film's plot in what they say of it. What shares most "
    "of its words with the familiar sentences is harder to tell from them."
)


def claims_of(sets: list[str]) -> tuple[Claim, ...]:
    """Return the claims; `sets` are what the foreign sets are called, the farthest first."""
    far = sets[0]
    found = [_notices(far), _features(far)]
    if len(sets) > 1:
        found += [_notices(sets[1], first=False), _nearer(far, sets[1])]
    return tuple(found)


def _notices(told: str, *, first: bool = True) -> Claim:
    numbers = f"its maximum softmax tells {told} from familiar sentences with an AUROC of {{max-softmax {told}}} (guessing: 50 %)"
    return Claim(
        id="text-ood-notices" if first else "text-ood-notices-near",
        statement=f"The maximum softmax tells {told} from familiar sentences with an AUROC over five points above guessing",
        parts=(
            part("above guessing", against(f"max-softmax {told}", CHANCE), measure=AUROC, delta=FIVE_POINTS),
        ),
        says={
            "supported": f"The classifier is less sure of {told}: {numbers}.",
            "refuted": f"The classifier is as sure of {told} as of its own: {numbers}.",
            "open": f"Whether the classifier is less sure of {told} is open: {numbers}.",
        },
        means=SURE,
        figure=FIGURE,
    )


def _features(told: str) -> Claim:
    return Claim(
        id="text-ood-features",
        statement=f"On {told} the Mahalanobis distance has an AUROC over five points higher than the maximum softmax",
        parts=(
            part(
                "Mahalanobis - softmax",
                difference(f"mahalanobis {told}", f"max-softmax {told}"),
                measure=AUROC,
                delta=FIVE_POINTS,
            ),
        ),
        says={
            "supported": f"The features tell more: the Mahalanobis distance has {{mahalanobis {told}}} on {told}.",
            "refuted": f"The features hardly tell more: the Mahalanobis distance has {{mahalanobis {told}}} on {told}.",
        },
        means=FEATURES,
        figure=FIGURE,
    )


def _nearer(far: str, near: str) -> Claim:
    return Claim(
        id="text-ood-near",
        statement=f"The Mahalanobis distance has an AUROC over five points higher on {far} than on {near}",
        parts=(
            part(
                f"{far} - {near}",
                difference(f"mahalanobis {far}", f"mahalanobis {near}"),
                measure=AUROC,
                delta=FIVE_POINTS,
            ),
        ),
        says={
            "supported": f"{near.capitalize()} are harder to notice than {far} ({{mahalanobis {near}}}).",
            "refuted": f"{near.capitalize()} are hardly harder to notice than {far} ({{mahalanobis {near}}}).",
        },
        means=NEARER,
        figure=FIGURE,
    )
