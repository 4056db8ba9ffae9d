"""What is claimed about CLIP: zero-shot, prompts, adapters in its towers, and what they forget."""

from __future__ import annotations

from gradlab.lab.designing.claims import Claim
from gradlab.statistics import against, difference
from gradlab.studies._shared import POINT, TWO_POINTS, part, published

FIGURE, TUNED = "accuracy-by-prompt", "accuracy-by-method"
WORDS = (
    "What a class is called is all that zero-shot classification knows of it. A name helps as far as its words were met in "
    "captions of other pictures."
)
SENTENCES = (
    "Captions are sentences. A class name alone is a text of another kind than those that were seen in training, and a sentence "
    "may say what sort of thing the name means."
)
TOWERS = (
    "Adapters in the image tower move pictures, those in the text tower move the classes. Either can bring a picture nearer to "
    "its class."
)
FORGETTING = (
    "What is learned about some classes may spoil what was known about others. A model that is asked for anything must be judged "
    "on classes that it was not tuned on as well."
)
FAR = 0.10


def zero_shot_claims(counts: dict[str, int], *, given: bool, known: str) -> tuple[Claim, ...]:
    """Return the claims about zero-shot classification.

    Args:
        counts: set -> its classes, 0 where that is not known. given: whether the CLIP is a person's own.
        known: what held-out classes share with those that were seen.
    """
    first = next(iter(counts))
    best = f"{first}-photo" if given else f"{first}-group"
    second = [name for name in counts if name != first]
    found = [_chance(best, counts[first], known, given=given), _prompt(first, best), _ensemble(first)]
    if second:
        strong, weak = (first, second[0]) if given else (second[0], first)
        found.append(_sets(f"{strong}-photo", f"{weak}-photo", given=given))
    return tuple(found)


def _chance(best: str, classes: int, known: str, *, given: bool) -> Claim:
    """Nobody can tell here which pictures a given CLIP was trained on; that which is pre-trained here saw none of these."""
    told = f" ({known})" if known else ""
    begin = "Asked by their names alone," if given else f"Without a single picture of these classes{told}"
    refuted = begin if given else f"Without a picture of these classes{told}"
    reached = f"names the class of {{{best}}} of the test images, guessing of {100 / classes:.3g} %"
    return Claim(
        id="clip-chance",
        statement=f"Zero-shot classification among {classes} classes{told} is over two points better than guessing",
        parts=(part("above guessing", against(best, 1 / classes), delta=TWO_POINTS),),
        says={
            "supported": f"{begin} CLIP {reached}.",
            "refuted": f"{refuted} CLIP does no better than guessing: it {reached}.",
            "open": f"Whether it beats guessing is open: CLIP {reached}.",
        },
        means=WORDS,
        figure=FIGURE,
    )


def _prompt(first: str, best: str) -> Claim:
    return Claim(
        id="C003-13",
        statement="A prompt is over a point better than the bare class name",
        parts=(part("prompt - name", difference(best, f"{first}-name")),),
        published=published(
            "003", "63 % with the class name, 70 % with a prompt", "Tiny ImageNet, 100 images, one run"
        ),
        says={
            "supported": f"A prompt adds {{size}} to the bare class name ({{{first}-name}}).",
            "refuted": f"A prompt does not add a point to the bare class name ({{{first}-name}}).",
        },
        means=SENTENCES,
        figure=FIGURE,
    )


def _ensemble(first: str) -> Claim:
    return Claim(
        id="clip-ensemble",
        statement="The mean of eight prompts is over two points better than one",
        parts=(part("eight - one", difference(f"{first}-ensemble", f"{first}-photo"), delta=TWO_POINTS),),
        means=SENTENCES,
        figure=FIGURE,
    )


def _sets(strong: str, weak: str, *, given: bool) -> Claim:
    what = (
        "ten easy classes than on two hundred"
        if given
        else "classes that pre-training saw than on those that it did not"
    )
    return Claim(
        id="C001-08",
        statement=f"Zero-shot is over ten points better on {what}",
        parts=(part("strong - weak", difference(strong, weak), delta=FAR),),
        published=published("001", "98.46 % on ImageNette, 57.14 % on Tiny ImageNet", "ViT-B/16, one run"),
        says={
            "supported": f"It is far better on {what.split(' than ')[0]}: {{{strong}}} against {{{weak}}}.",
            "refuted": f"It is not far better on {what.split(' than ')[0]}: {{{strong}}} against {{{weak}}}.",
        },
        means=WORDS,
        figure=FIGURE,
    )


def lora_claims(*, small: bool) -> tuple[Claim, ...]:
    """Return the claims about adapters and prompts; small: what a few hundred test images can settle."""
    delta, told = (TWO_POINTS, "two points") if small else (POINT, "a point")
    return (
        Claim(
            id="C003-15",
            statement=f"LoRA in both towers is over {told} better on the classes that it learned than zero-shot",
            parts=(part("LoRA - zero-shot", difference("both", "before"), delta=delta),),
            published=published(
                "003", "87.2 % zero-shot, 91.7 % with LoRA", "art genres, 133 images, best epoch on them"
            ),
            says={
                "supported": "LoRA in both towers gets {both} of the images of the classes it learned right, zero-shot {before}.",
                "refuted": "LoRA in both towers does not gain on the classes that it learned: {both}, zero-shot {before}.",
                "open": "Whether LoRA in both towers gains on the classes that it learned is open: {both}, zero-shot {before}.",
            },
            means=TOWERS,
            figure=TUNED,
        ),
        Claim(
            id="C003-14",
            statement=f"LoRA in both towers is over {told} better than in the image tower or the text tower alone",
            parts=tuple(
                part(f"both - {one}", difference("both", one), delta=delta) for one in ("image", "text")
            ),
            published=published(
                "003", "76 % both, 72 % image, 73 % text", "Tiny ImageNet, 100 images, best epoch on them"
            ),
            says={
                "supported": "Both towers do better than the image tower ({image}) or the text tower ({text}) alone.",
                "refuted": "Both towers are not better than one alone: image {image}, text {text}.",
            },
            means=TOWERS,
            figure=TUNED,
        ),
        _forgets("both", "LoRA in both towers", delta, told),
        _forgets("prompt", "A learned prompt", delta, told),
    )


def _forgets(name: str, words: str, delta: float, told: str) -> Claim:
    return Claim(
        id=f"clip-forgets-{name}",
        statement=f"{words} costs over {told} on classes that it did not learn",
        parts=(part("before - after", difference("before-novel", f"{name}-novel"), delta=delta),),
        says={
            "supported": f"{words} forgets: on classes that it did not learn {{{name}-novel}}, before {{before-novel}}.",
            "refuted": f"{words} does not forget {told}: on classes that it did not learn {{{name}-novel}}, before "
            "{before-novel}.",
        },
        means=FORGETTING,
        figure=TUNED,
    )
