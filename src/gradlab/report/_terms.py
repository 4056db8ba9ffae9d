"""The words of a report explained: once in full below, and in short where one is hovered over."""

from __future__ import annotations

TERMS: dict[str, tuple[str, str]] = {
    "δ": (
        "the smallest effect that matters, chosen before the runs",
        "Chosen before the runs. A difference smaller than δ is of no practical interest, even if it is real.",
    ),
    "asked": (
        "the values of the measure for which the claim holds, chosen before the runs",
        "Where a claim is about one measure and not about a difference, such as “an AUROC above 80 %”: the values for which it "
        "holds, chosen before the runs. The bound already contains the smallest effect that matters.",
    ),
    "interval": (
        "the effects that the data leave plausible",
        "The range of effects that the data leave plausible. It counts two kinds of chance: another seed would "
        "train another network, and another test set would hold other images. Several claims and repeated looks "
        "share one error budget, so the interval shown is the one that decides.",
    ),
    "verdict": (
        "where the interval lies against the region in which the claim holds",
        "A claim holds in a region that is shaded on the graphics: “more” above +δ, “same” between −δ and +δ, "
        "“not less” above −δ. Supported: the whole interval lies inside the region. Refuted: it lies entirely "
        "outside. Open: it crosses the border, and more data would be needed.",
    ),
    "points": (
        "percentage points: from 93.0% to 94.2% is 1.2 points",
        "Percentage points. From 93.0% to 94.2% accuracy is 1.2 points.",
    ),
    "decades": (
        "powers of ten: 3 decades smaller is a thousandth",
        "Powers of ten. A gradient that is 3 decades smaller is ×10^-3, a thousandth.",
    ),
    "seeds": (
        "how many networks were trained, each from different initial weights and with a different order of the data",
        "A seed fixes the start weights and the order of the data; with n seeds there are n trained networks. "
        "Both networks of a comparison use the same seeds, so that chance that hits both alike cancels in the "
        "difference.",
    ),
    "test images": (
        "how many images every network was tested on; more make the interval narrower",
        "The test images are the same for all networks, so six networks on 10,000 images are not 60,000 images. "
        "More seeds make one part of the uncertainty smaller, more images the other.",
    ),
    "level": (
        "how often such an interval contains the true effect",
        "How often an interval made like this one contains the true effect. With several claims in a study it is "
        "above 95%, so that all verdicts together can be trusted.",
    ),
    "look": (
        "how often these data were looked at; every further look costs certainty",
        "Adding seeds after a verdict was seen is a second look at the same data, and whoever looks often enough "
        "finds anything. So each look has a smaller error budget of its own, and its number is shown.",
    ),
    "sign-flip p": (
        "an exact two-sided test beside the interval; with n seeds p is at least 2^(1-n), and it decides nothing",
        "Suppose the true effect lay exactly on the border of the region. Each seed would then be as likely to fall above the "
        "border as below it: how often would chance alone put the mean at least as far from the border as it is, on either side? "
        "The test is two-sided and tries every pattern of signs. Where the region has two borders, −δ and +δ, the nearer one "
        "is tested, and for a mean between them the one with the larger p. With n seeds there are 2^n patterns, and p cannot "
        "fall below 2^(1-n): 0.031 with six seeds, so that fewer than six never get below 0.05. It is shown beside the interval "
        "and decides nothing.",
    ),
    "variance from seeds": (
        "the share of the uncertainty that more seeds would reduce; more test images reduce the rest",
        "The share of the uncertainty that more seeds would reduce; the rest comes from the test images.",
    ),
    "degrees of freedom": (
        "how well the spread between seeds is known; few make the interval wider",
        "How well the spread between the seeds is known: with few the interval is wider.",
    ),
    "learned": (
        "better than chance by more than chance allows",
        "How many of the n runs did better than chance. If some did and some did not, a mean describes neither "
        "group.",
    ),
}
"""Term -> (its explanation in half a line, in a paragraph)."""
